// SPDX-License-Identifier: Apache-2.0
// The unwind table of a module: from the cache if it is there, else compiled and put there. Modules
// without a build-id are never cached. Thread-safe for different images; an image may be used by
// one call at a time.
#pragma once

#include <chrono>
#include <functional>
#include <span>

#include "elf/elf_image.hpp"
#include "unwind/unwind_cache.hpp"

namespace callscope {

struct TableSource {
  const ElfImage* image = nullptr;
  const ElfImage* debug = nullptr;  // the separate debug file, if it is known
};

struct LoadedTable {
  UnwindTable table;
  bool from_cache = false;
  std::chrono::nanoseconds took{0};
};

// cache may be nullptr. Fails as compile_unwind_table().
Result<LoadedTable> load_or_compile(const TableSource& source, UnwindCache* cache);

// All of them in a pool of threads (0: as many as there are CPUs, at most eight); returns when the
// last is done. done(index into sources, table) is called as each is ready, one call at a time,
// from any thread of the pool.
void load_or_compile_all(std::span<const TableSource> sources, UnwindCache* cache, unsigned threads,
                         const std::function<void(std::size_t, Result<LoadedTable>)>& done);

}  // namespace callscope
