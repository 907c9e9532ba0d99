// SPDX-License-Identifier: Apache-2.0
#include "collect/budget_governor.hpp"

#include <algorithm>

namespace callscope {
namespace {

// A burst of this much probe time is let pass: short programs and start-up are seen whole.
constexpr double kBurstNs = 50e6;
constexpr std::uint32_t kMaxShift = 12;
// Shedding aims for this part of the budget: among other code a probe costs more than calibrated
// in a loop, and rates vary.
constexpr double kAim = 0.75;

struct Rate {
  const FunctionLoad* load = nullptr;
  double calls_per_ns = 0;
  double cost_per_ns = 0;  // share of a CPU that its probes take now
};

double cost_of_counted(const FunctionLoad& load) {
  const double counted = static_cast<double>(load.counted_cost_ns);
  return load.exits_always_fire ? static_cast<double>(load.timed_cost_ns) : counted;
}

// What is left of its cost when its calls are counted and no more.
double count_share(const Rate& rate) {
  return rate.calls_per_ns * static_cast<double>(rate.load->counted_cost_ns);
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

// Takes out of rates what must go altogether. One after the other, the most called first: what it
// leaves free may be enough for those that follow.
std::vector<SheddingStep> remove_too_hot(std::vector<Rate>& rates, double share) {
  std::vector<SheddingStep> removed;
  while (!rates.empty()) {
    const auto hottest = std::ranges::max_element(rates, {}, count_share);
    if (count_share(*hottest) <= highest_allowance(rates, share)) break;
    removed.push_back({hottest->load->func, Shedding::kRemove, 0});
    rates.erase(hottest);
  }
  return removed;
}

// The mildest step that keeps a function within its allowance, which its counting alone does.
SheddingStep shed(const Rate& rate, double allowed) {
  const FunctionLoad& load = *rate.load;
  const double timed_share = rate.calls_per_ns * static_cast<double>(load.timed_cost_ns);
  for (std::uint32_t shift = load.shift + 1; !load.exits_always_fire && shift <= kMaxShift; ++shift)
    if (count_share(rate) + timed_share / static_cast<double>(1U << shift) <= allowed)
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
  std::vector<SheddingStep> result = remove_too_hot(rates, kAim * share_);
  const double allowed = highest_allowance(rates, kAim * share_);
  for (const Rate& rate : rates)
    if (rate.cost_per_ns > allowed) result.push_back(shed(rate, allowed));
  bucket_ns_ = 0;  // what was decided must show first
  return result;
}

}  // namespace callscope
