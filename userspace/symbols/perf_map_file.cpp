// SPDX-License-Identifier: Apache-2.0
#include "symbols/perf_map_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "sys/parse_number.hpp"
#include "sys/read_file.hpp"
#include "target/proc_text.hpp"

namespace callscope {
namespace {

constexpr std::size_t kMaxReadBytes = 64U << 20;  // of one refresh; the rest comes with the next

struct Identity {
  std::uint64_t uid = 0;            // effective
  std::uint64_t namespace_pid = 0;  // as the process sees itself
};

std::optional<Identity> identity_of(std::int32_t pid) {
  const Result<std::string> status = read_file(fmt::format("/proc/{}/status", pid));
  if (!status) return std::nullopt;
  Identity identity;
  // "Uid: real effective saved fs", "NSpid: outermost ... innermost".
  std::string_view uids = status_field(*status, "Uid").value_or("");
  uids.remove_prefix(std::min(uids.find_first_of("\t ") + 1, uids.size()));
  const auto uid = parse_number<std::uint64_t>(uids.substr(0, uids.find_first_of("\t ")));
  std::string_view pids = status_field(*status, "NSpid").value_or("");
  const std::size_t last = pids.find_last_of("\t ");
  if (last != std::string_view::npos) pids.remove_prefix(last + 1);
  const auto inner = parse_number<std::uint64_t>(pids);
  if (!uid || !inner) return std::nullopt;
  return Identity{*uid, *inner};
}

// The file, if the target or root wrote it: anybody may create names in /tmp.
Fd open_owned(const TargetRoot& root, std::uint64_t pid, std::uint64_t uid) {
  Result<Fd> fd = root.open_file(fmt::format("/tmp/perf-{}.map", pid));
  if (!fd) return {};
  struct stat info{};
  if (::fstat(fd->get(), &info) != 0) return {};
  if (info.st_uid != 0 && info.st_uid != uid) return {};
  return std::move(*fd);
}

}  // namespace

void PerfMapFile::open(const TargetRoot* root) {
  const std::optional<Identity> identity = identity_of(pid_);
  if (!identity) return;
  if (root != nullptr) fd_ = open_owned(*root, identity->namespace_pid, identity->uid);
  if (fd_.valid()) return;
  const Result<TargetRoot> host = TargetRoot::host();
  if (host) fd_ = open_owned(*host, static_cast<std::uint64_t>(pid_), identity->uid);
}

bool PerfMapFile::refresh(const TargetRoot* root) {
  if (!fd_.valid()) {
    open(root);
    if (!fd_.valid()) return false;
  }
  struct stat info{};
  if (::fstat(fd_.get(), &info) != 0) return false;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size < file_pos_) {  // written anew
    file_pos_ = 0;
    map_ = PerfMap();
  }
  std::string text(std::min<std::uint64_t>(size - file_pos_, kMaxReadBytes), '\0');
  const ssize_t got = ::pread(fd_.get(), text.data(), text.size(), static_cast<off_t>(file_pos_));
  if (got <= 0) return false;
  const std::size_t used =
      map_.add(std::string_view(text).substr(0, static_cast<std::size_t>(got)));
  // One "line" that fills the whole buffer is no perf map: skip it instead of reading it for ever.
  file_pos_ += used == 0 && text.size() == kMaxReadBytes ? text.size() : used;
  return used > 0;
}

}  // namespace callscope
