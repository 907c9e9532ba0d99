// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "model/histogram.hpp"
#include "report/plain_text.hpp"
#include "report/text_sections.hpp"
#include "report/units.hpp"

namespace callscope {
namespace {

constexpr std::size_t kSpanLabelWidth = 32;  // wanted before columns are left out

std::string count_or_blank(std::uint64_t count) {
  return count == 0 ? std::string() : std::to_string(count);
}

// "job  enqueue .. finish by arg1"; spans that the program marks itself have their name only.
std::string label(const SpanStats& span) {
  if (span.keyed_by == "object") return printable(span.name);
  return printable(span.name + "  " + span.from + " .. " + span.to + " by " + span.keyed_by);
}

void add_span(TextTable& table, const SpanStats& span) {
  const auto percentile = [&](double p) {
    return format_ns(percentile_ns(span.histogram, p, span.min_ns, span.max_ns));
  };
  const bool timed = span.finished > 0;
  table.add_row(
      {std::to_string(span.finished), timed ? format_ns(span.sum_ns / span.finished) : "-",
       percentile(0.5), percentile(0.95), percentile(0.99), timed ? format_ns(span.max_ns) : "-",
       count_or_blank(span.open), count_or_blank(span.restarted), count_or_blank(span.unmatched),
       count_or_blank(span.abandoned), count_or_blank(span.lost), label(span)},
      span.lost > 0);
}

std::string legend(const std::vector<const SpanStats*>& spans, const Paint& paint) {
  const auto any = [&](std::uint64_t SpanStats::* count) {
    return std::ranges::any_of(spans, [&](const SpanStats* span) { return span->*count > 0; });
  };
  std::string text;
  const auto add = [&](std::uint64_t SpanStats::* count, const char* meaning) {
    if (any(count)) text += paint.dim(meaning) + "\n";
  };
  add(&SpanStats::open, "  open: not finished when the recording ended");
  add(&SpanStats::restarted, "  restarted: begun again before the end; the later beginning counts");
  add(&SpanStats::unmatched, "  unmatched: ends without a beginning in the recording");
  add(&SpanStats::abandoned, "  abandoned: begun by a thread that ended before the end");
  add(&SpanStats::lost, "  lost: too many were open to remember the beginning");
  return text;
}

std::string text_markers(const std::vector<const SpanStats*>& markers, const ReportOptions& options,
                         const Paint& paint) {
  TextTable table({{"hits"}, {"marker", Align::kLeft}});
  for (const SpanStats* marker : markers)
    table.add_row({std::to_string(marker->begun), printable(marker->from)});
  return paint.bold("MARKERS") + "\n" + table.write(options.width, paint);
}

}  // namespace

std::string text_spans(const Recording& recording, const ReportOptions& options,
                       const Paint& paint) {
  std::vector<const SpanStats*> spans;
  std::vector<const SpanStats*> markers;
  for (const SpanStats& span : recording.spans)
    (span.to.empty() ? markers : spans).push_back(&span);
  std::ranges::stable_sort(spans, std::greater{}, &SpanStats::sum_ns);
  std::string text;
  if (!spans.empty()) {
    TextTable table({{"finished"},
                     {"avg"},
                     {"p50", Align::kRight, false, 3},
                     {"p95", Align::kRight, false, 4},
                     {"p99"},
                     {"max", Align::kRight, false, 2},
                     {"open", Align::kRight, true, 5},
                     {"restarted", Align::kRight, true, 7},
                     {"unmatched", Align::kRight, true, 8},
                     {"abandoned", Align::kRight, true, 6},
                     {"lost", Align::kRight, true, 1},
                     {"span", Align::kLeft}});
    const std::size_t shown =
        options.top_functions == 0 ? spans.size() : std::min(spans.size(), options.top_functions);
    for (std::size_t i = 0; i < shown; ++i) add_span(table, *spans[i]);
    table.fit(options.width, kSpanLabelWidth);
    text += "\n" + paint.bold("SPANS") + "  by total time\n" +
            table.write(options.width, paint, 21) + legend(spans, paint);
    if (shown < spans.size()) text += fmt::format("  and {} more\n", spans.size() - shown);
  }
  if (!markers.empty()) text += "\n" + text_markers(markers, options, paint);
  return text;
}

}  // namespace callscope
