// SPDX-License-Identifier: Apache-2.0
#include "unwind/load_table.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "unwind/compile_table.hpp"

namespace callscope {
namespace {

// Whether the pages are those of this file's code: a build-id may lie.
bool belongs_to(const UnwindTable& table, const std::vector<AddressRange>& ranges) {
  constexpr std::uint64_t kPageMask = CS_UNWIND_PAGE_SIZE - 1;
  auto page = table.pages.begin();
  std::uint64_t next = 0;  // page that was not seen yet
  for (const AddressRange& range : ranges) {
    for (std::uint64_t start = std::max(range.start & ~kPageMask, next); start < range.end;
         start += CS_UNWIND_PAGE_SIZE) {
      if (page == table.pages.end() || page->start != start) return false;
      ++page;
      next = start + CS_UNWIND_PAGE_SIZE;
    }
  }
  return page == table.pages.end();
}

// Empty: not to be cached.
std::string cache_name(const TableSource& source) {
  std::string name = source.image->build_id();
  if (!name.empty() && source.debug != nullptr) name += "-debug";
  return name;
}

}  // namespace

Result<LoadedTable> load_or_compile(const TableSource& source, UnwindCache* cache) {
  const auto begin = std::chrono::steady_clock::now();
  const auto took = [begin] { return std::chrono::steady_clock::now() - begin; };
  const std::string name = cache == nullptr ? std::string() : cache_name(source);
  if (!name.empty()) {
    const Result<std::vector<AddressRange>> ranges = executable_ranges(*source.image);
    if (!ranges) return std::unexpected(ranges.error());
    std::optional<UnwindTable> cached = cache->load(name);
    if (cached && belongs_to(*cached, *ranges))
      return LoadedTable{std::move(*cached), true, took()};
  }
  Result<UnwindTable> compiled = compile_unwind_table(*source.image, source.debug);
  if (!compiled) return std::unexpected(compiled.error());
  if (!name.empty()) cache->store(name, *compiled);
  return LoadedTable{std::move(*compiled), false, took()};
}

void load_or_compile_all(std::span<const TableSource> sources, UnwindCache* cache, unsigned threads,
                         const std::function<void(std::size_t, Result<LoadedTable>)>& done) {
  constexpr unsigned kMostThreads = 8;
  if (threads == 0) threads = std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads);
  std::atomic<std::size_t> next = 0;
  std::mutex reporting;
  const auto work = [&] {
    for (std::size_t i = next++; i < sources.size(); i = next++) {
      Result<LoadedTable> table = load_or_compile(sources[i], cache);
      const std::lock_guard lock(reporting);
      done(i, std::move(table));
    }
  };
  std::vector<std::jthread> pool;
  for (unsigned i = 1; i < std::min<std::size_t>(threads, sources.size()); ++i)
    pool.emplace_back(work);
  work();  // this thread is one of them
}

}  // namespace callscope
