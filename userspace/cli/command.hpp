// SPDX-License-Identifier: Apache-2.0
// One subcommand: its names, texts, options and body. cli/main.cpp owns the list of commands and
// turns an Error into a message on stderr and an exit code. Each command lives in one file and is
// made by a factory; its options bind to state owned by the shared_ptr captured in run.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "callscope/error.hpp"
#include "cli/option.hpp"

namespace callscope::cli {

// Exit codes of the process; see also ErrorCode.
enum ExitCode : int {
  kExitOk = 0,
  kExitFailure = 1,
  kExitUsage = 2,
  kExitNotPermitted = 3,
  kExitNotFound = 4,
  kExitIncomplete = 5,
  kExitInternal = 70,
};

struct Command {
  std::string name;         // "record"
  std::string usage;        // "record -p PID [OPTIONS]"
  std::string summary;      // one line for the list of commands
  std::string description;  // paragraphs for --help and the man page
  std::vector<std::string> examples;
  std::vector<Option> options;
  bool takes_command = false;  // accepts "-- CMD ARGS"
  // Called after all options were set; command is what stood behind "--". Value = exit code.
  std::function<Result<int>(const std::vector<std::string>& command)> run;
};

Command make_record_command();
Command make_report_command();
Command make_flamegraph_command();
Command make_list_command();
Command make_doctor_command();
Command make_cache_command();

// All commands as one page in roff(7) for man(1).
std::string man_page(const std::vector<Command>& commands);

}  // namespace callscope::cli
