// SPDX-License-Identifier: Apache-2.0
#include "symbols/process_maps.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sys/read_file.hpp"

namespace callscope {
namespace {

constexpr std::size_t kMaxFormer = 4096;  // a process that maps and unmaps code all the time

bool has_file(const Mapping& mapping) { return mapping.inode != 0 || mapping.path == "[vdso]"; }

bool same_code(const Mapping& a, const Mapping& b) {
  return a.start == b.start && a.end == b.end && a.file_off == b.file_off && a.inode == b.inode &&
         a.dev_major == b.dev_major && a.dev_minor == b.dev_minor && a.path == b.path;
}

}  // namespace

bool may_be_jit(const Mapping& mapping) {
  if (mapping.path.starts_with("/memfd:") || mapping.path.starts_with("/dev/zero")) return true;
  if (mapping.inode != 0) return false;
  return !mapping.path.starts_with('[') || mapping.path.starts_with("[anon") ||
         mapping.path == "[heap]" || mapping.path == "[stack]";
}

Result<std::string> ProcessMaps::read_text(std::int32_t pid) {
  Result<std::string> text = read_file(fmt::format("/proc/{}/maps", pid));
  if (text && text->empty())
    return fail(ErrorCode::kNotFound, fmt::format("process {} has no user memory", pid),
                "it has ended, or it is a kernel thread");
  return text;
}

Result<void> ProcessMaps::refresh(const std::string& text) {
  if (text != text_) {
    Result<std::vector<Mapping>> mappings = parse_maps(text);
    if (!mappings) return std::unexpected(mappings.error());
    set_mappings(std::move(*mappings));
    text_ = text;
  }
  refresh_names();
  return {};
}

void ProcessMaps::refresh_names() {
  const bool has_jit = std::ranges::any_of(
      current_, [](const CodeMapping& code) { return may_be_jit(code.mapping); });
  if (has_jit && jit_.refresh(root_.get())) ++jit_generation_;
  if (jit_dump_.refresh()) ++jit_generation_;
}

void ProcessMaps::set_mappings(std::vector<Mapping> mappings) {
  // Modules keep the root they came with: take a new one only after chroot or a new namespace.
  Result<TargetRoot> root = TargetRoot::of_process(pid_);
  if (root && (root_ == nullptr || !root_->same_as(*root)))
    root_ = std::make_shared<const TargetRoot>(std::move(*root));
  std::vector<CodeMapping> fresh;
  for (Mapping& mapping : mappings) {
    if (!mapping.executable) continue;
    if (is_jit_dump(mapping)) jit_dump_.open(pid_, mapping, root_.get());
    const CodeMapping* const known = find(mapping.start);
    if (known != nullptr && same_code(known->mapping, mapping)) {
      fresh.push_back(*known);
      continue;
    }
    CachedModule* const module = has_file(mapping) ? &cache_.open(pid_, mapping, root_) : nullptr;
    fresh.push_back({std::move(mapping), module});
  }
  std::ranges::sort(fresh, {}, [](const CodeMapping& code) { return code.mapping.start; });
  std::swap(current_, fresh);
  for (CodeMapping& gone : fresh) {
    const CodeMapping* const now = find(gone.mapping.start);
    if (now == nullptr || !same_code(now->mapping, gone.mapping))
      former_.push_back(std::move(gone));
  }
  if (former_.size() > kMaxFormer) former_.erase(former_.begin(), former_.end() - kMaxFormer);
}

void ProcessMaps::inherit(const ProcessMaps& other) {
  root_ = other.root_;
  current_ = other.current_;
  former_ = other.former_;
  jit_.inherit(other.jit_.map());
  jit_dump_.inherit(other.jit_dump_);
}

const CodeMapping* ProcessMaps::find(std::uint64_t addr) const {
  const auto after = std::ranges::upper_bound(
      current_, addr, {}, [](const CodeMapping& code) { return code.mapping.start; });
  if (after != current_.begin() && addr < (after - 1)->mapping.end) return &*(after - 1);
  const auto former = std::find_if(former_.rbegin(), former_.rend(), [addr](const CodeMapping& c) {
    return addr >= c.mapping.start && addr < c.mapping.end;
  });
  return former == former_.rend() ? nullptr : &*former;
}

}  // namespace callscope
