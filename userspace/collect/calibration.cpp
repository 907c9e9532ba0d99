// SPDX-License-Identifier: Apache-2.0
#include "collect/calibration.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "bpf/calls_program.hpp"
#include "bpf/own_code.hpp"
#include "callscope/abi/call_cookie.h"
#include "sys/clock.hpp"

// Functions whose first instruction is known: push is emulated by the kernel, mov is
// single-stepped.
asm(R"(
    .text
    .macro CS_PUSH_FIRST name
    .type \name, @function
\name:
    push %rbp
    pop %rbp
    ret
    .size \name, .-\name
    .endm
    .globl cs_calibrate_return, cs_calibrate_count, cs_calibrate_stepped
    CS_PUSH_FIRST cs_calibrate_return
    CS_PUSH_FIRST cs_calibrate_count
    .type cs_calibrate_stepped, @function
cs_calibrate_stepped:
    mov %rsp, %rax
    ret
    .size cs_calibrate_stepped, .-cs_calibrate_stepped
)");
extern "C" {
void cs_calibrate_return();
void cs_calibrate_count();
void cs_calibrate_stepped();
}

namespace callscope {
namespace {

using Function = void (*)();
constexpr int kRounds = 9;
constexpr int kCallsPerRound = 40;

// Median time of one call, ns.
std::uint64_t time_calls(Function function) {
  std::array<std::uint64_t, kRounds> rounds{};
  function();
  for (std::uint64_t& round : rounds) {
    const std::uint64_t begin_ns = monotonic_ns();
    for (int i = 0; i < kCallsPerRound; ++i) function();
    round = (monotonic_ns() - begin_ns) / kCallsPerRound;
  }
  std::ranges::sort(rounds);
  return rounds[kRounds / 2];
}

std::uint64_t minus(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

}  // namespace

Result<ProbeCosts> calibrate_probes(ProbeMechanism mechanism) {
  const std::array<Function, 3> functions{cs_calibrate_return, cs_calibrate_stepped,
                                          cs_calibrate_count};
  const std::uint64_t bare_ns = time_calls(cs_calibrate_return);
  Result<CallsProgram> program =
      CallsProgram::load({.tgid = static_cast<std::uint32_t>(::getpid()),
                          .max_functions = static_cast<std::uint32_t>(functions.size()),
                          .mechanism = mechanism});
  if (!program) return std::unexpected(program.error());
  CallProbes probes;
  for (std::uint32_t i = 0; i < functions.size(); ++i) {
    const cs_probe_kind kind = i < 2 ? CS_PROBE_ENTRY : CS_PROBE_COUNT;
    Result<Probe> probe =
        probe_own_code(reinterpret_cast<const void*>(functions[i]), cs_cookie(kind, i, 0));
    if (!probe) return std::unexpected(probe.error());
    (i < 2 ? probes.return_probed : probes.sites).push_back(std::move(*probe));
  }
  CS_TRY(program->links().attach(::getpid(), std::move(probes)));
  program->enable();
  const std::uint64_t push_pair_ns = minus(time_calls(functions[0]), bare_ns);
  const std::uint64_t stepped_pair_ns = minus(time_calls(functions[1]), bare_ns);
  ProbeCosts costs;
  costs.emulated_entry_ns = minus(time_calls(functions[2]), bare_ns);
  costs.return_ns = minus(push_pair_ns, costs.emulated_entry_ns);
  costs.stepped_entry_ns = minus(stepped_pair_ns, costs.return_ns);
  costs.counted_entry_ns = costs.emulated_entry_ns;
  costs.emulated_exit_ns = costs.emulated_entry_ns;
  costs.stepped_exit_ns = costs.stepped_entry_ns;
  return costs;
}

}  // namespace callscope
