// SPDX-License-Identifier: Apache-2.0
#include "collect/unwind_modules.hpp"

#include <elf.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "symbols/module_image.hpp"
#include "symbols/target_root.hpp"
#include "symbols/vdso.hpp"
#include "sys/page.hpp"
#include "unwind/holes.hpp"
#include "unwind/load_table.hpp"

namespace callscope {
namespace {

struct Compiled {
  Result<UnwindTable> table = fail(ErrorCode::kInternal, "not compiled");
  std::vector<ElfSegment> segments;
};

Result<ModuleImage> open_module(std::int32_t pid, const Mapping& mapping) {
  if (mapping.path == "[vdso]") return read_vdso(pid, mapping);
  Result<ModuleImage> image = ModuleImage::open(map_file_path(pid, mapping));
  if (image || mapping.deleted) return image;
  const Result<TargetRoot> root = TargetRoot::of_process(pid);
  if (!root) return std::unexpected(root.error());
  Result<MappedFile> file = root->map_file(mapping.path);
  if (!file) return std::unexpected(file.error());
  return ModuleImage::from_file(std::move(*file));
}

Compiled compile(std::int32_t pid, const Mapping& mapping, UnwindCache& cache) {
  Compiled compiled;
  const Result<ModuleImage> module = open_module(pid, mapping);
  if (!module) {
    compiled.table = std::unexpected(module.error());
    return compiled;
  }
  for (const ElfSegment& segment : module->image().segments())
    if (segment.type == PT_LOAD && (segment.flags & PF_X) != 0)
      compiled.segments.push_back(segment);
  Result<LoadedTable> loaded = load_or_compile({&module->image()}, &cache);
  if (!loaded) {
    compiled.table = std::unexpected(loaded.error());
    return compiled;
  }
  judge_holes(loaded->table, module->image().entry());
  compiled.table = std::move(loaded->table);
  return compiled;
}

std::vector<Compiled> compile_all(std::int32_t pid, std::span<const Mapping* const> mappings,
                                  UnwindCache& cache) {
  std::vector<Compiled> all(mappings.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < mappings.size(); i = next++)
      all[i] = compile(pid, *mappings[i], cache);
  };
  const std::size_t helpers =
      std::min<std::size_t>(mappings.size(), std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < helpers; ++i) threads.emplace_back(work);
  work();
  threads.clear();
  return all;
}

bool has_file(const Mapping& mapping) { return mapping.inode != 0 || mapping.path == "[vdso]"; }

}  // namespace

cs_code_range UnwindModule::range_of(const Mapping& mapping) const {
  cs_code_range range{};
  range.start = mapping.start;
  range.n_pages = static_cast<std::uint32_t>((mapping.end - mapping.start) / kPageBytes);
  range.kind = CS_CODE_NO_TABLE;
  if (!table_ || table_->pages.count == 0) return range;
  for (const Segment& segment : segments_) {
    const std::uint64_t file_start = segment.file_off / kPageBytes * kPageBytes;
    if (mapping.file_off < file_start || mapping.file_off >= segment.file_off + segment.file_size)
      continue;
    const std::uint64_t vaddr = segment.vaddr - segment.file_off + mapping.file_off;
    range.bias = mapping.start - vaddr;
    range.pages = table_->range_pages();
    // What is mapped beyond the last page of the table is not looked up in another module's.
    const std::uint64_t end = (table_->first_page + table_->pages.count) << CS_UNWIND_PAGE_BITS;
    if (vaddr >> CS_UNWIND_PAGE_BITS < table_->first_page || vaddr >= end) return range;
    range.n_pages = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(range.n_pages, (end - vaddr) / kPageBytes));
    range.kind = CS_CODE_TABLE;
    return range;
  }
  return range;
}

std::vector<UnwindModule*> UnwindModules::acquire(std::int32_t pid,
                                                  std::span<const Mapping> mappings) {
  std::vector<UnwindModule*> found;
  std::vector<const Mapping*> unknown;
  std::vector<UnwindModule*> made;
  ++turn_;
  for (const Mapping& mapping : mappings) {
    if (!has_file(mapping)) {
      found.push_back(nullptr);
      continue;
    }
    const auto [entry, added] =
        modules_.try_emplace(Key{mapping.dev_major, mapping.dev_minor, mapping.inode}, nullptr);
    if (added) entry->second = std::make_unique<UnwindModule>();
    if (added || std::exchange(entry->second->failed_, false)) {
      unknown.push_back(&mapping);
      made.push_back(entry->second.get());
    }
    ++entry->second->users_;
    entry->second->last_used_ = turn_;
    found.push_back(entry->second.get());
  }
  std::vector<Compiled> compiled = compile_all(pid, unknown, cache_);
  for (std::size_t i = 0; i < compiled.size(); ++i) {
    made[i]->segments_.clear();
    for (const ElfSegment& segment : compiled[i].segments)
      made[i]->segments_.push_back({segment.file_off, segment.file_size, segment.vaddr});
    if (compiled[i].table)
      place(*made[i], *compiled[i].table);
    else
      made[i]->failed_ = true;
    counts_.unreadable += compiled[i].table ? 0U : 1U;
  }
  return found;
}

void UnwindModules::place(UnwindModule& module, const UnwindTable& table) {
  for (const std::uint32_t rows : table.invalid_rows) counts_.invalid_rows += rows;
  Result<UnwindMaps::PlacedTable> placed = maps_.add_table(table);
  while (!placed && drop_oldest_unused()) placed = maps_.add_table(table);
  if (placed)
    module.table_ = *placed;
  else
    ++counts_.without_room;
}

// What is given back can be reused only a second later: dropping makes room for the next one.
bool UnwindModules::drop_oldest_unused() {
  auto oldest = modules_.end();
  for (auto it = modules_.begin(); it != modules_.end(); ++it)
    if (it->second->users_ == 0 &&
        (oldest == modules_.end() || it->second->last_used_ < oldest->second->last_used_))
      oldest = it;
  if (oldest == modules_.end()) return false;
  if (oldest->second->table_) maps_.remove_table(*oldest->second->table_);
  modules_.erase(oldest);
  return true;
}

void UnwindModules::release(std::span<UnwindModule* const> modules) {
  for (UnwindModule* const module : modules)
    if (module != nullptr) --module->users_;
}

}  // namespace callscope
