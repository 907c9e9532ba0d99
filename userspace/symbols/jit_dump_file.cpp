// SPDX-License-Identifier: Apache-2.0
#include "symbols/jit_dump_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace callscope {
namespace {

constexpr std::uint64_t kBufferBytes = 1U << 20;
constexpr std::uint64_t kMaxRefreshBytes = 256U << 20;  // of one refresh, code that is skipped too

}  // namespace

bool is_jit_dump(const Mapping& mapping) {
  constexpr std::string_view kPrefix = "jit-";
  constexpr std::string_view kSuffix = ".dump";
  std::string_view name = mapping.path;
  name.remove_prefix(name.find_last_of('/') + 1);
  if (mapping.inode == 0 || !mapping.executable || !name.starts_with(kPrefix) ||
      !name.ends_with(kSuffix) || name.size() <= kPrefix.size() + kSuffix.size())
    return false;
  name = name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  return std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
}

void JitDumpFile::open(std::int32_t pid, const Mapping& mapping, const TargetRoot* root) {
  if (fd_.valid()) return;
  fd_.reset(::open(map_file_path(pid, mapping).c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (fd_.valid() || root == nullptr) return;
  Result<Fd> opened = root->open_file(mapping.path);
  struct stat info{};
  if (opened && ::fstat(opened->get(), &info) == 0 && S_ISREG(info.st_mode) &&
      info.st_ino == mapping.inode)
    fd_ = std::move(*opened);
}

bool JitDumpFile::refresh() {
  if (!fd_.valid()) return false;
  const std::uint64_t begin = file_pos_;
  buffer_.resize(kBufferBytes);
  while (file_pos_ - begin < kMaxRefreshBytes && !dump_.damaged()) {
    const ssize_t got =
        ::pread(fd_.get(), buffer_.data(), buffer_.size(), static_cast<off_t>(file_pos_));
    if (got <= 0) break;
    const std::uint64_t used = dump_.add(ByteSpan(buffer_).first(static_cast<std::size_t>(got)));
    if (used == 0) break;
    file_pos_ += used;
  }
  buffer_ = {};
  return file_pos_ != begin;
}

}  // namespace callscope
