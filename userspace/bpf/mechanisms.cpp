// SPDX-License-Identifier: Apache-2.0
#include "bpf/mechanisms.hpp"

#include <unistd.h>

#include <utility>

#include "bpf/calls_program.hpp"
#include "bpf/cpu_program.hpp"
#include "bpf/own_code.hpp"
#include "sys/perf_event.hpp"

namespace callscope {
namespace {

Mechanism outcome(std::string name, const Result<void>& tried, std::string use) {
  if (tried) return {std::move(name), true, std::move(use)};
  return {std::move(name), false, tried.error().message()};
}

Result<void> try_uprobe(ProbeMechanism mechanism) {
  Result<Probe> probe = probe_own_code(reinterpret_cast<const void*>(&probe_mechanisms), 0);
  if (!probe) return std::unexpected(probe.error());
  Result<CallsProgram> program =
      CallsProgram::load({.tgid = static_cast<std::uint32_t>(::getpid()), .mechanism = mechanism});
  if (!program) return std::unexpected(program.error());
  CallProbes probes;
  probes.return_probed.push_back(std::move(*probe));
  CS_TRY(program->links().attach(::getpid(), std::move(probes)));
  if (const auto& failures = program->links().failures(); !failures.empty())
    return fail(ErrorCode::kUnsupported, "the kernel refused a probe", {},
                failures.front().sys_errno);
  return {};
}

Result<void> try_sampling() {
  const Result<UnwindMaps> unwind =
      UnwindMaps::create({.rows = 64, .pages = 64, .ranges = 64, .rules = 64, .processes = 64});
  if (!unwind) return std::unexpected(unwind.error());
  Result<CpuProgram> program = CpuProgram::load(
      {.tgid = static_cast<std::uint32_t>(::getpid()), .max_stacks = 64, .ring_bytes = 4096},
      *unwind, {[](const cs_stack_record&) {}, [](const cs_process_record&) {}, {}, {}});
  if (!program) return std::unexpected(program.error());
  return program->attach();
}

Result<void> try_clock(SampleClock clock) {
  const Result<Fd> event = open_sampling_event(clock, 0, 99);
  if (!event) return std::unexpected(event.error());
  return {};
}

}  // namespace

std::vector<Mechanism> probe_mechanisms() {
  return {
      outcome("uprobe session", try_uprobe(ProbeMechanism::kSession),
              "entry and return of any number of functions in one link (best)"),
      outcome("uprobe_multi", try_uprobe(ProbeMechanism::kMulti),
              "many probes in one link; carries entry-only and ret-site probes"),
      outcome("perf-event uprobe", try_uprobe(ProbeMechanism::kPerfEvent),
              "one event a probe: the fallback of old kernels, slow to detach"),
      outcome("CPU sampling in BPF", try_sampling(),
              "cpu-clock events, ring buffer, BTF tracepoints for forks and exits"),
      outcome("cpu-clock event", try_clock(SampleClock::kCpuClock), "the default sampling clock"),
      outcome("hardware cycles event", try_clock(SampleClock::kCycles), "optional: --event cycles"),
  };
}

}  // namespace callscope
