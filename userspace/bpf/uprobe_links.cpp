// SPDX-License-Identifier: Apache-2.0
#include "bpf/uprobe_links.hpp"

#include <bpf/bpf.h>
#include <linux/limits.h>

#include <optional>

#include "sys/fd.hpp"
#include "sys/uprobe_link.hpp"

namespace callscope {
namespace {

constexpr std::uint32_t kUprobeMultiType = 12;  // BPF_LINK_TYPE_UPROBE_MULTI

// struct bpf_link_info for uprobe_multi links, kernel 6.8; Debian's headers are older.
struct LinkInfo {
  std::uint32_t type;
  std::uint32_t id;
  std::uint32_t program_id;
  std::uint32_t pad;
  std::uint64_t path;
  std::uint64_t offsets;
  std::uint64_t ref_ctr_offsets;
  std::uint64_t cookies;
  std::uint32_t path_size;
  std::uint32_t count;
  std::uint32_t flags;
  std::uint32_t pid;
};

bool get_info(int fd, void* info, std::uint32_t bytes) {
  return ::bpf_obj_get_info_by_fd(fd, info, &bytes) == 0;
}

std::string program_name(std::uint32_t id) {
  const Fd fd(::bpf_prog_get_fd_by_id(id));
  bpf_prog_info info{};
  if (!fd.valid() || !get_info(fd.get(), &info, sizeof(info))) return {};
  return info.name;
}

std::optional<UprobeLink> read_link(std::uint32_t id) {
  const Fd fd(::bpf_link_get_fd_by_id(id));
  LinkInfo info{};
  if (!fd.valid() || !get_info(fd.get(), &info, sizeof(info))) return std::nullopt;
  if (info.type != kUprobeMultiType || info.count == 0) return std::nullopt;
  UprobeLink link;
  link.id = id;
  link.program_id = info.program_id;
  link.program = program_name(info.program_id);
  link.pid = static_cast<std::int32_t>(info.pid);
  link.returns = (info.flags & kUprobeMultiReturn) != 0 || link.program == "cs_call_session";
  link.offsets.resize(info.count);
  std::string path(PATH_MAX, '\0');
  const std::uint32_t count = info.count;
  info = {};
  info.path = reinterpret_cast<std::uint64_t>(path.data());
  info.path_size = PATH_MAX;
  info.offsets = reinterpret_cast<std::uint64_t>(link.offsets.data());
  info.count = count;
  if (!get_info(fd.get(), &info, sizeof(info))) return std::nullopt;
  link.path = path.c_str();
  return link;
}

}  // namespace

std::vector<UprobeLink> list_uprobe_links() {
  std::vector<UprobeLink> links;
  for (std::uint32_t id = 0; ::bpf_link_get_next_id(id, &id) == 0;)
    if (std::optional<UprobeLink> link = read_link(id)) links.push_back(std::move(*link));
  return links;
}

}  // namespace callscope
