// SPDX-License-Identifier: Apache-2.0
#include "collect/budget_governor.hpp"

#include <algorithm>

namespace callscope {
namespace {

// A burst of this much probe time is let pass: short programs and start-up are seen whole.
constexpr double kBurstNs = 50e6;
constexpr std::uint32_t kMaxShift = 12;

struct Rate {
  const FunctionLoad* load = nullptr;
  double calls_per_ns = 0;
  double cost_per_ns = 0;  // share of a CPU that its probes take now
};

double cost_of_counted(const FunctionLoad& load) {
  const double counted = static_cast<double>(load.counted_cost_ns);
  return load.exits_always_fire ? static_cast<double>(load.timed_cost_ns) : counted;
}

// The share that no function may exceed so that all together keep the budget: the cheap ones keep
// what they take, the rest is divided among the others. rates: from high to low.
double highest_allowance(const std::vector<Rate>& rates, double share) {
  double rest = 0;
  for (const Rate& rate : rates) rest += rate.cost_per_ns;
  double allowance = 0;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    rest -= rates[i].cost_per_ns;
    allowance = (share - rest) / static_cast<double>(i + 1);
    if (i + 1 == rates.size() || allowance >= rates[i + 1].cost_per_ns) break;
  }
  return std::max(0.0, allowance);
}

// The mildest step that keeps the function within its allowance.
SheddingStep shed(const Rate& rate, double allowed) {
  const FunctionLoad& load = *rate.load;
  const double count_share = rate.calls_per_ns * static_cast<double>(load.counted_cost_ns);
  if (count_share > allowed) return {load.func, Shedding::kRemove, 0};
  const double timed_share = rate.calls_per_ns * static_cast<double>(load.timed_cost_ns);
  for (std::uint32_t shift = load.shift + 1; !load.exits_always_fire && shift <= kMaxShift; ++shift)
    if (count_share + timed_share / static_cast<double>(1U << shift) <= allowed)
      return {load.func, Shedding::kSample, shift};
  return {load.func, Shedding::kCountOnly, 0};
}

}  // namespace

std::vector<SheddingStep> BudgetGovernor::steps(std::uint64_t now_ns,
                                                const std::vector<FunctionLoad>& loads) {
  const double elapsed_ns = last_ns_ == 0 ? 0 : static_cast<double>(now_ns - last_ns_);
  last_ns_ = now_ns;
  std::vector<Rate> rates;
  double spent_ns = 0;
  for (const FunctionLoad& load : loads) {
    Seen& seen = seen_[load.func];
    const auto timed = static_cast<double>(load.timed - std::min(load.timed, seen.timed));
    const auto counted = static_cast<double>(load.counted - std::min(load.counted, seen.counted));
    seen = {load.timed, load.counted};
    if (timed + counted == 0) continue;
    const double cost_ns =
        timed * static_cast<double>(load.timed_cost_ns) + counted * cost_of_counted(load);
    spent_ns += cost_ns;
    if (elapsed_ns > 0)
      rates.push_back({&load, (timed + counted) / elapsed_ns, cost_ns / elapsed_ns});
  }
  spent_total_ns_ += spent_ns;
  bucket_ns_ = std::max(0.0, bucket_ns_ + spent_ns - share_ * elapsed_ns);
  if (bucket_ns_ <= kBurstNs || elapsed_ns == 0) return {};

  std::ranges::sort(rates, std::ranges::greater{}, &Rate::cost_per_ns);
  const double allowed = highest_allowance(rates, share_);
  std::vector<SheddingStep> result;
  for (const Rate& rate : rates)
    if (rate.cost_per_ns > allowed) result.push_back(shed(rate, allowed));
  bucket_ns_ = 0;  // what was decided must show first
  return result;
}

}  // namespace callscope
