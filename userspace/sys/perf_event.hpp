// SPDX-License-Identifier: Apache-2.0
// Opens perf events, one a CPU. The event lives as long as its Fd.
#pragma once

#include <cstdint>
#include <vector>

#include "callscope/error.hpp"
#include "sys/fd.hpp"

namespace callscope {

enum class SampleClock { kCpuClock, kCycles };

// A disabled-until-attached event that fires sample_hz times a second on the CPU, for all
// processes. kUnsupported: no such hardware event here; kNotPermitted: perf_event_paranoid or
// capabilities.
Result<Fd> open_sampling_event(SampleClock clock, int cpu, std::uint64_t sample_hz);

// One that fires at each page fault on the CPU, of all processes, before it is served.
// kNotPermitted as above.
Result<Fd> open_page_fault_event(int cpu);

// Numbers of the online CPUs, from /sys/devices/system/cpu/online.
Result<std::vector<int>> online_cpus();

}  // namespace callscope
