// SPDX-License-Identifier: Apache-2.0
#include "bpf/mechanisms.hpp"

#include <link.h>
#include <unistd.h>

#include <span>
#include <utility>

#include "bpf/calls_program.hpp"
#include "bpf/cpu_program.hpp"
#include "sys/perf_event.hpp"

namespace callscope {
namespace {

Mechanism outcome(std::string name, const Result<void>& tried, std::string use) {
  if (tried) return {std::move(name), true, std::move(use)};
  return {std::move(name), false, tried.error().message()};
}

struct Located {
  std::uint64_t addr;
  std::uint64_t file_off;
};

// dl_iterate_phdr callback: stops at the segment that holds the address.
int locate_in_object(dl_phdr_info* object, std::size_t, void* data) {
  auto& wanted = *static_cast<Located*>(data);
  for (const auto& segment : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
    const std::uint64_t start = object->dlpi_addr + segment.p_vaddr;
    if (segment.p_type != PT_LOAD || wanted.addr - start >= segment.p_filesz) continue;
    wanted.file_off = wanted.addr - start + segment.p_offset;
    return 1;
  }
  return 0;
}

// Where a function of ours lies in our own file, for a trial probe that never fires.
Result<Probe> own_probe() {
  Located located{reinterpret_cast<std::uint64_t>(&probe_mechanisms), 0};
  if (::dl_iterate_phdr(locate_in_object, &located) == 0)
    return fail(ErrorCode::kInternal, "cannot find our own code in memory");
  return Probe{"/proc/self/exe", located.file_off, 0};
}

Result<void> try_uprobe(ProbeMechanism mechanism) {
  Result<Probe> probe = own_probe();
  if (!probe) return std::unexpected(probe.error());
  Result<CallsProgram> program =
      CallsProgram::load({static_cast<std::uint32_t>(::getpid()), 1, 1, mechanism});
  if (!program) return std::unexpected(program.error());
  CallProbes probes;
  probes.return_probed.push_back(std::move(*probe));
  CS_TRY(program->attach(probes));
  if (const auto failures = program->failures(); !failures.empty())
    return fail(ErrorCode::kUnsupported, "the kernel refused a probe: " + failures.front().reason);
  return {};
}

Result<void> try_sampling() {
  Result<CpuProgram> program = CpuProgram::load(
      {.tgid = static_cast<std::uint32_t>(::getpid()), .max_stacks = 64, .ring_bytes = 4096},
      {[](const cs_stack_record&) {}, [](const cs_process_record&) {}});
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
