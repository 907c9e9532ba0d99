// SPDX-License-Identifier: Apache-2.0
#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "symbols/jit_dump.hpp"
#include "symbols/jit_dump_file.hpp"

using namespace callscope;
using Bytes = std::vector<std::uint8_t>;

namespace {

template <typename T>
void put(Bytes& bytes, T value) {
  const std::size_t at = bytes.size();
  bytes.resize(at + sizeof(value));
  std::memcpy(bytes.data() + at, &value, sizeof(value));
}

Bytes header() {
  Bytes bytes;
  for (const std::uint32_t value : {0x4A695444U, 1U, 40U, 62U, 0U, 77U}) put(bytes, value);
  put(bytes, std::uint64_t{5});
  put(bytes, std::uint64_t{0});
  return bytes;
}

void begin_record(Bytes& bytes, std::uint32_t id, std::uint64_t body) {
  put(bytes, id);
  put(bytes, static_cast<std::uint32_t>(16 + body));
  put(bytes, std::uint64_t{6});
}

void load(Bytes& bytes, std::uint64_t addr, std::uint64_t size, const std::string& name,
          std::uint64_t index = 1) {
  begin_record(bytes, 0, 40 + name.size() + 1 + size);
  put(bytes, 77U);
  put(bytes, 78U);
  for (const std::uint64_t value : {addr, addr, size, index}) put(bytes, value);
  bytes.insert(bytes.end(), name.begin(), name.end());
  bytes.push_back(0);
  bytes.insert(bytes.end(), size, 0xcc);
}

void move(Bytes& bytes, std::uint64_t from, std::uint64_t to, std::uint64_t size) {
  begin_record(bytes, 1, 48);
  put(bytes, 77U);
  put(bytes, 78U);
  for (const std::uint64_t value : {to, from, to, size, std::uint64_t{1}}) put(bytes, value);
}

std::string name_at(const JitDump& dump, std::uint64_t addr) {
  const auto match = dump.map().find(addr);
  return match ? std::string(match->name) : std::string();
}

Bytes sample() {
  Bytes bytes = header();
  load(bytes, 0x1000, 0x20, "LazyCompile:*f a.js:1");
  begin_record(bytes, 2, 24);  // lines, which are not read
  bytes.insert(bytes.end(), 24, 0xab);
  load(bytes, 0x2000, 0x40, "g");
  move(bytes, 0x2000, 0x3000, 0x40);
  load(bytes, 0x1010, 0x30, "h");
  begin_record(bytes, 3, 0);  // the end
  return bytes;
}

}  // namespace

TEST_CASE("a jitdump names code that was loaded and moved; the newest wins", "[unit]") {
  JitDump dump;
  const Bytes bytes = sample();
  CHECK(dump.add(bytes) == bytes.size());
  CHECK_FALSE(dump.damaged());
  CHECK(name_at(dump, 0x0fff).empty());
  CHECK(name_at(dump, 0x100f) == "LazyCompile:*f a.js:1");
  CHECK(name_at(dump, 0x1010) == "h");
  CHECK(name_at(dump, 0x103f) == "h");
  CHECK(name_at(dump, 0x1040).empty());
  CHECK(name_at(dump, 0x2000).empty());
  CHECK(name_at(dump, 0x3000) == "g");
  CHECK(dump.map().find(0x303f)->sym_off == 0x3f);
}

TEST_CASE("a jitdump that grows is read as it grows", "[unit]") {
  const Bytes bytes = sample();
  JitDump whole;
  whole.add(bytes);
  for (std::size_t step = 1; step < 300; step += 13) {
    JitDump dump;
    std::uint64_t taken = 0;
    for (std::size_t end = 0; end <= bytes.size() + step; end += step) {
      const std::size_t size = std::min(end, bytes.size());
      if (taken < size) taken += dump.add(ByteSpan(bytes).subspan(taken, size - taken));
    }
    INFO("step " << step);
    CHECK(taken == bytes.size());
    CHECK_FALSE(dump.damaged());
    CHECK(name_at(dump, 0x3000) == "g");
    CHECK(name_at(dump, 0x1010) == "h");
    CHECK(dump.map().size() == whole.map().size());
  }
}

TEST_CASE("a damaged jitdump ends where it is damaged", "[unit]") {
  const auto damaged_at = [](std::size_t pos, std::uint8_t value) {
    Bytes bytes = sample();
    bytes.at(pos) = value;
    JitDump dump;
    dump.add(bytes);
    return dump.damaged();
  };
  CHECK(damaged_at(0, 'X'));    // magic
  CHECK(damaged_at(4, 9));      // version
  CHECK(damaged_at(8, 3));      // a header too small
  CHECK(damaged_at(44, 3));     // a record too small
  CHECK(damaged_at(87, 0x7f));  // code larger than its record
  // Any single byte changed: never a read outside, which the sanitizers would see.
  const Bytes good = sample();
  for (std::size_t pos = 0; pos < good.size(); ++pos)
    for (const int value : {0x00, 0x7f, 0x80, 0xff}) {
      Bytes bytes = good;
      bytes[pos] = static_cast<std::uint8_t>(value);
      JitDump dump;
      std::ignore = dump.add(bytes);
    }
  JitDump empty;
  CHECK(empty.add({}) == 0);
  CHECK_FALSE(empty.damaged());
}

TEST_CASE("the mapping of a jitdump is the mark of its writer", "[unit]") {
  Mapping mapping;
  mapping.executable = true;
  mapping.inode = 7;
  mapping.path = "/tmp/x/jit-1234.dump";
  CHECK(is_jit_dump(mapping));
  for (const char* const path : {"/tmp/jit-.dump", "/tmp/jit-12a.dump", "/tmp/jit-12.dump.gz",
                                 "/tmp/my-jit-12.dump", "/tmp/perf-12.map", ""}) {
    mapping.path = path;
    INFO(path);
    CHECK_FALSE(is_jit_dump(mapping));
  }
  mapping.path = "/jit-1.dump";
  mapping.executable = false;
  CHECK_FALSE(is_jit_dump(mapping));
}
