// SPDX-License-Identifier: Apache-2.0
// Facts of the file format that writer and reader share; the tables are described in schema.sql,
// which CMake embeds. A change that an older reader would misread raises kFormatVersion and adds a
// format_N.sql for the reader. Constants only.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "callscope/recording.hpp"

namespace callscope::store {

inline constexpr std::uint32_t kApplicationId = 0x4373636F;
inline constexpr std::uint32_t kFormatVersion = 2;
extern const char kSchemaSql[];        // makes an empty recording of kFormatVersion
extern const char kFormat1ViewsSql[];  // shows an open recording of format 1 as one of format 2

// Every table of a recording.
inline constexpr std::array<std::string_view, 22> kTables = {"recording", "probe_cost",
                                                             "host",      "target",
                                                             "process",   "module",
                                                             "frame",     "stack",
                                                             "thread",    "cpu_sample",
                                                             "function",  "function_alias",
                                                             "call_node", "function_histogram",
                                                             "latency",   "slow_call",
                                                             "snapshot",  "quality",
                                                             "note",      "wait",
                                                             "span",      "span_histogram"};

// Texts of enum values in the file, indexed by the value.
inline constexpr std::array<std::string_view, 6> kModuleKinds = {"elf", "kernel",  "vdso",
                                                                 "jit", "unknown", "python"};
inline constexpr std::array<std::string_view, 13> kStackEnds = {
    "unknown",     "complete",   "depth",    "no-mapping", "no-table", "jit", "bad-rule",
    "no-register", "read-fault", "backward", "trampoline", "no-user",  "deep"};
inline constexpr std::array<std::string_view, 3> kExitModes = {"uretprobe", "ret-site",
                                                               "entry-only"};
static_assert(static_cast<std::size_t>(StackEnd::kDeep) + 1 == kStackEnds.size());
static_assert(static_cast<std::size_t>(ModuleKind::kPython) + 1 == kModuleKinds.size());
static_assert(static_cast<std::size_t>(ExitMode::kEntryOnly) + 1 == kExitModes.size());

// Bytes 0..99 of an SQLite file that tell what it is (https://www.sqlite.org/fileformat.html).
inline constexpr std::size_t kHeaderBytes = 100;
inline constexpr std::string_view kSqliteMagic{"SQLite format 3\0", 16};

}  // namespace callscope::store
