// SPDX-License-Identifier: Apache-2.0
#include "collect/unwind_feed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "symbols/process_maps.hpp"
#include "sys/read_file.hpp"

namespace callscope {

Result<std::unique_ptr<UnwindFeed>> UnwindFeed::create(UnwindMode mode,
                                                       std::string cache_directory) {
  if (cache_directory.empty()) cache_directory = UnwindCache::default_directory();
  Result<UnwindMaps> maps = UnwindMaps::create({});
  if (!maps) return std::unexpected(maps.error());
  std::unique_ptr<UnwindFeed> feed(new UnwindFeed(mode, cache_directory, std::move(*maps)));
  return feed;
}

UnwindFeed::Refreshed UnwindFeed::refresh(std::int32_t pid) {
  Result<std::string> text = read_file(fmt::format("/proc/{}/maps", pid));
  if (!text || text->empty()) return Refreshed::kEnded;
  const auto known = processes_.find(pid);
  const auto tgid = static_cast<std::uint32_t>(pid);
  // After an exec BPF has taken the ranges away, though the same program may have the same maps.
  if (known != processes_.end() && known->second->maps_text == *text &&
      maps_.process(tgid) == known->second->ranges)
    return Refreshed::kUnchanged;
  const std::shared_ptr<Code> code = publish(pid, std::move(*text));
  if (code == nullptr || !maps_.set_process(tgid, code->ranges)) {
    ++ranges_without_room_;
    return Refreshed::kUnchanged;
  }
  processes_[pid] = code;
  return Refreshed::kChanged;
}

UnwindFeed::Code::~Code() {
  feed.maps_.remove_ranges(ranges);
  feed.modules_.release(modules);
}

std::shared_ptr<UnwindFeed::Code> UnwindFeed::publish(std::int32_t pid, std::string maps_text) {
  Result<std::vector<Mapping>> mappings = parse_maps(maps_text);
  if (!mappings) return nullptr;
  // What lies in the upper half is the kernel's page, and no range is to be made of the page whose
  // instructions belong to others.
  std::erase_if(*mappings, [](const Mapping& mapping) {
    return !mapping.executable || mapping.start >> 63 != 0 || mapping.path == "[uprobes]";
  });
  std::vector<UnwindModule*> modules(mappings->size(), nullptr);
  if (mode_ != UnwindMode::kFramePointer) modules = modules_.acquire(pid, *mappings);
  std::vector<cs_code_range> ranges;
  for (std::size_t i = 0; i < mappings->size(); ++i) {
    const Mapping& mapping = (*mappings)[i];
    static const UnwindModule kNone;
    ranges.push_back((modules[i] == nullptr ? kNone : *modules[i]).range_of(mapping));
    if (ranges.back().kind == CS_CODE_TABLE) continue;
    ranges.back().kind = mode_ == UnwindMode::kEhFrame ? CS_CODE_UNKNOWN
                         : may_be_jit(mapping)         ? CS_CODE_JIT
                                                       : CS_CODE_NO_TABLE;
  }
  std::ranges::sort(ranges, {}, &cs_code_range::start);
  const Result<Run> run = maps_.add_ranges(ranges);
  if (!run) {
    modules_.release(modules);
    return nullptr;
  }
  return std::make_shared<Code>(*this, *run, std::move(modules), std::move(maps_text));
}

UnwindFeed::Refreshed UnwindFeed::forked(std::int32_t child, std::int32_t parent) {
  const auto known = processes_.find(parent);
  const std::optional<Run> given = maps_.process(static_cast<std::uint32_t>(child));
  if (known == processes_.end() || processes_.contains(child)) return Refreshed::kUnchanged;
  const bool has_parents_code = given && known->second->ranges == *given;
  const Refreshed now = has_parents_code ? Refreshed::kUnchanged : refresh(child);
  if (now != Refreshed::kChanged) processes_.try_emplace(child, known->second);
  return now;
}

void UnwindFeed::exited(std::int32_t pid) {
  processes_.erase(pid);
  maps_.remove_process(static_cast<std::uint32_t>(pid));
}

std::vector<std::int32_t> UnwindFeed::processes() const {
  std::vector<std::int32_t> pids;
  for (const auto& [pid, code] : processes_) pids.push_back(pid);
  return pids;
}

std::string UnwindFeed::maps_text(std::int32_t pid) const {
  const auto known = processes_.find(pid);
  return known == processes_.end() ? std::string() : known->second->maps_text;
}

}  // namespace callscope
