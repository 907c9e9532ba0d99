// SPDX-License-Identifier: Apache-2.0
// What the values of a recording's enums are called, in the file and in every report. Constants.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "callscope/recording.hpp"

namespace callscope {

// Indexed by the value.
inline constexpr std::array<std::string_view, 6> kModuleKindNames = {"elf", "kernel",  "vdso",
                                                                     "jit", "unknown", "python"};
inline constexpr std::array<std::string_view, 14> kStackEndNames = {
    "unknown",     "complete",   "depth",    "no-mapping", "no-table", "jit",         "bad-rule",
    "no-register", "read-fault", "backward", "trampoline", "no-user",  "zero-return", "deep"};
inline constexpr std::array<std::string_view, 3> kExitModeNames = {"uretprobe", "ret-site",
                                                                   "entry-only"};
static_assert(static_cast<std::size_t>(ModuleKind::kPython) + 1 == kModuleKindNames.size());
static_assert(static_cast<std::size_t>(StackEnd::kDeep) + 1 == kStackEndNames.size());
static_assert(static_cast<std::size_t>(ExitMode::kEntryOnly) + 1 == kExitModeNames.size());

constexpr std::string_view name_of(ModuleKind kind) {
  return kModuleKindNames[static_cast<std::size_t>(kind)];
}
constexpr std::string_view name_of(StackEnd end) {
  return kStackEndNames[static_cast<std::size_t>(end)];
}
constexpr std::string_view name_of(ExitMode mode) {
  return kExitModeNames[static_cast<std::size_t>(mode)];
}

}  // namespace callscope
