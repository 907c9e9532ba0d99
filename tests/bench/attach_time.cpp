// SPDX-License-Identifier: Apache-2.0
// attach_time PID GLOB[,GLOB...]: what is spent until a process is probed, step by step, through
// the same code as the recorder's. Prints "functions N", "probes N", then "STEP_ms X" for find
// (names), load (the BPF program), plan (decoding), attach and detach.
#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "bpf/calls_program.hpp"
#include "collect/exit_policy.hpp"
#include "collect/function_registry.hpp"
#include "collect/host.hpp"
#include "collect/mechanism_ladder.hpp"
#include "collect/probe_plan.hpp"
#include "probes/pattern.hpp"
#include "symbols/symbolizer.hpp"
#include "sys/clock.hpp"
#include "sys/parse_number.hpp"
#include "target/safety.hpp"

using namespace callscope;

namespace {

template <typename Work>
auto timed(const char* step, Work work) {
  const std::uint64_t before_ns = monotonic_ns();
  auto result = work();
  fmt::print("{}_ms {:.1f}\n", step, static_cast<double>(monotonic_ns() - before_ns) / 1e6);
  if (!result) {
    fmt::print(stderr, "attach_time: {}\n", result.error().message());
    std::exit(1);
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  const auto pid = parse_number<std::int32_t>(argc == 3 ? argv[1] : "", 1, 4'194'304);
  if (!pid) {
    fmt::print(stderr, "usage: attach_time PID GLOB[,GLOB...]\n");
    return 2;
  }
  std::vector<FunctionPattern> patterns;
  for (const std::string& text : split_patterns(argv[2]))
    if (Result<FunctionPattern> pattern = FunctionPattern::parse(text))
      patterns.push_back(std::move(*pattern));
  Recording recording;
  Symbolizer symbolizer(recording);
  timed("maps", [&] { return symbolizer.refresh(*pid); });
  const auto facts = timed("safety", [&] { return inspect_target(*pid); });
  const auto found =
      timed("find", [&] { return find_probed_functions(*pid, symbolizer, patterns); });
  CallsProgram::Options options;
  options.tgid = static_cast<std::uint32_t>(*pid);
  options.max_functions = static_cast<std::uint32_t>(found->functions.size());
  auto loaded = timed("load", [&] { return load_best_calls(options, std::nullopt); });
  CallsProgram& program = loaded->program;
  FunctionRegistry registry(recording.functions);
  auto plan = timed("plan", [&]() -> Result<ProbePlan> {
    const PlanContext context{
        choose_exit_policy(*facts, describe_host().kernel, true), {}, nullptr};
    return plan_probes(*found, context, symbolizer, registry);
  });
  fmt::print("functions {}\nprobes {}\n", plan->functions.size(), plan->probes.size());
  timed("attach", [&] { return program.links().attach(*pid, std::move(plan->probes)); });
  timed("detach", [&] { return program.stop(); });
  return 0;
}
