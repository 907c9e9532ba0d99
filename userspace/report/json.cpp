// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "callscope/abi/histogram.h"
#include "model/function_table.hpp"
#include "model/quality.hpp"
#include "model/resource_summary.hpp"
#include "model/stack_summary.hpp"
#include "report/exit_mode.hpp"
#include "report/frame_label.hpp"
#include "report/json_spans.hpp"
#include "report/renderer.hpp"

namespace callscope {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json value_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

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
  constexpr std::array kKinds = {"elf", "kernel", "vdso", "jit", "unknown"};
  return {{"path", module.path},
          {"kind", kKinds[static_cast<std::size_t>(module.kind)]},
          {"build_id", module.build_id}};
}

Json histogram_json(const FunctionStats& function) {
  Json slots = Json::array();
  for (const auto& [slot, count] : function.histogram) {
    slots.push_back({{"low_ns", cs_hist_slot_low(slot)},
                     {"high_ns", cs_hist_slot_low(slot + 1)},
                     {"count", count}});
  }
  return slots;
}

Json function_json(const Recording& recording, const FunctionRow& row) {
  const FunctionStats& f = *row.stats;
  return {{"name", f.name},
          {"module", recording.modules[f.module].path},
          {"aliases", f.aliases},
          {"addr", f.addr},
          {"size_bytes", f.size_bytes},
          {"calls", f.calls},
          {"returns", f.returns},
          {"unwound", f.unwound},
          {"running", f.running},
          {"untimed", f.untimed},
          {"tail_exits", f.tail_exits},
          {"total_ns", value_or_null(row.total_ns)},
          {"self_ns", value_or_null(row.self_ns)},
          {"avg_ns", value_or_null(row.avg_ns)},
          {"min_ns", value_or_null(row.min_ns)},
          {"max_ns", value_or_null(row.max_ns)},
          {"p50_ns", value_or_null(row.p50_ns)},
          {"p90_ns", value_or_null(row.p90_ns)},
          {"p95_ns", value_or_null(row.p95_ns)},
          {"p99_ns", value_or_null(row.p99_ns)},
          {"p999_ns", value_or_null(row.p999_ns)},
          {"exit", exit_mode_name(f.exit)},
          {"probe_cost_ns", f.probe_cost_ns},
          {"histogram", histogram_json(f)}};
}

Json stack_json(const Recording& recording, const StackCount& counted) {
  const Stack& stack = recording.stacks[counted.stack];
  Json frames = Json::array();
  for (auto id = stack.frames.rbegin(); id != stack.frames.rend(); ++id) {
    frames.push_back(folded_label(recording, recording.frames[*id]));
  }
  Json threads = Json::array();
  for (const CpuSamples& s : counted.threads) {
    threads.push_back({{"pid", s.pid}, {"tid", s.tid}, {"count", s.count}});
  }
  return {{"frames", std::move(frames)},
          {"count", counted.count},
          {"truncated", stack.truncated},
          {"threads", std::move(threads)}};
}

Json cpu_json(const Recording& recording) {
  const StackSummary summary = summarize_stacks(recording);
  Json stacks = Json::array();
  for (const StackCount& counted : summary.stacks) {
    stacks.push_back(stack_json(recording, counted));
  }
  Json functions = Json::array();
  for (const FunctionShare& f : summary.functions) {
    functions.push_back({{"name", f.name.empty() ? Json(nullptr) : Json(f.name)},
                         {"module", recording.modules[f.module].path},
                         {"self", f.self},
                         {"total", f.total}});
  }
  return {{"hz", recording.sample_hz},
          {"event", recording.sample_event},
          {"samples", summary.samples},
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
  Json functions = Json::array();
  for (const FunctionRow& row : function_table(recording, options.sort)) {
    functions.push_back(function_json(recording, row));
  }
  Json modules = Json::array();
  for (const Module& module : recording.modules) modules.push_back(module_json(module));
  Json threads = Json::array();
  for (const Thread& t : recording.threads) {
    threads.push_back({{"pid", t.pid}, {"tid", t.tid}, {"comm", t.comm}});
  }
  const Json report = {{"schema", "callscope.report/1"},
                       {"tool_version", recording.tool_version},
                       {"start_unix_ns", recording.start_unix_ns},
                       {"duration_ns", recording.duration_ns},
                       {"finished", recording.finished},
                       {"host", host_json(recording.host)},
                       {"target", target_json(recording.target)},
                       {"probe_mechanism", recording.probe_mechanism},
                       {"modules", std::move(modules)},
                       {"threads", std::move(threads)},
                       {"functions", std::move(functions)},
                       {"spans", spans_json(recording)},
                       {"cpu", cpu_json(recording)},
                       {"resources", resources_json(recording)},
                       {"quality", quality_json(recording)},
                       {"notes", recording.notes}};
  // Names may hold bytes that are not UTF-8; JSON cannot, so they become U+FFFD.
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace callscope
