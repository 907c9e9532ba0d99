// SPDX-License-Identifier: Apache-2.0
// Tables on disk: what comes back is what was stored, and nothing that lies there can do harm.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/unit/unwind/sample_table.hpp"
#include "unwind/load_table.hpp"
#include "unwind/table_file.hpp"

using namespace callscope;
namespace fs = std::filesystem;

namespace {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (fs::temp_directory_path() / "callscope-cache-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] fs::path path() const { return path_; }

 private:
  fs::path path_;
};

std::vector<std::uint8_t> stored_bytes(const UnwindTable& table) { return write_table(table); }

UnwindTable small_table(std::size_t rows = 1) {
  TableBuilder builder;
  builder.begin_range(0x1000);
  for (std::size_t i = 0; i < rows; ++i)
    builder.set(0x1000 + i, test::cfa_rule(7, static_cast<int>(8 + i % 2 * 8)));
  builder.end_range(0x1000 + rows);
  return std::move(builder).finish();
}

void set_age(const fs::path& file, int seconds) {
  const timespec then{::time(nullptr) - seconds, 0};
  const timespec times[2] = {then, then};
  REQUIRE(::utimensat(AT_FDCWD, file.c_str(), times, 0) == 0);
}

}  // namespace

TEST_CASE("a table comes back as it was stored, in the version and checksum of its file",
          "[unit]") {
  const auto file = test::SampleTable::of(test::file_bytes(CALLSCOPE_UNWIND_SAMPLE));
  const std::vector<std::uint8_t> bytes = stored_bytes(file.table);
  const auto back = read_table(bytes);
  REQUIRE(back);
  CHECK(stored_bytes(*back) == bytes);
  CHECK(back->pages == file.table.pages);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    if (read_table(ByteSpan(bytes).first(size))) FAIL("a cut at " << size << " was read");
  for (std::size_t pos = 0; pos < bytes.size(); ++pos) {
    auto damaged = bytes;
    damaged[pos] ^= 0x10;
    if (read_table(damaged)) FAIL("a changed byte at " << pos << " was read");
  }
}

TEST_CASE("the second load is from the cache, and is the same table", "[unit]") {
  const TemporaryDirectory temporary;
  UnwindCache cache((temporary.path() / "made" / "here").string());
  const auto file = test::SampleTable::of(test::file_bytes(CALLSCOPE_UNWIND_SAMPLE));
  const auto first = load_or_compile({&file.image}, &cache);
  const auto second = load_or_compile({&file.image}, &cache);
  REQUIRE(first);
  REQUIRE(second);
  CHECK_FALSE(first->from_cache);
  CHECK(second->from_cache);
  CHECK(stored_bytes(first->table) == stored_bytes(second->table));
  CHECK(cache.stats().files == 1);
  CHECK(cache.stats().bytes == stored_bytes(first->table).size());
  CHECK(cache.problem().empty());
  // A table that was made with a debug file is another one.
  const auto with_debug = load_or_compile({&file.image, &file.image}, &cache);
  REQUIRE(with_debug);
  CHECK_FALSE(with_debug->from_cache);
  CHECK(cache.stats().files == 2);
  CHECK(cache.clear().files == 2);
  CHECK(cache.stats().files == 0);
}

TEST_CASE("a damaged, foreign or wrong file is compiled anew and replaced", "[unit]") {
  const TemporaryDirectory temporary;
  UnwindCache cache(temporary.path().string());
  const auto file = test::SampleTable::of(test::file_bytes(CALLSCOPE_UNWIND_SAMPLE));
  const fs::path stored = temporary.path() / (file.image.build_id() + ".unwind");
  const auto spoil = [&](const std::string& how) {
    fs::remove(stored);
    if (how == "damaged")
      std::ofstream(stored) << "csunwind and then something else that is long enough to be a file";
    else if (how == "empty")
      std::ofstream(stored).flush();
    else if (how == "other code")
      cache.store(file.image.build_id(), small_table());
    else if (how == "symbolic link")
      fs::create_symlink("/etc/hostname", stored);
    else if (how == "pipe")
      REQUIRE(::mkfifo(stored.c_str(), 0600) == 0);
  };
  for (const char* const how : {"damaged", "empty", "other code", "symbolic link", "pipe"}) {
    INFO(how);
    spoil(how);
    const auto first = load_or_compile({&file.image}, &cache);
    REQUIRE(first);
    CHECK_FALSE(first->from_cache);
    const auto second = load_or_compile({&file.image}, &cache);
    REQUIRE(second);
    CHECK(second->from_cache);
    CHECK(fs::is_regular_file(fs::symlink_status(stored)));
  }
  CHECK(cache.problem().empty());
}

