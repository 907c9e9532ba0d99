// SPDX-License-Identifier: Apache-2.0
#include "collect/spans_collector.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "collect/span_plan.hpp"
#include "model/histogram.hpp"

namespace callscope {
namespace {

// One perf event a probe takes 0.25 s to detach.
constexpr std::size_t kMaxPerfEventProbes = 100;

Result<SpansProgram> try_mechanism(std::int32_t pid, const SpanPlan& plan, ProbeMechanism mechanism,
                                   std::uint32_t max_open) {
  if (mechanism == ProbeMechanism::kPerfEvent && plan.probes.size() > kMaxPerfEventProbes)
    return fail(ErrorCode::kUnsupported,
                fmt::format("this kernel offers perf-event uprobes only, at most {} of them; the "
                            "spans need {}",
                            kMaxPerfEventProbes, plan.probes.size()),
                "ask for fewer spans or markers");
  Result<SpansProgram> program =
      SpansProgram::load({.tgid = static_cast<std::uint32_t>(pid),
                          .n_spans = plan.n_spans,
                          .n_counted = static_cast<std::uint32_t>(plan.rows.size()) - plan.n_spans,
                          .named = plan.named,
                          .thread_keyed = plan.thread_keyed,
                          .max_open = max_open,
                          .mechanism = mechanism},
                         plan.sites);
  if (!program) return program;
  CS_TRY(program->attach(plan.probes));
  if (program->failures().empty()) return program;
  const ProbeFailure& failure = program->failures().front();
  const std::uint32_t row = plan.sites[failure.probe.cookie].span;
  return fail(ErrorCode::kNotPermitted,
              fmt::format("the kernel refuses a probe of {} at offset {:#x} of {}",
                          row < plan.rows.size() ? "'" + plan.rows[row].name + "'" : "the spans",
                          failure.probe.file_off, failure.probe.path),
              {}, failure.sys_errno);
}

void take_stats(const cs_span_stats& stats, SpanStats& out) {
  out.begun = stats.begun;
  if (out.to.empty()) return;
  out.finished = histogram_count(out.histogram);
  out.restarted = stats.restarted;
  out.unmatched = stats.unmatched;
  out.abandoned = stats.abandoned;
  out.lost = stats.lost;
  const std::uint64_t over = out.finished + out.restarted + out.abandoned + out.lost;
  out.open = out.begun - std::min(out.begun, over);
  out.sum_ns = stats.sum_ns;
  out.min_ns = out.finished == 0 ? 0 : ~stats.min_inv;
  out.max_ns = stats.max_ns;
}

}  // namespace

Result<SpansCollector> SpansCollector::start(std::int32_t pid, Symbolizer& symbolizer,
                                             const SpanRequest& request, const Options& options) {
  Result<SpanPlan> plan = plan_spans(pid, symbolizer, request);
  if (!plan) return std::unexpected(plan.error());
  const bool perf_event = options.mechanism == ProbeMechanism::kPerfEvent;
  const ProbeMechanism first = perf_event ? ProbeMechanism::kPerfEvent : ProbeMechanism::kMulti;
  ProbeMechanism used = first;
  Result<SpansProgram> program = try_mechanism(pid, *plan, first, options.max_open);
  if (!program && !options.mechanism && program.error().code == ErrorCode::kUnsupported) {
    plan->notes.push_back(fmt::format("spans are probed by {}: {}",
                                      mechanism_name(ProbeMechanism::kPerfEvent),
                                      program.error().message()));
    used = ProbeMechanism::kPerfEvent;
    program = try_mechanism(pid, *plan, used, options.max_open);
  }
  if (!program) return std::unexpected(program.error());
  return SpansCollector(std::move(*program), used, std::move(plan->rows), request,
                        std::move(plan->notes));
}

void SpansCollector::add_process(std::int32_t pid) {
  std::string note;
  if (mechanism_ == ProbeMechanism::kPerfEvent) {
    note = "spans and markers are seen in the first process only: perf-event uprobes go too slowly";
  } else if (const Result<void> added = program_.add_process(pid); !added) {
    note = fmt::format("spans and markers are not seen in process {}: {}", pid,
                       added.error().message());
  } else {
    return;
  }
  if (std::ranges::find(notes_, note) == notes_.end()) notes_.push_back(std::move(note));
}

// Names are added in the order in which they are found, so that a row keeps its place.
void SpansCollector::find_new_names() {
  for (const auto& [name, row] : program_.names()) {
    if (std::ranges::find(named_row_, row) != named_row_.end()) continue;
    const bool wanted = std::ranges::any_of(named_, [&](const std::string& glob) {
      return glob == name || ::fnmatch(glob.c_str(), name.c_str(), 0) == 0;
    });
    if (!wanted) continue;
    named_row_.push_back(row);
    SpanStats stats;
    stats.name = name;
    stats.from = "usdt:callscope:span_begin";
    stats.to = "usdt:callscope:span_end";
    stats.keyed_by = "object";
    rows_.push_back(std::move(stats));
  }
}

void SpansCollector::update(std::vector<SpanStats>& spans) {
  find_new_names();
  const std::size_t fixed = rows_.size() - named_row_.size();
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const auto row = i < fixed ? static_cast<std::uint32_t>(i) : named_row_[i - fixed];
    // The begins last: what is open cannot look negative while both are counting.
    if (!rows_[i].to.empty()) rows_[i].histogram = program_.histogram(row);
    take_stats(program_.stats(row), rows_[i]);
  }
  spans = rows_;
}

void SpansCollector::add_quality(std::vector<QualityItem>& quality) const {
  std::uint64_t lost = 0;
  for (const SpanStats& row : rows_) lost += row.lost;
  quality.push_back({"spans_lost", lost, true,
                     "spans not timed: too many were open at one time to remember them all"});
  const auto add = [&](cs_stat reason, const char* key, bool loss, const char* meaning) {
    quality.push_back({key, program_.counter(reason), loss, meaning});
  };
  add(CS_STAT_SPAN_BAD_SITE, "span_bad_site", true, "events of spans with an impossible id");
  add(CS_STAT_SPAN_KEY_UNREADABLE, "span_key_unreadable", true,
      "ends of spans missed: the argument that pairs them could not be read or kept");
  if (!named_.empty()) {
    add(CS_STAT_SPAN_NAME_UNREADABLE, "span_name_unreadable", true,
        "spans missed: their name could not be read");
    add(CS_STAT_SPAN_NAMES_FULL, "span_names_full", true,
        "spans missed: more than 256 different names");
    add(CS_STAT_SPAN_NAMED_UNMATCHED, "span_ends_without_begin", false,
        "ends of the program's own spans that began before the recording");
  }
  add(CS_STAT_MINMAX_CONTENDED, "span_minmax_contended", false,
      "spans missing in minimum or maximum: other CPUs wrote at the same time");
}

}  // namespace callscope
