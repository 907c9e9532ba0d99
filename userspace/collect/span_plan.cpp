// SPDX-License-Identifier: Apache-2.0
#include "collect/span_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <tuple>

#include "collect/marker_finder.hpp"
#include "collect/probe_plan.hpp"
#include "probes/arguments.hpp"
#include "probes/function_plan.hpp"
#include "symbols/demangle.hpp"

namespace callscope {
namespace {

// What callscope/span.hpp calls its markers.
constexpr const char* kSpanBegin = "usdt:callscope:span_begin";
constexpr const char* kSpanEnd = "usdt:callscope:span_end";

constexpr cs_value kNoValue{CS_VALUE_NONE, 0, 1, 0, CS_NO_REGISTER, CS_NO_REGISTER, 0};
constexpr cs_value kThread{CS_VALUE_THREAD, 0, 1, 0, CS_NO_REGISTER, CS_NO_REGISTER, 0};
constexpr cs_value kKept{CS_VALUE_KEPT, 0, 1, 0, CS_NO_REGISTER, CS_NO_REGISTER, 0};

// The one function that a point names, with the modules it was found in.
struct ChosenFunction {
  std::vector<ProbeModule> modules;
  FoundFunction function;

  [[nodiscard]] const ProbeModule& module() const { return modules[function.module]; }
};

std::string listed(const std::vector<FoundFunction>& functions) {
  constexpr std::size_t kListed = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(functions.size(), kListed); ++i)
    text += (i == 0 ? "" : ", ") + demangle(functions[i].name, DemangleLevel::kFull);
  if (functions.size() > kListed) text += fmt::format(" and {} more", functions.size() - kListed);
  return text;
}

class SpanPlanner {
 public:
  SpanPlanner(std::int32_t pid, Symbolizer& symbolizer)
      : pid_(pid), symbolizer_(symbolizer), markers_(pid, symbolizer) {}

  Result<SpanPlan> run(const SpanRequest& request) {
    if (request.spans.size() > CS_SPANS_MAX)
      return fail(ErrorCode::kUsage, fmt::format("{} spans are too many", request.spans.size()),
                  fmt::format("at most {} at once", CS_SPANS_MAX));
    plan_.n_spans = static_cast<std::uint32_t>(request.spans.size());
    for (const SpanSpec& spec : request.spans) CS_TRY(add_span(spec));
    for (const UsdtPattern& pattern : request.counted) CS_TRY(add_counted(pattern));
    if (!request.named.empty()) CS_TRY(add_named());
    return std::move(plan_);
  }

 private:
  Result<void> add_span(const SpanSpec& spec) {
    row_ = static_cast<std::uint32_t>(plan_.rows.size());
    SpanStats stats;
    stats.name = spec.name;
    stats.from = spec.from.text;
    stats.to = spec.to.text;
    stats.keyed_by = spec.argument == 0 ? "thread" : fmt::format("arg{}", spec.argument);
    plan_.rows.push_back(std::move(stats));
    if (spec.argument == 0) plan_.thread_keyed |= std::uint64_t{1} << row_;
    for (const auto& [point, action] :
         {std::pair{&spec.from, CS_SPAN_BEGIN}, {&spec.to, CS_SPAN_END}})
      if (const Result<void> added = add_point(*point, action, spec.argument); !added)
        return fail(added.error().code, fmt::format("span '{}': {}", spec.name, added.error().what),
                    added.error().hint);
    return {};
  }

  Result<void> add_point(const SpanPoint& point, std::uint32_t action, unsigned argument) {
    if (const auto* const marker = std::get_if<UsdtPattern>(&point.place))
      return add_marker(*marker, action, argument);
    const FunctionPoint& wanted = std::get<FunctionPoint>(point.place);
    const Result<ChosenFunction> chosen = choose(wanted.pattern);
    if (!chosen) return std::unexpected(chosen.error());
    const cs_value key = argument == 0 ? kThread : function_argument(argument);
    const Probe entry{chosen->module().open_path, chosen->function.file_off};
    if (!wanted.at_exit) {
      add_site(entry, {row_, action, key, kNoValue});
      return {};
    }
    CS_TRY(add_exits(*chosen, action, argument == 0 ? kThread : kKept));
    if (argument != 0) add_site(entry, {row_, CS_SPAN_KEEP, key, kNoValue});
    return {};
  }

