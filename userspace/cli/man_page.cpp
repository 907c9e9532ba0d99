// SPDX-License-Identifier: Apache-2.0
// The manual page, made from the option tables so that it cannot disagree with --help.
#include <fmt/format.h>

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
      "memory and file descriptors, without a rebuild or restart of the process.\n";
  for (const Command& command : commands) {
    page += fmt::format(".SH {}\n{}\n", roff(command.name), roff(command.description));
    for (const Option& option : command.options)
      page += fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", roff(option.names),
                          option.value.empty() ? "" : " \\fI" + roff(option.value) + "\\fR",
                          roff(option.help));
    for (const std::string& example : command.examples)
      page += fmt::format(".PP\n.RS\n.nf\n{}\n.fi\n.RE\n", roff(example));
  }
  page +=
      ".SH EXIT STATUS\n0 success; 1 failure; 2 usage; 3 not permitted, or not supported by this "
      "kernel; 4 target or recording not found; 5 incomplete data with \\-\\-strict; 70 internal "
      "error. record with a command passes the exit code of the command on, 128 plus the number "
      "of the signal that ended it.\n.SH ENVIRONMENT\nNO_COLOR: no colours. SUDO_UID, SUDO_GID, "
      "SUDO_USER: who gets the files and runs a command that record starts.\n";
  return page;
}

}  // namespace callscope::cli
