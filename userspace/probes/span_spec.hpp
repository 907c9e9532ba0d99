// SPDX-License-Identifier: Apache-2.0
// What --span asks for:
//   NAME=FROM..TO[:argN]  a span between two points of the program, paired by thread or by an
//                         argument of both points
//   GLOB                  the spans that the program marks itself by callscope/span.hpp
// A point is "usdt:PROVIDER:NAME" or a function as -f takes it, with @entry or @exit behind it;
// FROM is the entry by default, TO the exit. Plain values; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "callscope/error.hpp"
#include "probes/pattern.hpp"
#include "probes/usdt.hpp"

namespace callscope {

struct FunctionPoint {
  FunctionPattern pattern;
  bool at_exit = false;
};

struct SpanPoint {
  std::string text;  // as given
  std::variant<FunctionPoint, UsdtPattern> place;
};

struct SpanSpec {
  std::string name;
  SpanPoint from;
  SpanPoint to;
  unsigned argument = 0;  // 0: paired by thread; else number of the argument at both points
};

// All that a recording is asked to do with spans and markers.
struct SpanRequest {
  std::vector<SpanSpec> spans;
  std::vector<std::string> named;    // globs on the names of spans by callscope/span.hpp
  std::vector<UsdtPattern> counted;  // markers whose hits are counted: -f usdt:PROVIDER:NAME

  [[nodiscard]] bool empty() const { return spans.empty() && named.empty() && counted.empty(); }
};

// Adds what one --span says. kUsage when it has neither form or its name is taken.
Result<void> add_span(SpanRequest& request, std::string_view text);

}  // namespace callscope
