// SPDX-License-Identifier: Apache-2.0
#include "collect/slow_call_log.hpp"

#include <algorithm>

#include "sys/parse_number.hpp"

namespace callscope {
namespace {

constexpr std::size_t kMaxSlowCalls = 10'000;
constexpr std::size_t kMaxWaiting = 20'000;  // records between two updates, 20 MB

// A rule without a library is about every function of that name that is probed.
bool watches(const FunctionPattern& pattern, const std::string& path, bool main) {
  return !pattern.names_library() || pattern.matches_module(path, main);
}

}  // namespace

Result<SlowRule> SlowRule::parse(std::string_view text) {
  const std::size_t mark = text.rfind('>');
  const auto threshold =
      mark == text.npos ? std::nullopt : parse_duration_ns(text.substr(mark + 1));
  if (!threshold || mark == 0 || *threshold == 0)
    return fail(ErrorCode::kUsage, "'" + std::string(text) + "' is no rule for slow calls",
                "use GLOB>TIME, for example 'request_*>10ms'");
  Result<FunctionPattern> pattern = FunctionPattern::parse(text.substr(0, mark));
  if (!pattern) return std::unexpected(pattern.error());
  return SlowRule{std::move(*pattern), *threshold};
}

void SlowCallLog::set_thresholds(CallsProgram& program, const FunctionRegistry& registry,
                                 const std::set<std::string>& executables) {
  for (; judged_ < registry.size(); ++judged_) {
    args_known_.push_back(program.control(judged_).args_known);
    const FunctionStats* const stats = registry.stats(judged_);
    if (stats == nullptr) continue;
    const std::string& path = recording_.modules[stats->module].path;
    const bool main = executables.contains(path);
    for (const SlowRule& rule : rules_)
      if (watches(rule.pattern, path, main) && rule.pattern.matches_name(stats->name))
        program.control(judged_).slow_ns = rule.threshold_ns;
  }
}

void SlowCallLog::on_record(const cs_slow_record& record) {
  if (waiting_.size() >= kMaxWaiting)
    ++dropped_;
  else
    waiting_.push_back(record);
}

SlowCall SlowCallLog::make_call(const cs_slow_record& record, std::uint32_t row,
                                std::uint64_t begin_ns) {
  const FunctionStats& function = recording_.functions[row];
  SlowCall call;
  call.function = row;
  call.pid = static_cast<std::int32_t>(record.tgid);
  call.tid = static_cast<std::int32_t>(record.tid);
  call.t_ns = record.enter_ns > begin_ns ? record.enter_ns - begin_ns : 0;
  call.duration_ns = record.duration_ns;
  call.blocked_ns = record.blocked_ns;
  call.runq_ns = record.runq_ns;
  for (std::size_t i = 0; i < std::size(record.args); ++i) {
    const bool known = (args_known_[record.func] >> i & 1) != 0;
    call.args.push_back(known ? std::optional<std::uint64_t>(record.args[i]) : std::nullopt);
  }
  std::vector<std::uint32_t> frames{
      symbolizer_.function_frame(function.module, function.addr, function.name)};
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(record.n_frames, CS_USER_FRAMES); ++i) {
    if (i == CS_INNER_FRAMES && record.left_out != 0)
      frames.push_back(symbolizer_.left_out_frame());
    frames.push_back(symbolizer_.user_frame(call.pid, record.frames[i], AddressKind::kReturn));
  }
  const StackEnd end = stack_end(record.end, record.left_out != 0);
  call.stack = stacks_.intern(std::move(frames), is_cut(end), end);
  return call;
}

void SlowCallLog::update(const FunctionRegistry& registry, std::uint64_t begin_ns,
                         CpuCollector* cpu) {
  for (const cs_slow_record& record : waiting_) {
    const auto row = registry.row(record.func);
    if (!row || record.func >= args_known_.size()) continue;
    if (cpu != nullptr)
      cpu->mark_slow(static_cast<std::int32_t>(record.tid), record.enter_ns,
                     record.enter_ns + record.duration_ns);
    if (recording_.slow_calls.size() < kMaxSlowCalls)
      recording_.slow_calls.push_back(make_call(record, *row, begin_ns));
    else
      ++dropped_;
  }
  waiting_.clear();
}

void SlowCallLog::add_quality(std::vector<QualityItem>& quality) const {
  quality.push_back({"slow_calls_dropped", dropped_, true,
                     "slow calls beyond the first " + std::to_string(kMaxSlowCalls) +
                         ", counted and timed but not logged"});
}

}  // namespace callscope
