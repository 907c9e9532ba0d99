// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "callscope/abi/histogram.h"
#include "callscope/names.hpp"
#include "model/call_tree.hpp"
#include "model/function_table.hpp"
#include "report/frame_label.hpp"
#include "report/function_columns.hpp"
#include "report/json_sections.hpp"

namespace callscope {
namespace {

Json histogram_json(const FunctionStats& function) {
  Json slots = Json::array();
  for (const auto& [slot, count] : function.histogram) {
    slots.push_back({{"low_ns", cs_hist_slot_low(slot)},
                     {"high_ns", cs_hist_slot_low(slot + 1)},
                     {"count", count}});
  }
  return slots;
}

Json text_or_null(std::string_view text) { return text.empty() ? Json(nullptr) : Json(text); }

// Moments since the start; 0 stands for never.
Json moment_or_null(std::uint64_t ns) { return ns == 0 ? Json(nullptr) : Json(ns); }

void add_split(Json& object, const std::string& prefix, const std::optional<TimeSplit>& split) {
  const auto member = [&](std::uint64_t TimeSplit::* m) {
    return split ? Json((*split).*m) : Json(nullptr);
  };
  object[prefix + "on_cpu_ns"] = member(&TimeSplit::on_cpu_ns);
  object[prefix + "runq_ns"] = member(&TimeSplit::runq_ns);
  object[prefix + "blocked_ns"] = member(&TimeSplit::blocked_ns);
}

Json caller_json(const Recording& recording, const Caller& caller) {
  return {
      {"id", value_or_null(caller.function)},
      {"name", caller.function ? Json(recording.functions[*caller.function].name) : Json(nullptr)},
      {"calls", caller.sums.calls},
      {"unwound", caller.sums.unwound},
      {"total_ns", caller.sums.total_ns},
      {"self_ns", caller.sums.self_ns},
      {"max_ns", caller.sums.max_ns}};
}

void add_probe(Json& object, const FunctionStats& f, const FunctionRow& row) {
  object["exit"] = name_of(f.exit);
  object["site_addr"] = f.site_addr == 0 ? Json(nullptr) : Json(f.site_addr);
  object["entry_class"] = text_or_null(entry_class_name(f));
  object["exit_class"] = text_or_null(exit_class_name(f));
  object["inlined_copies"] = f.inlined_copies;
  object["probe_cost_ns"] = f.probe_cost_ns;
  object["probe_time_ns"] = row.probe_time_ns;
  object["costly"] = row.costly;
  object["sample_every"] = f.sample_every;
  object["untimed_ns"] = moment_or_null(f.untimed_ns);
  object["attached_ns"] = moment_or_null(f.attached_ns);
  object["detached_ns"] = moment_or_null(f.detached_ns);
}

Json function_json(const Recording& recording, const FunctionRow& row,
                   const std::vector<Caller>& callers) {
  const FunctionStats& f = *row.stats;
  Json object = {{"id", row.function},
                 {"name", f.name},
                 {"module", recording.modules[f.module].path},
                 {"aliases", f.aliases},
                 {"addr", f.addr},
                 {"size_bytes", f.size_bytes},
                 {"file", f.file.empty() ? Json(nullptr) : Json(f.file)},
                 {"line", f.line == 0 ? Json(nullptr) : Json(f.line)},
                 {"calls", f.calls},
                 {"returns", f.returns},
                 {"unwound", f.unwound},
                 {"threw", value_or_null(row.threw)},
                 {"running", f.running},
                 {"untimed", f.untimed},
                 {"skipped", f.skipped},
                 {"tail_exits", f.tail_exits},
                 {"unwound_share", value_or_null(row.unwound_share)},
                 {"total_ns", value_or_null(row.total_ns)},
                 {"self_ns", value_or_null(row.self_ns)}};
  add_split(object, "", row.total_split);
  add_split(object, "self_", row.self_split);
  object["estimated_total_ns"] = value_or_null(row.estimated_total_ns);
  object["estimated_self_ns"] = value_or_null(row.estimated_self_ns);
  const std::array times = {std::pair{"avg_ns", row.avg_ns}, std::pair{"min_ns", row.min_ns},
                            std::pair{"max_ns", row.max_ns}, std::pair{"p50_ns", row.p50_ns},
                            std::pair{"p90_ns", row.p90_ns}, std::pair{"p95_ns", row.p95_ns},
                            std::pair{"p99_ns", row.p99_ns}, std::pair{"p999_ns", row.p999_ns}};
  for (const auto& [name, value] : times) object[name] = value_or_null(value);
  add_probe(object, f, row);
  object["histogram"] = histogram_json(f);
  Json list = Json::array();
  for (const Caller& caller : callers) list.push_back(caller_json(recording, caller));
  object["callers"] = std::move(list);
  return object;
}

// Root first, as in the stacks of the CPU samples; null: no stack was taken.
Json stack_json(const Recording& recording, const SlowCall& call) {
  if (!call.stack) return nullptr;
  const Stack& stack = recording.stacks[*call.stack];
  Json frames = Json::array();
  for (auto id = stack.frames.rbegin(); id != stack.frames.rend(); ++id) {
    frames.push_back(folded_label(recording, recording.frames[*id]));
  }
  return frames;
}

}  // namespace

Json functions_json(const Recording& recording, const ReportOptions& options) {
  const std::vector<std::vector<Caller>> callers = callers_by_function(recording);
  Json functions = Json::array();
  for (const FunctionRow& row : function_table(recording, options.sort)) {
    functions.push_back(function_json(recording, row, callers[row.function]));
  }
  return functions;
}

Json call_tree_json(const Recording& recording) {
  Json nodes = Json::array();
  for (const CallNode& n : recording.call_nodes) {
    nodes.push_back({{"id", n.id},
                     {"parent", n.parent == CallNode::kNoParent ? Json(nullptr) : Json(n.parent)},
                     {"function", n.function},
                     {"tid", recording.calls_by_thread ? Json(n.tid) : Json(nullptr)},
                     {"recursive", n.recursive},
                     {"calls", n.calls},
                     {"unwound", n.unwound},
                     {"total_ns", n.total_ns},
                     {"self_ns", n.self_ns},
                     {"max_ns", n.max_ns},
                     {"blocked_ns", n.blocked_ns},
                     {"runq_ns", n.runq_ns},
                     {"self_blocked_ns", n.self_blocked_ns},
                     {"self_runq_ns", n.self_runq_ns}});
  }
  return nodes;
}

// Slots are pairs here, since there are many: [low_ns, count].
Json latency_columns_json(const Recording& recording) {
  Json columns = Json::array();
  for (const LatencyColumn& c : recording.latency_columns) {
    Json slots = Json::array();
    for (const auto& [slot, count] : c.histogram) {
      slots.push_back(Json::array({cs_hist_slot_low(slot), count}));
    }
    columns.push_back(
        {{"function", c.function}, {"second", c.second}, {"histogram", std::move(slots)}});
  }
  return columns;
}

// Arguments are hexadecimal texts: many readers of JSON keep only 53 bits of a number.
Json slow_calls_json(const Recording& recording) {
  Json calls = Json::array();
  for (const SlowCall& s : recording.slow_calls) {
    Json args = Json::array();
    for (const auto& arg : s.args) {
      args.push_back(arg ? Json(fmt::format("{:#x}", *arg)) : Json(nullptr));
    }
    const std::uint64_t off_ns = s.blocked_ns + s.runq_ns;
    calls.push_back({{"function", s.function},
                     {"name", recording.functions[s.function].name},
                     {"pid", s.pid},
                     {"tid", s.tid},
                     {"t_ns", s.t_ns},
                     {"duration_ns", s.duration_ns},
                     {"on_cpu_ns", s.duration_ns > off_ns ? s.duration_ns - off_ns : 0},
                     {"blocked_ns", s.blocked_ns},
                     {"runq_ns", s.runq_ns},
                     {"args", std::move(args)},
                     {"stack", stack_json(recording, s)}});
  }
  return calls;
}

Json probe_costs_json(const ProbeCosts& costs) {
  const auto measured = [](std::uint64_t ns) { return ns == 0 ? Json(nullptr) : Json(ns); };
  return {{"emulated_entry_ns", measured(costs.emulated_entry_ns)},
          {"stepped_entry_ns", measured(costs.stepped_entry_ns)},
          {"return_ns", measured(costs.return_ns)},
          {"emulated_exit_ns", measured(costs.emulated_exit_ns)},
          {"stepped_exit_ns", measured(costs.stepped_exit_ns)},
          {"counted_entry_ns", measured(costs.counted_entry_ns)}};
}

}  // namespace callscope