  Result<ChosenFunction> choose(const FunctionPattern& pattern) {
    ChosenFunction chosen{probe_modules(pid_, symbolizer_, {&pattern, 1}), {}};
    FindResult found = find_functions(chosen.modules, {&pattern, 1});
    if (found.functions.size() > 1)
      return fail(ErrorCode::kUsage,
                  fmt::format("'{}' is {} functions: {}", pattern.text(), found.functions.size(),
                              listed(found.functions)),
                  "name one of them, C++ overloads with their parameters");
    if (found.functions.empty() && !found.refused.empty())
      return fail(ErrorCode::kUnsupported, fmt::format("'{}' cannot be probed: {}", pattern.text(),
                                                       found.refused.front().reason));
    if (found.functions.empty()) {
      chosen.modules = probe_modules(pid_, symbolizer_, {});  // to say where the name might be
      found = find_functions(chosen.modules, {&pattern, 1});
      return fail(ErrorCode::kUsage, found.unmatched.empty()
                                         ? "no function matches '" + pattern.text() + "'"
                                         : found.unmatched.front());
    }
    chosen.function = std::move(found.functions.front());
    return chosen;
  }

  Result<void> add_exits(const ChosenFunction& chosen, std::uint32_t action, const cs_value& key) {
    const std::string name = demangle(chosen.function.name, DemangleLevel::kSimple);
    const std::string hint = fmt::format("name {}@entry instead", name);
    const ProbeModule& module = chosen.module();
    ModuleCode code(module);
    PlanRules rules;
    rules.best = ExitMode::kRetSite;
    const FunctionPlan plan = plan_function(chosen.function, code, rules);
    if (plan.exit != ExitMode::kRetSite)
      return fail(ErrorCode::kUnsupported,
                  fmt::format("where {} is left cannot be seen: it {}", name, plan.why_not_better),
                  hint);
    if (plan.exits.empty()) return fail(ErrorCode::kUnsupported, name + " never returns", hint);
    for (const ExitSite& site : plan.exits)
      if (const auto file_off = module.image->vaddr_to_file_off(site.addr))
        add_site({module.open_path, *file_off}, {row_, action, key, kNoValue});
    const auto jumps = std::ranges::count_if(plan.exits, &ExitSite::tail_jump);
    if (jumps != 0)
      plan_.notes.push_back(
          fmt::format("span '{}': {} may be left by a jump to another function; what that one does "
                      "is outside",
                      plan_.rows[row_].name, name));
    return {};
  }

  Result<void> add_marker(const UsdtPattern& pattern, std::uint32_t action, unsigned argument) {
    const Result<std::vector<PlacedMarker>> found = markers_.find(pattern);
    if (!found) return std::unexpected(found.error());
    std::set<std::string> names;
    for (const PlacedMarker& placed : *found) names.insert(marker_text(placed.marker));
    if (names.size() > 1)
      return fail(ErrorCode::kUsage,
                  fmt::format("'{}' is {} markers: {}, {} ...", pattern.text(), names.size(),
                              *names.begin(), *std::next(names.begin())),
                  "name one of them");
    for (const PlacedMarker& placed : *found) {
      cs_value key = kThread;
      if (argument != 0) {
        const Result<cs_value> place = argument_of(placed, argument);
        if (!place) return std::unexpected(place.error());
        key = *place;
      }
      add_site(probe_of(placed), {row_, action, key, kNoValue});
    }
    return {};
  }

