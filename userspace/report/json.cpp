// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "callscope/names.hpp"
#include "model/quality.hpp"
#include "model/resource_summary.hpp"
#include "model/stack_summary.hpp"
#include "report/json_sections.hpp"
#include "report/json_spans.hpp"
#include "report/json_stacks.hpp"
#include "report/renderer.hpp"

namespace callscope {
namespace {

Json host_json(const Host& host) {
  return {{"kernel", host.kernel},     {"machine", host.machine},
          {"hostname", host.hostname}, {"cpu_model", host.cpu_model},
          {"cpus", host.cpus},         {"memory_bytes", host.memory_bytes}};
}

Json target_json(const Target& target) {
  return {{"pid", target.pid},
          {"comm", target.comm},
          {"exe", target.exe},
          {"cmdline", target.cmdline},
          {"build_id", target.build_id},
          {"launched", target.launched},
          {"exit_status", value_or_null(target.exit_status)},
          {"ended_by", target.ended_by}};
}

Json module_json(const Module& module) {
  return {{"path", module.path}, {"kind", name_of(module.kind)}, {"build_id", module.build_id}};
}

Json process_json(const ProcessInfo& process) {
  return {{"pid", process.pid},
          {"parent_pid", process.parent_pid == 0 ? Json(nullptr) : Json(process.parent_pid)},
          {"comm", process.comm},
          {"since_ns", process.since_ns},
          {"timed", process.timed}};
}

Json counted_stack_json(const Recording& recording, const StackCount& counted) {
  Json threads = Json::array();
  for (const CpuSamples& s : counted.threads) {
    threads.push_back(
        {{"pid", s.pid}, {"tid", s.tid}, {"count", s.count}, {"slow_count", s.slow_count}});
  }
  Json stack = stack_json(recording, recording.stacks[counted.stack]);
  stack.update({{"count", counted.count},
                {"slow_count", counted.slow_count},
                {"threads", std::move(threads)}});
  return stack;
}

Json cpu_json(const Recording& recording) {
  const StackSummary summary = summarize_stacks(recording);
  Json stacks = Json::array();
  for (const StackCount& counted : summary.stacks) {
    stacks.push_back(counted_stack_json(recording, counted));
  }
  Json functions = Json::array();
  for (const FunctionShare& f : summary.functions) {
    functions.push_back({{"name", f.name.empty() ? Json(nullptr) : Json(f.name)},
                         {"module", recording.modules[f.module].path},
                         {"inlined", f.inlined},
                         {"self", f.self},
                         {"total", f.total}});
  }
  return {{"hz", recording.sample_hz},
          {"event", recording.sample_event},
          {"samples", summary.samples},
          {"slow_samples", summary.slow_samples},
          {"kernel_samples", summary.kernel_leaf},
          {"user_samples", summary.with_user},
          {"reaching_start_samples", summary.reaching_start},
          {"truncated_samples", summary.truncated},
          {"unresolved_samples", summary.unresolved_any},
          {"functions", std::move(functions)},
          {"stacks", std::move(stacks)}};
}

Json snapshot_json(const ResourceSnapshot& s) {
  return {{"t_ns", s.t_ns},
          {"rss_bytes", s.rss_bytes},
          {"vms_bytes", s.vms_bytes},
          {"pss_bytes", s.pss_bytes},
          {"swap_bytes", s.swap_bytes},
          {"minor_faults", s.minor_faults},
          {"major_faults", s.major_faults},
          {"threads", s.threads},
          {"fds", s.fds},
          {"fd_files", s.fd_files},
          {"fd_sockets", s.fd_sockets},
          {"fd_pipes", s.fd_pipes},
          {"fd_anon", s.fd_anon},
          {"fd_other", s.fd_other},
          {"utime_ns", s.utime_ns},
          {"stime_ns", s.stime_ns},
          {"voluntary_switches", s.voluntary_switches},
          {"involuntary_switches", s.involuntary_switches},
          {"read_bytes", s.read_bytes},
          {"written_bytes", s.written_bytes}};
}

Json resources_json(const Recording& recording) {
  const ResourceSummary summary = summarize_resources(recording.snapshots);
  Json growth = Json::object();
  for (const GaugeSummary& gauge : summary.gauges) {
    growth[std::string(gauge.name)] = value_or_null(gauge.per_minute);
  }
  Json rates = Json::object();
  for (const RateSummary& rate : summary.rates) {
    rates[std::string(rate.name)] = value_or_null(rate.per_second);
  }
  Json snapshots = Json::array();
  for (const ResourceSnapshot& s : recording.snapshots) snapshots.push_back(snapshot_json(s));
  return {{"growth_per_minute", std::move(growth)},
          {"per_second", std::move(rates)},
          {"cpu_user", value_or_null(summary.cpu_user)},
          {"cpu_system", value_or_null(summary.cpu_system)},
          {"snapshots", std::move(snapshots)}};
}

Json quality_json(const Recording& recording) {
  const std::vector<QualityItem> items = quality_items(recording);
  Json listed = Json::array();
  for (const QualityItem& item : items) {
    listed.push_back(
        {{"key", item.key}, {"value", item.value}, {"loss", item.loss}, {"meaning", item.meaning}});
  }
  return {{"complete", incompleteness(items).empty()}, {"items", std::move(listed)}};
}

}  // namespace

std::string render_json(const Recording& recording, const ReportOptions& options) {
  Json modules = Json::array();
  for (const Module& module : recording.modules) modules.push_back(module_json(module));
  Json threads = Json::array();
  for (const Thread& t : recording.threads) {
    threads.push_back({{"pid", t.pid}, {"tid", t.tid}, {"comm", t.comm}});
  }
  Json processes = Json::array();
  for (const ProcessInfo& p : recording.processes) processes.push_back(process_json(p));
  const Json report = {{"schema", "callscope.report/1"},
                       {"tool_version", recording.tool_version},
                       {"start_unix_ns", recording.start_unix_ns},
                       {"duration_ns", recording.duration_ns},
                       {"finished", recording.finished},
                       {"host", host_json(recording.host)},
                       {"target", target_json(recording.target)},
                       {"processes", std::move(processes)},
                       {"probe_mechanism", recording.probe_mechanism},
                       {"probe_costs", probe_costs_json(recording.probe_costs)},
                       {"budget_percent", recording.budget_percent},
                       {"calls_by_thread", recording.calls_by_thread},
                       {"off_cpu_split", recording.off_cpu_split},
                       {"modules", std::move(modules)},
                       {"threads", std::move(threads)},
                       {"functions", functions_json(recording, options)},
                       {"spans", spans_json(recording)},
                       {"call_tree", call_tree_json(recording)},
                       {"slow_calls", slow_calls_json(recording)},
                       {"latency_columns", latency_columns_json(recording)},
                       {"cpu", cpu_json(recording)},
                       {"off_cpu", off_cpu_json(recording)},
                       {"page_faults", page_faults_json(recording)},
                       {"resources", resources_json(recording)},
                       {"quality", quality_json(recording)},
                       {"notes", recording.notes}};
  // Names may hold bytes that are not UTF-8; JSON cannot, so they become U+FFFD.
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace callscope
