// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "python/interleave.hpp"

using namespace callscope;

namespace {

// Native frames, leaf first: 'E' the evaluation loop, any other letter another function.
std::vector<bool> loops(std::string_view native) {
  std::vector<bool> is_loop;
  for (const char c : native) is_loop.push_back(c == 'E');
  return is_loop;
}

// Python frames, leaf first: a digit each, '|' behind the last one of a loop; "-|" is a loop whose
// frame of C is all that it has.
std::vector<cs_python_frame> frames(std::string_view python) {
  std::vector<cs_python_frame> all;
  for (const char c : python) {
    if (c == '|')
      all.back().flags |= CS_PYTHON_OUTERMOST;
    else
      all.push_back({static_cast<std::uint64_t>(c), 0, c == '-' ? CS_PYTHON_NO_FRAME : 0U});
  }
  return all;
}

// The mixed stack as text, "!" behind one that is cut; "none".
std::string mix(std::string_view native, std::string_view python, bool native_complete = true,
                std::uint32_t end = CS_PYTHON_COMPLETE) {
  const std::vector<cs_python_frame> all = frames(python);
  const auto mixed = interleave(loops(native), native_complete, all, end);
  if (!mixed) return "none";
  std::string text;
  for (const MixedFrame& frame : mixed->frames)
    text += frame.python ? static_cast<char>(all[frame.index].code) : native[frame.index];
  return text + (mixed->cut ? "!" : "");
}

}  // namespace

TEST_CASE("each loop is replaced by the functions that it runs", "[unit]") {
  CHECK(mix("aEbcEd", "12|345|") == "a12bc345d");
  CHECK(mix("Ed", "1|") == "1d");
  CHECK(mix("EEd", "1|2|") == "12d");
  CHECK(mix("ab", "") == "ab");
  // 3.12 and later end each loop by a frame of C.
  CHECK(mix("aEbEd", "12-|34-|") == "a12b34d");
  CHECK(mix("EbEd", "-|34-|") == "Eb34d");
}

TEST_CASE("a loop that has just begun or ends has no function", "[unit]") {
  CHECK(mix("EbEd", "12|") == "Eb12d");
  CHECK(mix("Ed", "") == "Ed");
  CHECK(mix("aEbEd", "12|") == "none");  // it has called something: it had one
}

TEST_CASE("halves that do not fit give no Python frame", "[unit]") {
  CHECK(mix("aEbEd", "1|2|3|") == "none");
  CHECK(mix("EbEbEd", "1|") == "none");
  CHECK(mix("ab", "1|") == "none");
  CHECK(mix("aEb", "1|2") == "none");  // the last one ends no loop
  for (const std::uint32_t end : {CS_PYTHON_NO_THREAD, CS_PYTHON_BROKEN, CS_PYTHON_LINKING})
    CHECK(mix("aEb", "1|", true, end) == "none");
}

TEST_CASE("a native half that is cut still fits at the inner end", "[unit]") {
  CHECK(mix("aEbEc", "1|2|3|", false) == "a1b2c");
  CHECK(mix("aEbE", "1|", false) == "none");
  CHECK(mix("EbE", "1|2|3|", false) == "none");  // the first loop may have no function
}

TEST_CASE("a Python half that is cut ends the stack", "[unit]") {
  CHECK(mix("aEbEc", "1|234", true, CS_PYTHON_DEPTH) == "a1b234!");
  CHECK(mix("Ebc", "1234", true, CS_PYTHON_DEPTH) == "1234!");
  CHECK(mix("EbEc", "1|234", true, CS_PYTHON_DEPTH) == "none");
  CHECK(mix("aEb", "1|234", true, CS_PYTHON_DEPTH) == "none");  // a loop too few
}