  Result<void> add_counted(const UsdtPattern& pattern) {
    const Result<std::vector<PlacedMarker>> found = markers_.find(pattern);
    if (!found) return std::unexpected(found.error());
    for (const PlacedMarker& placed : *found) {
      const std::string from = marker_text(placed.marker);
      auto row = std::find_if(plan_.rows.begin() + plan_.n_spans, plan_.rows.end(),
                              [&](const SpanStats& stats) { return stats.from == from; });
      if (row == plan_.rows.end()) {
        SpanStats stats;
        stats.name = placed.marker.provider + ":" + placed.marker.name;
        stats.from = from;
        row = plan_.rows.insert(plan_.rows.end(), std::move(stats));
      }
      row_ = static_cast<std::uint32_t>(row - plan_.rows.begin());
      add_site(probe_of(placed), {row_, CS_SPAN_COUNT, kNoValue, kNoValue});
    }
    return {};
  }

  Result<void> add_named() {
    plan_.named = true;
    row_ = CS_SPAN_BY_NAME;
    const Result<std::vector<PlacedMarker>> begins = markers_.find(*UsdtPattern::parse(kSpanBegin));
    const Result<std::vector<PlacedMarker>> ends = markers_.find(*UsdtPattern::parse(kSpanEnd));
    if (!begins || !ends)
      return fail(ErrorCode::kUsage, "the target marks no spans itself",
                  "they come from callscope/span.hpp in its source; between two functions a span "
                  "is NAME=FROM..TO");
    for (const PlacedMarker& begin : *begins) {
      const Result<cs_value> name = argument_of(begin, 1);
      const Result<cs_value> key = argument_of(begin, 2);
      if (!name) return std::unexpected(name.error());
      if (!key) return std::unexpected(key.error());
      add_site(probe_of(begin), {row_, CS_SPAN_BEGIN, *key, *name});
    }
    for (const PlacedMarker& end : *ends) {
      const Result<cs_value> key = argument_of(end, 1);
      if (!key) return std::unexpected(key.error());
      add_site(probe_of(end), {row_, CS_SPAN_END, *key, kNoValue});
    }
    return {};
  }

  static Probe probe_of(const PlacedMarker& placed) {
    return {placed.open_path, placed.marker.file_off, 0, placed.marker.semaphore_off};
  }

  static Result<cs_value> argument_of(const PlacedMarker& placed, unsigned number) {
    const auto variable = [&](std::string_view name) -> std::optional<std::uint64_t> {
      const ModuleSymbols* const symbols = placed.module->symbols();
      if (symbols == nullptr) return std::nullopt;
      for (const Symbol& symbol : symbols->table().data_symbols())
        if (symbol.name == name) return symbol.addr;
      return std::nullopt;
    };
    const Result<cs_value> value =
        marker_argument(placed.marker.arguments, number, placed.marker.addr, variable);
    if (value) return *value;
    return fail(value.error().code,
                fmt::format("marker {}: {}", marker_text(placed.marker), value.error().what),
                value.error().hint);
  }

  // A span may have both ends, or an end and a kept argument, at one place: then one probe does all
  // of it, in the right order.
  void add_site(Probe probe, const cs_span_site& site) {
    const auto same = [&](const Probe& other) {
      const cs_span_site& there = plan_.sites[other.cookie];
      return other.file_off == probe.file_off && other.path == probe.path &&
             there.span == site.span && std::memcmp(&there.key, &site.key, sizeof(site.key)) == 0;
    };
    const auto found = std::ranges::find_if(plan_.probes, same);
    if (found != plan_.probes.end()) {
      plan_.sites[found->cookie].actions |= site.actions;
      return;
    }
    probe.cookie = plan_.sites.size();
    plan_.sites.push_back(site);
    plan_.probes.push_back(std::move(probe));
  }

  std::int32_t pid_;
  Symbolizer& symbolizer_;
  MarkerFinder markers_;
  std::uint32_t row_ = 0;  // that sites are added to
  SpanPlan plan_;
};

}  // namespace

Result<SpanPlan> plan_spans(std::int32_t pid, Symbolizer& symbolizer, const SpanRequest& request) {
  return SpanPlanner(pid, symbolizer).run(request);
}

}  // namespace callscope
