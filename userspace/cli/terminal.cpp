// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace callscope::cli {
namespace {

std::string_view variable(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? "" : text;
}

}  // namespace

bool use_color(int fd, std::string_view when) {
  if (when != "auto") return when == "always";
  return variable("NO_COLOR").empty() && variable("TERM") != "dumb" && ::isatty(fd) == 1;
}

std::size_t report_width(int fd) {
  constexpr std::size_t kDefault = 120;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefault;
  return std::clamp<std::size_t>(size.ws_col, 80, 240);
}

}  // namespace callscope::cli
