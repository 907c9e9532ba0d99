// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <optional>
#include <string>

#include "model/function_table.hpp"
#include "report/exit_mode.hpp"
#include "report/renderer.hpp"

namespace callscope {
namespace {

// RFC 4180: quoted when needed, quotes doubled.
std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') result += '"';
    result += c;
  }
  return result += '"';
}

std::string number(const std::optional<std::uint64_t>& value) {
  return value ? std::to_string(*value) : std::string();
}

}  // namespace

// Lines end with CR LF as RFC 4180 wants; an absent time is an empty field.
std::string render_csv(const Recording& recording, const ReportOptions& options) {
  std::string text =
      "name,module,calls,returns,unwound,running,untimed,total_ns,self_ns,avg_ns,min_ns,max_ns,"
      "p50_ns,p90_ns,p95_ns,p99_ns,p999_ns,exit,probe_cost_ns,tail_exits\r\n";
  for (const FunctionRow& row : function_table(recording, options.sort)) {
    const FunctionStats& f = *row.stats;
    text +=
        fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\r\n",
                    quoted(f.name), quoted(recording.modules[f.module].path), f.calls, f.returns,
                    f.unwound, f.running, f.untimed, number(row.total_ns), number(row.self_ns),
                    number(row.avg_ns), number(row.min_ns), number(row.max_ns), number(row.p50_ns),
                    number(row.p90_ns), number(row.p95_ns), number(row.p99_ns), number(row.p999_ns),
                    exit_mode_name(f.exit), f.probe_cost_ns, f.tail_exits);
  }
  return text;
}

}  // namespace callscope
