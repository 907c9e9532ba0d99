// SPDX-License-Identifier: Apache-2.0
#include "collect/calls_collector.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "model/histogram.hpp"

namespace callscope {
namespace {

// One perf event a probe takes 0.25 s to detach, and slows every call of the others.
constexpr std::size_t kMaxPerfEventProbes = 100;

std::size_t count_probes(const CallProbes& probes) {
  return probes.return_probed.size() + probes.site_entries.size() + probes.exit_sites.size() +
         probes.counted.size();
}

Result<CallsProgram> try_mechanism(std::int32_t pid, const ProbePlan& plan,
                                   ProbeMechanism mechanism) {
  const CallProbes& probes = plan.probes;
  if (mechanism == ProbeMechanism::kPerfEvent && count_probes(probes) > kMaxPerfEventProbes)
    return fail(ErrorCode::kUnsupported,
                fmt::format("this kernel offers perf-event uprobes only, at most {} of them; {} "
                            "are asked for",
                            kMaxPerfEventProbes, count_probes(probes)),
                "name fewer functions with -f");
  Result<CallsProgram> program = CallsProgram::load(
      {.tgid = static_cast<std::uint32_t>(pid),
       .n_functions = static_cast<std::uint32_t>(plan.functions.size()),
       .cpus = static_cast<std::uint32_t>(::sysconf(_SC_NPROCESSORS_CONF)),
       .mechanism = mechanism,
       .has_return_probes = !probes.return_probed.empty(),
       .has_exit_sites = !probes.exit_sites.empty() || !probes.site_entries.empty(),
       .has_counted = !probes.counted.empty()});
  if (!program) return program;
  if (Result<void> attached = program->attach(probes); !attached)
    return std::unexpected(attached.error());
  return program;
}

// Takes functions out of the plan whose probes are not all there: half of them would give wrong
// numbers. Returns the cookies of the rest.
std::vector<std::uint32_t> drop_refused(const CallsProgram& program, ProbePlan& plan) {
  constexpr int kNotSupported = 524;  // ENOTSUPP, which libc has no text for
  std::set<std::uint32_t> refused;
  NamedReasons listed;
  for (const ProbeFailure& failure : program.failures()) {
    const auto func = static_cast<std::uint32_t>(failure.probe.cookie);
    if (func == CS_NO_FUNCTION) {
      plan.notes.push_back("a tail callee is not probed completely: calls may seem unwound");
      continue;
    }
    if (!refused.insert(func).second) continue;
    const char* const why =
        failure.sys_errno == kNotSupported ? "not supported" : std::strerror(failure.sys_errno);
    listed.emplace_back(plan.functions[func].name,
                        fmt::format("file offset {:#x}: {}", failure.probe.file_off, why));
  }
  if (!listed.empty())
    plan.notes.push_back(list_note("functions have instructions that the kernel refuses", listed));
  std::vector<std::uint32_t> cookies;
  std::vector<FunctionStats> functions;
  for (std::uint32_t func = 0; func < plan.functions.size(); ++func) {
    if (refused.contains(func)) continue;
    cookies.push_back(func);
    functions.push_back(std::move(plan.functions[func]));
  }
  plan.functions = std::move(functions);
  return cookies;
}

// See abi/calls.h for what follows from what.
void take_stats(const cs_call_stats& stats, FunctionStats& out) {
  out.returns = histogram_count(out.histogram);
  out.unwound = stats.unwound;
  out.untimed = stats.untimed;
  out.tail_exits = stats.tail_exits;
  out.running = stats.running;
  out.calls = out.returns + out.unwound + out.untimed + out.running;
  const std::uint64_t closed_ns = stats.sum_ns + stats.unwound_ns;
  out.total_ns = closed_ns - std::min<std::uint64_t>(closed_ns, stats.nested_ns);
  out.self_ns = closed_ns - std::min<std::uint64_t>(closed_ns, stats.child_ns);
  out.sum_ns = stats.sum_ns;
  out.min_ns = out.returns == 0 ? 0 : ~stats.min_inv;
  out.max_ns = stats.max_ns;
}

}  // namespace

Result<CallsCollector> CallsCollector::start(std::int32_t pid, ProbePlan& plan,
                                             std::optional<ProbeMechanism> mechanism) {
  constexpr std::array kLadder{ProbeMechanism::kSession, ProbeMechanism::kMulti,
                               ProbeMechanism::kPerfEvent};
  std::string reason;
  for (const ProbeMechanism step : kLadder) {
    if (mechanism && *mechanism != step) continue;
    Result<CallsProgram> program = try_mechanism(pid, plan, step);
    if (program) {
      if (!reason.empty())
        plan.notes.push_back(
            fmt::format("functions are probed by {}: {}", mechanism_name(step), reason));
      std::vector<std::uint32_t> cookies = drop_refused(*program, plan);
      return CallsCollector(std::move(*program), step, plan.probes, std::move(cookies));
    }
    // A kernel without sessions refuses the program with EACCES, as it does to who may not load
    // any: in both cases the last step decides.
    if (mechanism || step == kLadder.back()) return std::unexpected(program.error());
    reason = program.error().message();
  }
  return fail(ErrorCode::kInternal, "no probe mechanism was tried");
}

void CallsCollector::drop_return_probes() {
  program_.detach_return_probes();
  return_probes_ = false;
}

void CallsCollector::update(std::vector<FunctionStats>& functions) const {
  for (std::size_t i = 0; i < functions.size(); ++i) {
    const cs_call_stats stats = program_.stats(cookies_[i]);
    if (stats.min_inv != 0 && stats.sum_ns != functions[i].sum_ns)
      functions[i].histogram = program_.histogram(cookies_[i]);
    take_stats(stats, functions[i]);
  }
}

void CallsCollector::add_quality(std::vector<QualityItem>& quality) const {
  const auto add = [&](cs_stat reason, const char* key, bool loss, const char* meaning) {
    quality.push_back({key, program_.counter(reason), loss, meaning});
  };
  add(CS_STAT_THREAD_STATE_FULL, "thread_state_full", true,
      "calls counted but not timed: no memory for the thread's shadow stack");
  add(CS_STAT_DEPTH_EXCEEDED, "depth_exceeded", false,
      "calls counted but not timed: more than 64 probed calls were open on the thread");
  // Exit-site probes also fire for calls that began before the recording.
  add(CS_STAT_RETURN_UNMATCHED, "returns_without_entry", !exit_sites_,
      exit_sites_ ? "returns of calls that began before the recording or were too deep"
                  : "returns whose entry was not seen");
  add(CS_STAT_BAD_COOKIE, "bad_cookie", true, "events with an impossible function id");
  add(CS_STAT_SLOT_UNREADABLE, "slot_unreadable", false,
      "tail calls taken as unwound: their return address could not be read");
  add(CS_STAT_MINMAX_CONTENDED, "minmax_contended", false,
      "calls missing in minimum or maximum: other CPUs wrote at the same time");
}

}  // namespace callscope
