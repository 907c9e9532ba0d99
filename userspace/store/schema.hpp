// SPDX-License-Identifier: Apache-2.0
// Facts of the file format that writer and reader share; the tables are described in schema.sql,
// which CMake embeds. A change that an older reader would misread raises kFormatVersion and adds a
// format_N.sql for the reader. Constants only.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace callscope::store {

inline constexpr std::uint32_t kApplicationId = 0x4373636F;
inline constexpr std::uint32_t kFormatVersion = 3;
extern const char kSchemaSql[];        // makes an empty recording of kFormatVersion
extern const char kFormat1ViewsSql[];  // shows an open recording of format 1 as one of this
extern const char kFormat2ViewsSql[];  // the same of format 2

// Every table of a recording.
inline constexpr std::array<std::string_view, 23> kTables = {"recording",     "probe_cost",
                                                             "host",          "target",
                                                             "process",       "module",
                                                             "frame",         "stack",
                                                             "thread",        "cpu_sample",
                                                             "function",      "function_alias",
                                                             "call_node",     "function_histogram",
                                                             "latency",       "slow_call",
                                                             "snapshot",      "quality",
                                                             "note",          "wait",
                                                             "page_fault",    "span",
                                                             "span_histogram"};

// Bytes 0..99 of an SQLite file that tell what it is (https://www.sqlite.org/fileformat.html).
inline constexpr std::size_t kHeaderBytes = 100;
inline constexpr std::string_view kSqliteMagic{"SQLite format 3\0", 16};

}  // namespace callscope::store
