// SPDX-License-Identifier: Apache-2.0
// Entry point: the list of commands, and how errors become messages and exit codes.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <system_error>
#include <vector>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/parse.hpp"

namespace callscope::cli {
namespace {

// A standard descriptor that the caller closed would be the next file we open, and our messages
// would go into it.
void open_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) < 0) return;
  }
}

// What was printed may not have arrived: a full disk, a closed pipe.
int checked_output(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  fmt::print(stderr, "callscope: cannot write standard output: {}\n", std::strerror(errno));
  return code == kExitOk ? kExitFailure : code;
}

int run(std::vector<std::string> arguments) {
  std::vector<Command> commands{make_record_command(),     make_report_command(),
                                make_flamegraph_command(), make_list_command(),
                                make_doctor_command(),     make_cache_command()};
  // Not in the list of --help: for packaging.
  if (arguments.size() == 1 && arguments.front() == "man") {
    fmt::print("{}", man_page(commands));
    return kExitOk;
  }
  const Result<ParsedLine> line = parse_line(commands, std::move(arguments));
  if (!line) {
    fmt::print(stderr, "callscope: {}\n", line.error().message());
    return exit_code(line.error());
  }
  if (line->command == nullptr) {
    fmt::print("{}", line->text);
    return kExitOk;
  }
  const Result<int> code = line->command->run(line->program);
  if (code) return *code;
  Error error = code.error();
  if (error.code == ErrorCode::kNotPermitted && error.hint.empty() && ::geteuid() != 0)
    error.hint = "run it with sudo";
  fmt::print(stderr, "callscope {}: {}\n", line->command->name, error.message());
  return exit_code(error);
}

}  // namespace
}  // namespace callscope::cli

int main(int argc, char** argv) {
  try {
    callscope::cli::open_standard_streams();
    return callscope::cli::checked_output(
        callscope::cli::run(std::vector<std::string>(argv + 1, argv + argc)));
  } catch (const std::system_error& error) {  // fmt::print, of a write that failed
    std::fputs("callscope: ", stderr);
    std::fputs(error.what(), stderr);
    std::fputs("\n", stderr);
    return callscope::cli::kExitFailure;
  } catch (const std::exception& error) {
    std::fputs("callscope: internal error: ", stderr);
    std::fputs(error.what(), stderr);
    std::fputs("\n", stderr);
    return callscope::cli::kExitInternal;
  }
}
