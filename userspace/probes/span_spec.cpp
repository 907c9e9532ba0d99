// SPDX-License-Identifier: Apache-2.0
#include "probes/span_spec.hpp"

#include <algorithm>
#include <optional>

#include "probes/arguments.hpp"
#include "sys/parse_number.hpp"

namespace callscope {
namespace {

constexpr const char* kForms =
    "use NAME=FROM..TO, NAME=FROM..TO:arg1, or the name of spans that the program marks itself";

std::unexpected<Error> refuse(std::string_view text, const std::string& why,
                              std::string hint = kForms) {
  return fail(ErrorCode::kUsage, "'" + std::string(text) + "' is no span: " + why, std::move(hint));
}

// Position of the two dots between FROM and TO: not of the three in "f(int...)".
std::size_t find_dots(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && text[end] == '.') ++end;
    if (end - i == 2) return i;
    i = std::max(end, i + 1);
  }
  return std::string_view::npos;
}

// The number behind a last ":argN", which is taken off the text; nothing if there is none.
std::optional<std::string_view> take_argument(std::string_view& text) {
  constexpr std::string_view kMark = ":arg";
  const std::size_t mark = text.rfind(kMark);
  if (mark == text.npos) return std::nullopt;
  const std::string_view number = text.substr(mark + kMark.size());
  if (number.empty() || number.find_first_not_of("0123456789") != number.npos) return std::nullopt;
  text = text.substr(0, mark);
  return number;
}

Result<SpanPoint> parse_point(std::string_view text, bool exit_by_default) {
  SpanPoint point{std::string(text), UsdtPattern()};
  if (UsdtPattern::is_one(text)) {
    Result<UsdtPattern> marker = UsdtPattern::parse(text);
    if (!marker) return std::unexpected(marker.error());
    point.place = std::move(*marker);
    return point;
  }
  bool at_exit = exit_by_default;
  for (const auto& [suffix, is_exit] : {std::pair{"@entry", false}, std::pair{"@exit", true}}) {
    if (!text.ends_with(suffix)) continue;
    text.remove_suffix(std::string_view(suffix).size());
    at_exit = is_exit;
  }
  Result<FunctionPattern> function = FunctionPattern::parse(text);
  if (!function) return std::unexpected(function.error());
  point.place = FunctionPoint{std::move(*function), at_exit};
  return point;
}

}  // namespace

Result<void> add_span(SpanRequest& request, std::string_view text) {
  const std::size_t equals = text.find('=');
  std::string_view points = equals == text.npos ? text : text.substr(equals + 1);
  if (equals == text.npos) {
    if (text.empty()) return refuse(text, "it is empty");
    if (find_dots(text) != text.npos) return refuse(text, "it has no name");
    if (UsdtPattern::is_one(text))
      return refuse(text, "a marker alone has no end", "-f counts the hits of a marker");
    request.named.emplace_back(text);
    return {};
  }
  if (equals == 0) return refuse(text, "its name is empty");
  SpanSpec spec;
  spec.name = text.substr(0, equals);
  if (std::ranges::find(request.spans, spec.name, &SpanSpec::name) != request.spans.end())
    return refuse(text, "another one has that name", "give each span a name of its own");
  if (const auto number = take_argument(points)) {
    const auto argument = parse_number<unsigned>(*number, 1, kMaxMarkerArgs);
    if (!argument)
      return refuse(text, "there is no argument " + std::string(*number),
                    "functions have arg1 to arg6 in registers, markers up to arg12");
    spec.argument = *argument;
  }
  const std::size_t dots = find_dots(points);
  if (dots == points.npos) return refuse(text, "there is no '..' between its two points");
  Result<SpanPoint> from = parse_point(points.substr(0, dots), false);
  if (!from) return std::unexpected(from.error());
  Result<SpanPoint> to = parse_point(points.substr(dots + 2), true);
  if (!to) return std::unexpected(to.error());
  spec.from = std::move(*from);
  spec.to = std::move(*to);
  for (const SpanPoint* point : {&spec.from, &spec.to})
    if (spec.argument > kMaxArguments && std::holds_alternative<FunctionPoint>(point->place))
      return refuse(text, "functions have arg1 to arg6 in registers only");
  request.spans.push_back(std::move(spec));
  return {};
}

}  // namespace callscope
