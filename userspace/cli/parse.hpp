// SPDX-License-Identifier: Apache-2.0
// Turns the command line into calls of the option setters, through CLI11. All texts for the user
// (--help, errors) are made here from the option table. No output, no exit.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "callscope/error.hpp"
#include "cli/command.hpp"

namespace callscope::cli {

struct ParsedLine {
  const Command* command = nullptr;  // null: nothing to run, print text
  std::vector<std::string> program;  // what stood behind "--"
  std::string text;                  // of --help or --version
};

// Arguments without the name of the program. Errors are kUsage with a hint.
Result<ParsedLine> parse_line(std::span<const Command> commands,
                              std::vector<std::string> arguments);

std::string help_text(std::span<const Command> commands);
std::string help_text(const Command& command);

}  // namespace callscope::cli
