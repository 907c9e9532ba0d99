// SPDX-License-Identifier: Apache-2.0
#include "target/resources.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "sys/read_file.hpp"
#include "target/fd_kinds.hpp"
#include "target/proc_text.hpp"

namespace callscope {
namespace {

constexpr std::uint64_t kKib = 1024;

std::unexpected<Error> gone(std::int32_t pid) {
  return fail(ErrorCode::kNotFound, fmt::format("process {} has ended", pid));
}

// The text of /proc/PID/name; empty if we may not read it or this kernel has no such file.
std::string optional_text(std::int32_t pid, std::string_view name) {
  return read_file(fmt::format("/proc/{}/{}", pid, name)).value_or("");
}

Result<ProcStat> live_stat(std::int32_t pid) {
  const Result<std::string> text = read_file(fmt::format("/proc/{}/stat", pid));
  if (!text) return gone(pid);
  std::optional<ProcStat> stat = parse_proc_stat(*text);
  if (!stat) return fail(ErrorCode::kCorrupt, fmt::format("/proc/{}/stat is malformed", pid));
  if (stat->has_ended()) return gone(pid);
  return std::move(*stat);
}

std::uint64_t ticks_to_ns(std::uint64_t ticks) {
  const long per_second = ::sysconf(_SC_CLK_TCK);
  return ticks * (1'000'000'000U / static_cast<std::uint64_t>(per_second > 0 ? per_second : 100));
}

void add_switches(std::string_view status, ResourceSnapshot& snapshot) {
  snapshot.voluntary_switches += status_number(status, "voluntary_ctxt_switches").value_or(0);
  snapshot.involuntary_switches += status_number(status, "nonvoluntary_ctxt_switches").value_or(0);
}

// /proc/PID/status counts the switches of the main thread only.
void read_switches(std::int32_t pid, ResourceSnapshot& snapshot) {
  std::error_code error;
  std::filesystem::directory_iterator entry(fmt::format("/proc/{}/task", pid), error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const Result<std::string> status = read_file(entry->path() / "status");
    if (status) add_switches(*status, snapshot);
  }
}

Result<void> read_descriptors(std::int32_t pid, ResourceSnapshot& snapshot) {
  const Result<FdKinds> kinds = count_fds(pid);
  if (!kinds && kinds.error().code == ErrorCode::kNotPermitted) return {};
  if (!kinds) return gone(pid);
  snapshot.fds = kinds->all();
  snapshot.fd_files = kinds->files;
  snapshot.fd_sockets = kinds->sockets;
  snapshot.fd_pipes = kinds->pipes;
  snapshot.fd_anon = kinds->anon;
  snapshot.fd_other = kinds->other;
  return {};
}

}  // namespace

Result<ResourceSnapshot> read_resources(std::int32_t pid, bool with_pss) {
  const Result<ProcStat> stat = live_stat(pid);
  if (!stat) return std::unexpected(stat.error());
  ResourceSnapshot snapshot;
  snapshot.vms_bytes = stat->vms_bytes;
  snapshot.minor_faults = stat->minor_faults;
  snapshot.major_faults = stat->major_faults;
  snapshot.threads = stat->threads;
  snapshot.utime_ns = ticks_to_ns(stat->utime_ticks);
  snapshot.stime_ns = ticks_to_ns(stat->stime_ticks);

  const std::string status = optional_text(pid, "status");
  snapshot.rss_bytes = status_number(status, "VmRSS").value_or(0) * kKib;
  snapshot.swap_bytes = status_number(status, "VmSwap").value_or(0) * kKib;
  if (stat->threads > 1) {
    read_switches(pid, snapshot);
  } else {
    add_switches(status, snapshot);
  }
  if (with_pss) {
    const std::string rollup = optional_text(pid, "smaps_rollup");
    snapshot.pss_bytes = status_number(rollup, "Pss").value_or(0) * kKib;
    // Exact; the VmRSS of status lags by up to a batch of pages a CPU from 6.2 to 6.15.
    if (const auto rss_kib = status_number(rollup, "Rss")) snapshot.rss_bytes = *rss_kib * kKib;
  }
  const std::string io = optional_text(pid, "io");
  snapshot.read_bytes = status_number(io, "read_bytes").value_or(0);
  snapshot.written_bytes = status_number(io, "write_bytes").value_or(0);
  CS_TRY(read_descriptors(pid, snapshot));

  // Whatever was read above is whole only if the very same process still runs.
  const Result<ProcStat> after = live_stat(pid);
  if (!after || after->start_ticks != stat->start_ticks) return gone(pid);
  return snapshot;
}

}  // namespace callscope
