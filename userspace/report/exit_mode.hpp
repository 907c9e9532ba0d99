// SPDX-License-Identifier: Apache-2.0
// The public names of ExitMode, the same in every format. Pure function.
#pragma once

#include <string_view>

#include "callscope/recording.hpp"

namespace callscope {

constexpr std::string_view exit_mode_name(ExitMode mode) {
  switch (mode) {
    case ExitMode::kUretprobe:
      return "uretprobe";
    case ExitMode::kRetSite:
      return "ret-site";
    case ExitMode::kEntryOnly:
      return "entry-only";
  }
  return "";
}

}  // namespace callscope
