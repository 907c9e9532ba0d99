// SPDX-License-Identifier: Apache-2.0
// The declarative option table: one list of Option per subcommand drives parsing, --help, the man
// page and the test that every option is documented. Setters parse and store; a refused value
// returns a kUsage error whose hint says what would be right. Bound variables must outlive parsing.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "callscope/error.hpp"

namespace callscope::cli {

struct Option {
  std::string names;  // "-p,--pid"; a positional has no dash: "FILE"
  std::string value;  // metavariable: "PID"; empty for a switch
  std::string help;   // one or more sentences, with the default
  std::function<Result<void>(std::string_view)> set;
  bool repeatable = false;  // may be given several times; set runs once for each
  bool required = false;
  std::string bare_value = {};  // what NAME alone means; then a value takes the form NAME=VALUE
};

// How an option is written in --help and the man page: "-p,--pid PID", "--callers[=GLOB]", "FILE",
// "[BINARY] [GLOB]".
std::string option_head(const Option& option);

using Setter = std::function<Result<void>(std::string_view)>;

Setter set_flag(bool& out, bool value = true);
Setter set_text(std::string& out);
Setter append_text(std::vector<std::string>& out);
Setter append_list(std::vector<std::string>& out);  // comma-separated as well
Setter set_number(std::uint64_t& out, std::uint64_t low, std::uint64_t high);
Setter set_decimal(double& out, double low, double high);
Setter set_duration(std::uint64_t& out_ns, std::uint64_t low_ns, std::uint64_t high_ns);
Setter set_choice(std::string& out, std::vector<std::string> choices);

}  // namespace callscope::cli
