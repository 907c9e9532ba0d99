// SPDX-License-Identifier: Apache-2.0
// What CallTracer answers while it records: code that comes and goes, children, the end of
// processes.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "callscope/abi/call_cookie.h"
#include "collect/call_tracer.hpp"
#include "sys/clock.hpp"

namespace callscope {
namespace {

// A forked child that lives this long without executing another program is a worker.
constexpr std::uint64_t kWorkerNs = 100'000'000;

std::vector<Mapping> mappings_of(const ProcessMaps* process) {
  std::vector<Mapping> maps;
  if (process == nullptr) return maps;
  for (const CodeMapping& code : process->mappings()) maps.push_back(code.mapping);
  return maps;
}

}  // namespace

Result<void> CallTracer::handle(const cs_process_record& record) {
  const auto pid = static_cast<std::int32_t>(record.tgid);
  switch (record.kind) {
    case CS_RECORD_FORK:
      return on_fork(pid, static_cast<std::int32_t>(record.parent_tgid));
    case CS_RECORD_EXEC:
      if (const auto traced = processes_.find(pid); traced != processes_.end()) {
        traced->second.forked_ns = 0;
        describe(pid);
      }
      changed_.insert(pid);
      ++announced_;
      return {};
    default:
      calls_->program().links().remove_process(pid);
      processes_.erase(pid);
      return {};
  }
}

// Libraries were loaded or unloaded, or another program was executed.
Result<void> CallTracer::on_code_change(std::int32_t pid) {
  const auto found_process = processes_.find(pid);
  if (found_process == processes_.end()) return {};
  Traced& traced = found_process->second;
  if (!symbolizer_.refresh(pid)) return {};  // gone: its probes are, too
  if (new_modules(traced.searched, mappings_of(symbolizer_.process(pid))).empty()) return {};
  const bool was_hooked = traced.hooked;
  if (!judge(pid, traced)) return {};
  if (traced.policy.best != ExitMode::kUretprobe)
    CS_TRY(end_return_probes(pid, traced, traced.policy.reason));
  if (!was_hooked) CS_TRY(attach_hooks(pid, traced));
  return attach_new_functions(pid, traced);
}

Result<void> CallTracer::attach_new_functions(std::int32_t pid, Traced& traced) {
  if (options_.patterns.empty()) return {};
  Result<FoundFunctions> found = find_probed_functions(pid, symbolizer_, options_.patterns);
  if (!found) return {};  // what is executed now has none of them
  std::erase_if(found->functions, [&](const FoundFunction& function) {
    const ProbeModule& module = found->modules[function.module];
    const std::uint32_t id = symbolizer_.module_id(ModuleKind::kElf, module.path, module.build_id);
    const auto known = calls_->registry().find(id, function.addr);
    return known && traced.attached.contains(*known);
  });
  if (found->functions.empty()) return {};
  note(fmt::format("{} functions are probed in process {} since {:.1f} s, when it loaded {}",
                   found->functions.size(), pid, seconds(),
                   file_name(found->modules[found->functions.front().module].path)));
  found->notes.clear();
  return attach_functions(pid, traced, std::move(*found));
}

// Several processes: where two of them have a probe on the same instruction, the kernel arms the
// return probe of one in the other, whatever that one does with its stack (bpf/uprobe_links.hpp).
Result<void> CallTracer::keep_to_exit_sites() {
  for (auto& [pid, traced] : processes_) {
    if (traced.policy.forced) continue;
    traced.policy.return_probes_where_proven = false;
    if (traced.policy.best == ExitMode::kUretprobe) {
      traced.policy.best = ExitMode::kRetSite;
      traced.policy.reason = "calls end at probed ret instructions: several processes are recorded";
    }
    CS_TRY(end_return_probes(pid, traced, "several processes are recorded"));
  }
  return {};
}

// From now on the calls of this process end at probed ret instructions.
Result<void> CallTracer::end_return_probes(std::int32_t pid, Traced& traced,
                                           const std::string& why) {
  if (traced.returning.empty()) return {};
  ExitPolicy policy = traced.policy;
  if (policy.best == ExitMode::kUretprobe) policy.best = ExitMode::kRetSite;
  traced.returning.clear();
  for (const FoundFunctions& found : traced.found) {
    const ProbePlan plan = this->plan(found, policy);
    CS_TRY(calls_->replace_return_probes(pid, plan));
    for (const Probe& probe : plan.probes.return_probed)
      traced.returning.insert(cs_cookie_func(probe.cookie));
  }
  note(fmt::format("return probes were given up at {:.1f} s in process {}: {}", seconds(), pid,
                   why));
  return {};
}

Result<void> CallTracer::on_fork(std::int32_t child, std::int32_t parent) {
  const auto known = processes_.find(parent);
  if (known == processes_.end() || processes_.contains(child)) return {};
  symbolizer_.adopt(child, parent);
  Traced traced = known->second;
  traced.parent = parent;
  traced.forked_ns = monotonic_ns();
  if (!options_.follow_children) {
    traced.attached.clear();
    processes_.emplace(child, std::move(traced));
    return {};
  }
  if (Result<void> copied = calls_->program().links().copy_process(parent, child); !copied)
    return {};  // it has ended already
  note(
      "children count from when their probes stand, a moment after the fork: what they called "
      "before is missing");
  begin(child, processes_.emplace(child, std::move(traced)).first->second);
  return {};
}

// A forked child has its parent's breakpoints, and its return probes cannot be held back: the
// kernel does not ask us there. Before a worker loads anything they must go.
Result<void> CallTracer::housekeep(std::uint64_t now_ns) {
  CS_TRY(calls_->keep_budget(now_ns));
  // A change whose record was lost: all are looked at.
  const std::uint32_t changes = calls_->program().code_changes();
  if (std::exchange(overdue_, changes != announced_) && changes != announced_) {
    for (const auto& [pid, traced] : processes_) changed_.insert(pid);
    announced_ = changes;
    CS_TRY(drain());
  }
  for (auto& [pid, traced] : processes_) {
    if (traced.forked_ns == 0 || now_ns - traced.forked_ns < kWorkerNs) continue;
    traced.forked_ns = 0;
    const auto parent = processes_.find(traced.parent);
    if (traced.facts.loaders.empty() || traced.policy.forced) continue;
    const std::string why = "it has a worker process that may load code";
    if (parent != processes_.end()) CS_TRY(end_return_probes(parent->first, parent->second, why));
    if (options_.follow_children) CS_TRY(end_return_probes(pid, traced, why));
  }
  return {};
}

}  // namespace callscope
