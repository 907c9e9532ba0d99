// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <catch2/catch.hpp>
#include <charconv>
#include <cstdio>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "python/location_table.hpp"

using callscope::python_line;
using Bytes = std::vector<std::uint8_t>;

namespace {

constexpr const char* kOracle = R"PY(
import argparse, ast, asyncio, dataclasses, inspect, json, typing, unittest.mock
def codes(code, seen):
    seen.append(code)
    for const in code.co_consts:
        if hasattr(const, "co_code"):
            codes(const, seen)
    return seen
for module in argparse, ast, asyncio.events, dataclasses, inspect, json.decoder, typing, unittest.mock:
    with open(module.__file__) as source:
        top = compile(source.read(), module.__file__, "exec")
    for code in codes(top, []):
        lines = [0] * (len(code.co_code) // 2)
        for start, end, line in code.co_lines():
            for at in range(start // 2, end // 2):
                lines[at] = line or 0
        print(code.co_firstlineno, code.co_linetable.hex(), *lines)
)PY";

struct PipeEnd {
  void operator()(std::FILE* pipe) const { ::pclose(pipe); }
};

// One line of the oracle for each code object.
std::vector<std::string> ask_python() {
  const std::string command = "/usr/bin/python3 -c '" + std::string(kOracle) + "'";
  const std::unique_ptr<std::FILE, PipeEnd> pipe(::popen(command.c_str(), "r"));
  REQUIRE(pipe);
  std::string text;
  std::array<char, 65536> chunk{};
  while (const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), pipe.get()))
    text.append(chunk.data(), got);
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

Bytes from_hex(const std::string& text) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    std::uint8_t byte = 0;
    std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    bytes.push_back(byte);
  }
  return bytes;
}

}  // namespace

TEST_CASE("lines are those that the interpreter finds", "[unit]") {
  std::size_t tables = 0;
  std::size_t compared = 0;
  std::size_t wrong = 0;
  for (const std::string& line : ask_python()) {
    std::istringstream fields(line);
    std::uint32_t first_line = 0;
    std::string hex;
    fields >> first_line >> hex;
    const Bytes table = from_hex(hex);
    std::uint32_t instruction = 0;
    for (std::uint32_t wanted = 0; fields >> wanted; ++instruction, ++compared)
      if (python_line(table, first_line, instruction).value_or(0) != wanted) ++wrong;
    CHECK_FALSE(python_line(table, first_line, instruction));
    ++tables;
  }
  CHECK(tables > 500);
  CHECK(compared > 20'000);
  CHECK(wrong == 0);
}

TEST_CASE("each kind of location entry is read", "[unit]") {
  // One line, 2 further down; short; none; no columns, 3 further up; long, 70 further down.
  const Bytes table{0x80 | 12 << 3 | 1,
                    4,
                    8,
                    0x80 | 3 << 3,
                    0x12,
                    0x80 | 15 << 3,
                    0x80 | 13 << 3,
                    7,
                    0x80 | 14 << 3 | 2,
                    0x40 | 12,
                    2,
                    0,
                    1,
                    1};
  CHECK(python_line(table, 10, 0) == 12U);
  CHECK(python_line(table, 10, 1) == 12U);
  CHECK(python_line(table, 10, 2) == 12U);
  CHECK_FALSE(python_line(table, 10, 3));
  CHECK(python_line(table, 10, 4) == 9U);
  for (const std::uint32_t instruction : {5, 6, 7})
    CHECK(python_line(table, 10, instruction) == 9U + 70U);
  CHECK_FALSE(python_line(table, 10, 8));
}

TEST_CASE("damaged location tables have no lines that are not there", "[unit]") {
  const Bytes table{0x80 | 12 << 3 | 1, 4, 8, 0x80 | 14 << 3 | 2, 0x40 | 12, 2, 0, 1, 1};
  for (std::size_t size = 0; size < table.size(); ++size) {
    const callscope::ByteSpan cut = callscope::ByteSpan(table).first(size);
    INFO("cut to " << size);
    CHECK_FALSE(python_line(cut, 10, 2));
    if (size < 3) CHECK_FALSE(python_line(cut, 10, 0));
  }
  CHECK_FALSE(python_line(Bytes{0x00, 0x00}, 10, 0));  // not the beginning of an entry
  // A number that never ends, a line before the first one, and all values of all bytes.
  CHECK_FALSE(python_line(Bytes(64, 0xff), 10, 0));
  CHECK_FALSE(python_line(Bytes{0x80 | 13 << 3, 41}, 10, 0));
  for (unsigned byte = 0; byte < 256; ++byte)
    for (std::size_t size = 0; size < 12; ++size)
      std::ignore = python_line(Bytes(size, static_cast<std::uint8_t>(byte)), 1, 3);
}
