// SPDX-License-Identifier: Apache-2.0
// The two procfs texts that describe a process: "stat" (one line, numbered fields) and "status"
// ("Key:\tvalue" lines). Pure parsers of untrusted text; views point into the caller's text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace callscope {

// The fields of /proc/PID/stat that we use; man 5 proc_pid_stat numbers them.
struct ProcStat {
  std::string comm;  // may hold blanks and parentheses
  char state = '?';
  std::int32_t ppid = 0;
  std::uint32_t flags = 0;  // PF_*
  std::uint64_t minor_faults = 0;
  std::uint64_t major_faults = 0;
  std::uint64_t utime_ticks = 0;  // all threads, ended ones included
  std::uint64_t stime_ticks = 0;
  std::uint64_t threads = 0;
  std::uint64_t start_ticks = 0;  // since boot
  std::uint64_t vms_bytes = 0;

  [[nodiscard]] bool is_kernel_thread() const { return (flags & 0x00200000U) != 0; }  // PF_KTHREAD
  [[nodiscard]] bool has_ended() const { return state == 'Z' || state == 'X'; }
};

std::optional<ProcStat> parse_proc_stat(std::string_view text);

// Value of one "Key:" line of a status-like text, blanks around it removed.
std::optional<std::string_view> status_field(std::string_view text, std::string_view key);

// The first number of that value; a unit behind it ("kB") is ignored. base 16 for masks.
std::optional<std::uint64_t> status_number(std::string_view text, std::string_view key,
                                           int base = 10);

}  // namespace callscope
