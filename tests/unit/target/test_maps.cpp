// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "sys/fd.hpp"
#include "target/maps.hpp"
#include "tests/unit/target/scratch_dir.hpp"

using namespace callscope;

namespace {

constexpr const char* kText =
    "55d0c0400000-55d0c0421000 r-xp 00001000 fd:01 1835041                    /usr/bin/redis\n"
    "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n"
    "7f0000002000-7f0000003000 r--s 00000000 00:21 77   /srv/my lib/a\\012b (deleted)\n"
    "7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]\n"
    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";

}  // namespace

TEST_CASE("every field of a memory map line is read", "[unit]") {
  const Result<std::vector<Mapping>> maps = parse_maps(kText);
  REQUIRE(maps.has_value());
  REQUIRE(maps->size() == 5);
  const Mapping& code = maps->at(0);
  CHECK(code.start == 0x55d0c0400000);
  CHECK(code.end == 0x55d0c0421000);
  CHECK(code.file_off == 0x1000);
  CHECK(code.dev_major == 0xfd);
  CHECK(code.dev_minor == 1);
  CHECK(code.inode == 1835041);
  CHECK(code.readable);
  CHECK_FALSE(code.writable);
  CHECK(code.executable);
  CHECK_FALSE(code.deleted);
  CHECK(code.path == "/usr/bin/redis");
  CHECK(maps->at(1).path.empty());
  CHECK(maps->at(1).writable);
  CHECK(maps->at(2).path == "/srv/my lib/a\nb");
  CHECK(maps->at(2).deleted);
  CHECK(maps->at(3).path == "[stack]");
  CHECK(maps->at(4).start == 0xffffffffff600000);
  CHECK(map_file_path(12, code) == "/proc/12/map_files/55d0c0400000-55d0c0421000");
}

TEST_CASE("every prefix of a memory map is whole lines or an error", "[unit]") {
  const std::string text = kText;
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const std::string prefix = text.substr(0, length);
    const Result<std::vector<Mapping>> maps = parse_maps(prefix);
    const bool whole = prefix.empty() || prefix.back() == '\n';
    CHECK(maps.has_value() == whole);
    if (maps) CHECK(maps->size() == static_cast<std::size_t>(std::ranges::count(prefix, '\n')));
    if (!maps) CHECK(maps.error().code == ErrorCode::kCorrupt);
  }
}

TEST_CASE("what is not a memory map is refused with the line", "[unit]") {
  for (const char* bad :
       {"\n", "x\n", "2-1 r-xp 0 0:0 0 \n", "1-2 r-xpp 0 0:0 0 \n", "1-2 r-xq 0 0:0 0 \n",
        "1-2 r-xp 0 00 0 \n", "1-2 r-xp 0 0:0 -1 \n", "11111111111111111-2 r-xp 0 0:0 0 \n"}) {
    const Result<std::vector<Mapping>> maps = parse_maps(bad);
    REQUIRE_FALSE(maps.has_value());
    CHECK(maps.error().what == "line 1 of the memory map is malformed");
  }
}

TEST_CASE("a million mappings are parsed completely", "[unit]") {
  std::string text;
  for (int i = 0; i < 1'000'000; ++i) text += "1000-2000 r-xp 00000000 fd:01 5       /usr/lib/a\n";
  const Result<std::vector<Mapping>> maps = parse_maps(text);
  REQUIRE(maps.has_value());
  CHECK(maps->size() == 1'000'000);
  CHECK(maps->back().path == "/usr/lib/a");
}

TEST_CASE("our own mapping of a deleted file with a strange name is found", "[unit]") {
  const test::ScratchDir scratch;
  const std::string path = scratch.write("odd name\n(deleted)", std::string(4096, 'x'));
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(fd.valid());
  void* const data = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  REQUIRE(data != MAP_FAILED);
  REQUIRE(::unlink(path.c_str()) == 0);
  struct stat info{};
  REQUIRE(::fstat(fd.get(), &info) == 0);

  const Result<std::vector<Mapping>> maps = read_maps(::getpid());
  REQUIRE(maps.has_value());
  const auto start = reinterpret_cast<std::uintptr_t>(data);
  const auto mapping = std::ranges::find(*maps, start, &Mapping::start);
  REQUIRE(mapping != maps->end());
  CHECK(mapping->path == path);
  CHECK(mapping->deleted);
  CHECK(mapping->end == start + 4096);
  CHECK(mapping->inode == info.st_ino);
  if (::geteuid() == 0) {
    CHECK(test::read_all(map_file_path(::getpid(), *mapping)) == std::string(4096, 'x'));
  }
  ::munmap(data, 4096);
}

TEST_CASE("the memory map of a process that is gone is not found", "[unit]") {
  const Result<std::vector<Mapping>> maps = read_maps(0x3fffff + 1);
  REQUIRE_FALSE(maps.has_value());
  CHECK(maps.error().code == ErrorCode::kNotFound);
}
