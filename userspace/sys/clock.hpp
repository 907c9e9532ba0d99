// SPDX-License-Identifier: Apache-2.0
// Clocks in nanoseconds. monotonic_ns() is the clock of bpf_ktime_get_ns(). Thread-safe.
#pragma once

#include <cstdint>
#include <ctime>

#include "callscope/time.hpp"

namespace callscope {

inline std::uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kNsPerSecond +
         static_cast<std::uint64_t>(now.tv_nsec);
}
inline std::uint64_t monotonic_ns() { return clock_ns(CLOCK_MONOTONIC); }
inline std::uint64_t unix_ns() { return clock_ns(CLOCK_REALTIME); }

}  // namespace callscope