TEST_CASE("a directory that cannot be used costs one note and no table", "[unit]") {
  const TemporaryDirectory temporary;
  std::ofstream(temporary.path() / "file") << "in the way";
  UnwindCache cache((temporary.path() / "file" / "cache").string());
  const auto file = test::SampleTable::of(test::file_bytes(CALLSCOPE_UNWIND_SAMPLE));
  for (int round = 0; round < 2; ++round) {
    const auto table = load_or_compile({&file.image}, &cache);
    REQUIRE(table);
    CHECK_FALSE(table->from_cache);
  }
  CHECK(cache.problem().find("cannot") == 0);
  CHECK(cache.problem().find(cache.directory()) != std::string::npos);
}

TEST_CASE("what was not used longest goes first; old files and left-overs go, others stay",
          "[unit]") {
  const TemporaryDirectory temporary;
  const std::uint64_t size = stored_bytes(small_table(1000)).size();
  UnwindCache cache(temporary.path().string(), {size * 5, std::chrono::hours(1)});
  for (const char* const name : {"a1", "a2", "a3", "a4"}) {
    cache.store(name, small_table(1000));
    set_age(temporary.path() / (std::string(name) + ".unwind"), 100 - name[1]);
  }
  CHECK(cache.load("a1"));  // now the one that was used last
  cache.store("a5", small_table(1000));
  CHECK(cache.stats().files == 5);
  cache.store("a6", small_table(1000));  // too much: a2 and a3 are oldest, 90 % are 4.5 files
  CHECK_FALSE(cache.load("a2"));
  CHECK(cache.load("a1"));
  CHECK(cache.load("a4"));
  CHECK(cache.load("a6"));
  CHECK(cache.stats().bytes <= size * 5);

  set_age(temporary.path() / "a4.unwind", 2 * 3600);
  std::ofstream(temporary.path() / "x-1-0.unwind-new") << "left over";
  set_age(temporary.path() / "x-1-0.unwind-new", 2 * 3600);
  std::ofstream(temporary.path() / "not-ours.txt") << "stays";
  set_age(temporary.path() / "not-ours.txt", 2 * 3600);
  cache.trim();
  CHECK_FALSE(cache.load("a4"));
  CHECK_FALSE(fs::exists(temporary.path() / "x-1-0.unwind-new"));
  cache.clear();
  CHECK(cache.stats().files == 0);
  CHECK(fs::exists(temporary.path() / "not-ours.txt"));
}

TEST_CASE("no name leads out of the directory", "[unit]") {
  const TemporaryDirectory temporary;
  UnwindCache cache((temporary.path() / "in").string());
  const std::vector<std::string> names{"../out", "", ".hidden", "a/b", std::string(300, 'a')};
  for (const std::string& name : names) {
    cache.store(name, small_table());
    CHECK_FALSE(cache.load(name));
  }
  CHECK(cache.stats().files == 0);
  CHECK_FALSE(fs::exists(temporary.path() / "out.unwind"));
}

TEST_CASE("a pool of threads loads every module once", "[unit]") {
  const TemporaryDirectory temporary;
  UnwindCache cache(temporary.path().string());
  std::vector<std::vector<std::uint8_t>> bytes;
  std::vector<ElfImage> images;
  for (int i = 0; i < 12; ++i) {
    bytes.push_back(
        test::file_bytes(i % 2 == 0 ? CALLSCOPE_UNWIND_SAMPLE : CALLSCOPE_UNWIND_SMALL));
    auto image = ElfImage::parse(bytes.back());
    REQUIRE(image);
    images.push_back(std::move(*image));
  }
  std::vector<TableSource> sources;
  for (const ElfImage& image : images) sources.push_back({&image});
  std::vector<int> seen(sources.size());
  load_or_compile_all(sources, &cache, 4, [&](std::size_t i, Result<LoadedTable> table) {
    if (table && !table->table.rows.empty()) ++seen[i];
  });
  CHECK(seen == std::vector<int>(sources.size(), 1));
  CHECK(cache.stats().files == 2);
  CHECK(cache.problem().empty());
}
