// SPDX-License-Identifier: Apache-2.0
// The manual page, made from the option tables so that it cannot disagree with --help.
#include <fmt/format.h>

#include <array>
#include <string_view>

#include "cli/command.hpp"
#include "cli/version.hpp"

namespace callscope::cli {
namespace {

// Text for roff: backslashes, leading dots and hyphens would be taken as commands or typography.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n'))
      out += std::string("\\&") + c;
    else if (c == '\n')
      out += "\n.PP\n";
    else
      out += c;
  }
  return out;
}

struct ExitMeaning {
  int code;
  std::string_view meaning;
};

constexpr std::array<ExitMeaning, 7> kExitMeanings{{
    {kExitOk, "Success."},
    {kExitFailure, "Failure: a file cannot be written, or is no recording."},
    {kExitUsage, "Usage."},
    {kExitNotPermitted, "Not permitted, or not supported by this kernel."},
    {kExitNotFound, "Target or recording not found."},
    {kExitIncomplete, "Incomplete data, with --strict."},
    {kExitInternal, "Internal error."},
}};

}  // namespace

std::string man_page(const std::vector<Command>& commands) {
  std::string page = fmt::format(
      ".TH CALLSCOPE 1 \"\" \"callscope {}\" \"User Commands\"\n.SH NAME\ncallscope \\- which "
      "functions of a running process are slow, and why\n.SH SYNOPSIS\n",
      roff(kVersion));
  for (const Command& command : commands)
    page += fmt::format(".B callscope\n{}\n.br\n", roff(command.usage));
  page +=
      ".SH DESCRIPTION\nAn eBPF profiler for one process: exact latency of functions, CPU stacks, "
      "memory and file descriptors, without a rebuild or restart of the process.\n.SH COMMANDS\n";
  for (const Command& command : commands) {
    page += fmt::format(".SS callscope {}\n{}\n", roff(command.name), roff(command.description));
    for (const Option& option : command.options)
      page += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(option_head(option)), roff(option.help));
  }
  page += ".SH EXIT STATUS\n";
  for (const ExitMeaning& exit : kExitMeanings)
    page += fmt::format(".TP\n\\fB{}\\fR\n{}\n", exit.code, roff(exit.meaning));
  page +=
      ".PP\nrecord with a command passes the exit code of the command on, 128 plus the number of "
      "the signal that ended it.\n.SH ENVIRONMENT\n.TP\n\\fBNO_COLOR\\fR\nNot empty: no colours.\n"
      ".TP\n\\fBSUDO_UID\\fR, \\fBSUDO_GID\\fR, \\fBSUDO_USER\\fR\nWho gets the files, and runs a "
      "command that record starts.\n.SH EXAMPLES\n.nf\n";
  for (const Command& command : commands)
    for (const std::string& example : command.examples) page += roff(example) + "\n";
  page += ".fi\n";
  return page;
}

}  // namespace callscope::cli
