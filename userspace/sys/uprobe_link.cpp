// SPDX-License-Identifier: Apache-2.0
#include "sys/uprobe_link.hpp"

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace callscope {
namespace {

// The part of union bpf_attr that BPF_LINK_CREATE reads for uprobe links, kernel 6.6 and later.
struct UprobeMultiAttr {
  std::uint32_t program_fd;
  std::uint32_t target_fd;
  std::uint32_t attach_type;
  std::uint32_t link_flags;
  std::uint64_t path;
  std::uint64_t offsets;
  std::uint64_t ref_ctr_offsets;
  std::uint64_t cookies;
  std::uint32_t count;
  std::uint32_t flags;
  std::uint32_t pid;
  std::uint32_t pad;
};
static_assert(sizeof(UprobeMultiAttr) == 64);

std::uint64_t address_of(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

}  // namespace

Result<Fd> link_uprobes(const UprobeLinkSpec& spec) {
  UprobeMultiAttr attr{};
  attr.program_fd = static_cast<std::uint32_t>(spec.program_fd);
  attr.attach_type = static_cast<std::uint32_t>(
      spec.kind == UprobeLinkKind::kSession ? kAttachTraceUprobeSession : kAttachTraceUprobeMulti);
  attr.path = address_of(spec.path.c_str());
  attr.offsets = address_of(spec.offsets.data());
  attr.cookies = address_of(spec.cookies.data());
  attr.count = static_cast<std::uint32_t>(std::min(spec.offsets.size(), spec.cookies.size()));
  if (spec.ref_ctr_offsets.size() >= attr.count)
    attr.ref_ctr_offsets = address_of(spec.ref_ctr_offsets.data());
  attr.flags = spec.kind == UprobeLinkKind::kReturn ? kUprobeMultiReturn : 0;
  attr.pid = static_cast<std::uint32_t>(spec.pid);
  const long fd = ::syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
  if (fd >= 0) return Fd(static_cast<int>(fd));
  const int err = errno;
  const bool unknown = err == EOPNOTSUPP || err == E2BIG;
  return fail(unknown ? ErrorCode::kUnsupported : ErrorCode::kIo,
              "cannot attach " + std::to_string(attr.count) + " uprobes to " + spec.path, {}, err);
}

}  // namespace callscope
