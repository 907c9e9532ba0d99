// SPDX-License-Identifier: Apache-2.0
// The process that calibration probes: a fork of ours that does nothing but time calls of small
// functions whose first and last instructions are known. So no probe is ever put into callscope
// itself. Owns the process: it is killed and reaped by the destructor, and dies with the thread
// that started it. One thread. Starting fails when no process can be had.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "callscope/error.hpp"
#include "sys/fd.hpp"

namespace callscope {

// What the child calls. Bodies are alike; the names say where the probes are meant to be.
enum class CalibrationCall : std::uint32_t {
  kBare,          // none: what the measurement itself takes
  kCounted,       // entry, emulated
  kReturnProbed,  // entry, emulated, and return probe
  kEmulatedExit,  // entry and exit site, both emulated
  kSteppedExit,   // entry emulated, exit site single-stepped (a ret)
  kSteppedEntry,  // entry single-stepped, exit site emulated
};
inline constexpr std::uint32_t kCalibrationCalls = 6;

// Instructions of ours, mapped at the same place in the child.
struct CalibrationSites {
  const void* entry = nullptr;
  const void* exit = nullptr;
};
CalibrationSites calibration_sites(CalibrationCall call);

// Times of single calls, ns: from before the call to inside of it, and from there to after it.
// Calls of all kinds took turns, so that what disturbs the machine disturbs all alike.
struct CalibrationSamples {
  static constexpr std::size_t kRounds = 24;
  static constexpr std::size_t kCallsPerRound = 8;
  static constexpr std::size_t kCount = kRounds * kCallsPerRound;

  using Series = std::array<std::uint32_t, kCount>;
  std::array<Series, kCalibrationCalls> entry_ns{};
  std::array<Series, kCalibrationCalls> exit_ns{};
};

class CalibrationChild {
 public:
  // Forks a process that waits until it is asked to run. Safe in a process with threads.
  static Result<CalibrationChild> start();
  CalibrationChild(CalibrationChild&& other) noexcept;
  CalibrationChild& operator=(CalibrationChild&&) = delete;
  ~CalibrationChild();

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Has it time its calls, once; kInternal if it takes seconds or dies.
  Result<CalibrationSamples> run();

 private:
  CalibrationChild(pid_t pid, Fd channel) : pid_(pid), channel_(std::move(channel)) {}

  pid_t pid_;   // -1: moved from
  Fd channel_;  // socket: one byte to it, the samples back
};

}  // namespace callscope
