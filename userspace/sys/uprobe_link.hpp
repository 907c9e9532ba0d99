// SPDX-License-Identifier: Apache-2.0
// One BPF link over many uprobes of one file (uprobe_multi, kernel 6.6; session, kernel 6.13), made
// by the raw bpf(2) call: Debian's libbpf 1.1 does not know it. Closing the Fd removes all its
// probes at once. The program must have been loaded with the attach type of the same kind.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "callscope/error.hpp"
#include "sys/fd.hpp"

namespace callscope {

enum class UprobeLinkKind { kEntry, kReturn, kSession };

// bpf_attach_type values; Debian's headers end before them (include/uapi/linux/bpf.h).
inline constexpr int kAttachTraceUprobeMulti = 48;
inline constexpr int kAttachTraceUprobeSession = 57;
// Flag of a link with return probes, as it is made and as it is told (BPF_F_UPROBE_MULTI_RETURN).
inline constexpr std::uint32_t kUprobeMultiReturn = 1;

struct UprobeLinkSpec {
  int program_fd = -1;
  UprobeLinkKind kind = UprobeLinkKind::kSession;
  std::string path;                        // opened by the kernel; may be /proc/PID/map_files/...
  std::span<const std::uint64_t> offsets;  // file offsets
  std::span<const std::uint64_t> cookies;  // one for each offset
  std::int32_t pid = 0;                    // process whose memory gets the breakpoints; 0 = all
  // File offsets of the 16-bit counters that the kernel raises while a probe is there (semaphores
  // of USDT markers): one for each probe, 0 = none. Empty: none at all.
  std::span<const std::uint64_t> ref_ctr_offsets = {};
};

// kUnsupported: the kernel has no such link. kIo with sys_errno otherwise; then no probe is left.
Result<Fd> link_uprobes(const UprobeLinkSpec& spec);

}  // namespace callscope
