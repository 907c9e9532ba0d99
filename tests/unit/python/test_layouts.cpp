// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "python/layouts.hpp"

using callscope::python_layout;
using callscope::PythonVersion;

namespace {

constexpr PythonVersion kPython311{0x030b02f0};
constexpr PythonVersion kPython313{0x030d00f0};

// struct _Py_DebugOffsets of CPython 3.13.0 on x86-64, as the file has it.
std::vector<std::uint8_t> debug_offsets() {
  std::vector<std::uint64_t> words(72, 0);
  std::memcpy(words.data(), "xdebugpy", 8);
  words[1] = kPython313.hex;
  const auto set = [&](std::size_t first, std::initializer_list<std::uint64_t> values) {
    std::ranges::copy(values, words.begin() + static_cast<std::ptrdiff_t>(first));
  };
  set(3, {164224, 600, 632});
  set(6, {202432, 7272, 7264, 7344});
  set(19, {320, 0, 8, 16, 72, 152, 160, 248, 56});
  set(28, {88, 8, 0, 56, 72, 70});
  set(34, {208, 112, 120, 128, 136, 68, 52, 96, 104, 200});
  set(44, {16, 8});
  set(64, {40, 16, 32});
  set(67, {64, 32, 16, 40});
  std::vector<std::uint8_t> bytes(words.size() * 8);
  std::memcpy(bytes.data(), words.data(), bytes.size());
  return bytes;
}

void set_word(std::vector<std::uint8_t>& bytes, std::size_t word, std::uint64_t value) {
  std::memcpy(bytes.data() + word * 8, &value, sizeof(value));
}

}  // namespace

#ifdef WITH_PYTHON311_HEADERS
extern "C" std::uint32_t python311_offset(int field);

TEST_CASE("the layout of CPython 3.11 is that of its headers", "[unit]") {
  const auto layout = python_layout(kPython311, {});
  REQUIRE(layout);
  std::array<std::uint32_t, sizeof(cs_python_layout) / sizeof(std::uint32_t)> words{};
  std::memcpy(words.data(), &*layout, sizeof(*layout));
  for (std::size_t i = 0; i < words.size(); ++i) {
    INFO("field " << i);
    CHECK(words[i] == python311_offset(static_cast<int>(i)));
  }
}
#endif

TEST_CASE("CPython 3.13 says its layout itself", "[unit]") {
  const auto layout = python_layout(kPython313, debug_offsets());
  REQUIRE(layout);
  CHECK(layout->interpreters_head == 632);
  CHECK(layout->interpreter_next == 7264);
  CHECK(layout->threads_head == 7344);
  CHECK(layout->thread_next == 8);
  CHECK(layout->thread_id == 152);
  CHECK(layout->thread_frame == 72);
  CHECK(layout->by_cframe == 0);
  CHECK(layout->frame_code == 0);
  CHECK(layout->frame_previous == 8);
  CHECK(layout->frame_instruction == 56);
  CHECK(layout->frame_owner == 70);
  CHECK(layout->has_is_entry == 0);
  CHECK(layout->code_first_line == 68);
  CHECK(layout->code_filename == 112);
  CHECK(layout->code_qualname == 128);
  CHECK(layout->code_linetable == 136);
  CHECK(layout->code_start == 200);
  CHECK(layout->string_ascii == 40);
  CHECK(layout->string_compact == 56);
}

TEST_CASE("debug offsets that are cut or make no sense are refused", "[unit]") {
  const std::vector<std::uint8_t> good = debug_offsets();
  for (std::size_t size = 0; size < 71 * 8; ++size)
    CHECK_FALSE(python_layout(kPython313, callscope::ByteSpan(good).first(size)));
  // What is read as part of a block must lie in it; 3.13 without the global lock is another one.
  for (const std::size_t word : {2, 21, 23, 24, 29, 30, 31, 33, 35, 37, 38, 39, 45, 66}) {
    std::vector<std::uint8_t> bytes = good;
    set_word(bytes, word, 1000);
    INFO("word " << word);
    CHECK_FALSE(python_layout(kPython313, bytes));
  }
  std::vector<std::uint8_t> other = good;
  set_word(other, 1, 0x030d01f0);
  CHECK_FALSE(python_layout(kPython313, other));
  other = good;
  other[0] = 'X';
  CHECK_FALSE(python_layout(kPython313, other));
}

TEST_CASE("versions that are not known have no layout", "[unit]") {
  for (const std::uint32_t hex : {0x030a0cf0U, 0x030e00f0U, 0x040b00f0U, 0x020712f0U, 0U}) {
    INFO(hex);
    CHECK_FALSE(python_layout({hex}, debug_offsets()));
  }
  CHECK(python_layout({0x030b00f0}, {}));
  CHECK(python_layout({0x030c01f0}, {}));
  CHECK(python_layout({0x030c00c2}, {}));        // a release candidate
  CHECK_FALSE(python_layout({0x030c00b4}, {}));  // a beta
}
