// SPDX-License-Identifier: Apache-2.0
// attach_time PID GLOB[,GLOB...]: what is spent until a process is probed, step by step, through
// the same code as the recorder's. Prints "functions N", "probes N", then "STEP_ms X" for find
// (names), load (the BPF program), plan (decoding), attach and detach; then kernel_attach and
// kernel_detach: a program that does nothing, at the same places by one link, which is what the
// kernel alone takes.
#include <bpf/bpf.h>
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bpf/calls_program.hpp"
#include "bpf/uprobe_links.hpp"
#include "collect/exit_policy.hpp"
#include "collect/function_registry.hpp"
#include "collect/host.hpp"
#include "collect/mechanism_ladder.hpp"
#include "collect/probe_plan.hpp"
#include "probes/pattern.hpp"
#include "symbols/symbolizer.hpp"
#include "sys/clock.hpp"
#include "sys/parse_number.hpp"
#include "sys/uprobe_link.hpp"
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

// r0 = 0; exit
constexpr std::array<bpf_insn, 2> kNothing{
    {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}}};

// Where the process has probes, by file.
std::map<std::string, std::set<std::uint64_t>> probed_places(std::int32_t pid) {
  std::map<std::string, std::set<std::uint64_t>> places;
  for (const UprobeLink& link : list_uprobe_links())
    if (link.pid == pid) places[link.path].insert(link.offsets.begin(), link.offsets.end());
  return places;
}

Result<std::vector<Fd>> link_nothing(std::int32_t pid, const auto& places) {
  bpf_prog_load_opts options{};
  options.sz = sizeof(options);
  options.expected_attach_type = static_cast<bpf_attach_type>(kAttachTraceUprobeMulti);
  const Fd program(::bpf_prog_load(BPF_PROG_TYPE_KPROBE, "nothing", "GPL", kNothing.data(),
                                   kNothing.size(), &options));
  std::vector<Fd> links;
  for (const auto& [path, offsets] : places) {
    const std::vector<std::uint64_t> sites(offsets.begin(), offsets.end());
    const std::vector<std::uint64_t> cookies(sites.size());
    Result<Fd> link =
        link_uprobes({program.get(), UprobeLinkKind::kEntry, path, sites, cookies, pid});
    if (!link) return std::unexpected(link.error());
    links.push_back(std::move(*link));
  }
  return links;
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
  const auto places = probed_places(*pid);
  timed("detach", [&] { return program.stop(); });
  auto nothing = timed("kernel_attach", [&] { return link_nothing(*pid, places); });
  timed("kernel_detach", [&]() -> Result<void> {
    nothing->clear();
    return {};
  });
  return 0;
}
