// SPDX-License-Identifier: Apache-2.0
#include "sys/perf_event.hpp"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "sys/parse_number.hpp"
#include "sys/read_file.hpp"

namespace callscope {

namespace {

// For all processes.
Fd open_on_cpu(perf_event_attr& attr, int cpu) {
  attr.size = sizeof(attr);
  return Fd(
      static_cast<int>(::syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)));
}

bool not_permitted(int err) { return err == EACCES || err == EPERM; }

}  // namespace

Result<Fd> open_sampling_event(SampleClock clock, int cpu, std::uint64_t sample_hz) {
  perf_event_attr attr{};
  const bool hardware = clock == SampleClock::kCycles;
  attr.type = hardware ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE;
  attr.config = hardware ? static_cast<std::uint64_t>(PERF_COUNT_HW_CPU_CYCLES)
                         : static_cast<std::uint64_t>(PERF_COUNT_SW_CPU_CLOCK);
  attr.freq = 1;
  attr.sample_freq = sample_hz;
  Fd event = open_on_cpu(attr, cpu);
  const int err = errno;
  if (event.valid()) return event;
  const std::string what = std::string("cannot open the ") + (hardware ? "cycles" : "cpu-clock") +
                           " event at " + std::to_string(sample_hz) + " Hz on CPU " +
                           std::to_string(cpu);
  if (not_permitted(err)) return fail(ErrorCode::kNotPermitted, what, "run with sudo", err);
  if (err == EINVAL)
    return fail(ErrorCode::kUsage, what, "see /proc/sys/kernel/perf_event_max_sample_rate", err);
  return fail(ErrorCode::kUnsupported, what, hardware ? "use the default cpu-clock" : "", err);
}

Result<Fd> open_page_fault_event(int cpu) {
  perf_event_attr attr{};
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_PAGE_FAULTS;
  attr.sample_period = 1;
  Fd event = open_on_cpu(attr, cpu);
  const int err = errno;
  if (event.valid()) return event;
  const std::string what = "cannot open the page-faults event on CPU " + std::to_string(cpu);
  if (not_permitted(err)) return fail(ErrorCode::kNotPermitted, what, "run with sudo", err);
  return fail(ErrorCode::kUnsupported, what, {}, err);
}

Result<std::vector<int>> online_cpus() {
  const std::string path = "/sys/devices/system/cpu/online";
  const Result<std::string> text = read_file(path);
  if (!text) return std::unexpected(text.error());
  std::vector<int> cpus;
  std::string_view rest = *text;
  while (!rest.empty() && rest.back() == '\n') rest.remove_suffix(1);
  while (!rest.empty()) {  // "0-3,8,10-11"
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(item.size() + 1, rest.size()));
    const std::size_t dash = item.find('-');
    const auto first = parse_number<int>(item.substr(0, dash), 0, 1 << 20);
    const auto last =
        dash == item.npos ? first : parse_number<int>(item.substr(dash + 1), 0, 1 << 20);
    if (!first || !last) return fail(ErrorCode::kCorrupt, "cannot understand " + path);
    for (int cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

}  // namespace callscope
