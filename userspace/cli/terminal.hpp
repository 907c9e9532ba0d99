// SPDX-License-Identifier: Apache-2.0
// What the terminal behind a descriptor can show. Reads the environment; only cli/ asks.
#pragma once

#include <cstddef>
#include <string_view>

namespace callscope::cli {

// when: "always", "never", or "auto": a terminal, no NO_COLOR, and not TERM=dumb.
bool use_color(int fd, std::string_view when = "auto");

// Columns, within what the tables are made for (80 to 240); 120 when fd is no terminal.
std::size_t report_width(int fd);

}  // namespace callscope::cli
