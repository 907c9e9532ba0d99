// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>
#include <string>

#include "data_files.hpp"
#include "flamegraph/folded.hpp"

using callscope::ErrorCode;
using callscope::FoldedStack;
using callscope::FoldedStats;
using callscope::parse_folded;
using callscope::test::read_data;

namespace {

using Frames = std::vector<std::string>;

FoldedStack parse_one(std::string_view line) {
  const auto stacks = parse_folded(line);
  REQUIRE(stacks);
  REQUIRE(stacks->size() == 1);
  return stacks->front();
}

}  // namespace

TEST_CASE("a folded line is frames from the root and the weight behind the last blank", "[unit]") {
  const FoldedStack stack = parse_one("main;work;read 42\n");
  CHECK(stack.frames == Frames{"main", "work", "read"});
  CHECK(stack.weight == 42);
}

TEST_CASE("frames keep blanks, brackets and markup", "[unit]") {
  const FoldedStack stack = parse_one("a b;f(int, char) const;v<T&>::\"x\" 7");
  CHECK(stack.frames == Frames{"a b", "f(int, char) const", "v<T&>::\"x\""});
  CHECK(parse_one("a\tb\t3").frames == Frames{"a\tb"});
  CHECK(parse_one("a;;b 1").frames == Frames{"a", "[unknown]", "b"});
  CHECK(parse_one("a 1 2").frames == Frames{"a 1"});
}

TEST_CASE("line ends, comments, empty lines and a byte order mark are no stacks", "[unit]") {
  FoldedStats stats;
  const auto stacks = parse_folded(
      "\xef\xbb\xbf"
      "# made by hand\r\n\r\na;b 1\r\n  \n c;d 2  ",
      &stats);
  REQUIRE(stacks);
  REQUIRE(stacks->size() == 2);
  CHECK((*stacks)[0].frames == Frames{"a", "b"});
  CHECK((*stacks)[1].weight == 2);
  CHECK(stats.lines == 5);
  CHECK(stats.skipped == 0);
}

TEST_CASE("fractional weights are rounded half up", "[unit]") {
  CHECK(parse_one("a 1.49").weight == 1);
  CHECK(parse_one("a 1.5").weight == 2);
  CHECK(parse_one("a 3.").weight == 3);
  CHECK(parse_one("a 0.2").weight == 0);
  CHECK(parse_one("a 18446744073709551615").weight == 18446744073709551615U);
}

TEST_CASE("malformed lines are counted, named and skipped", "[unit]") {
  FoldedStats stats;
  const auto stacks = parse_folded(
      "good;one 1\nno-weight\na;b twelve\n 5\na -1\na 1e3\na 1.2.3\na nan\n"
      "a 18446744073709551616\na 18446744073709551615.5\ngood;two 2\n",
      &stats);
  REQUIRE(stacks);
  CHECK(stacks->size() == 2);
  CHECK(stats.lines == 11);
  CHECK(stats.skipped == 9);
  CHECK(stats.first_skipped_line == 2);
  CHECK(stats.first_skipped_reason == "no weight after the last blank");
}

TEST_CASE("a line that would overflow the sum of weights is skipped", "[unit]") {
  FoldedStats stats;
  const auto stacks = parse_folded("a 18446744073709551615\nb 1\n", &stats);
  REQUIRE(stacks);
  CHECK(stacks->size() == 1);
  CHECK(stats.skipped == 1);
}

TEST_CASE("input without one valid stack is an error that says why", "[unit]") {
  for (const std::string_view text : {"", "\n\n", "# only a comment\n", "\xef\xbb\xbf"}) {
    const auto stacks = parse_folded(text);
    REQUIRE_FALSE(stacks);
    CHECK(stacks.error().code == ErrorCode::kCorrupt);
    CHECK(stacks.error().what == "no stacks in the folded input");
  }
  const auto stacks = parse_folded(
      "\x7f"
      "ELF\x02\x01\n<html>\n");
  REQUIRE_FALSE(stacks);
  CHECK(stacks.error().code == ErrorCode::kCorrupt);
  CHECK(stacks.error().what ==
        "no valid line in the folded input; line 1: no weight after the last blank");
}

TEST_CASE("files of perf and bcc are read in full", "[unit]") {
  FoldedStats stats;
  const auto perf = parse_folded(read_data("perf.folded"), &stats);
  REQUIRE(perf);
  CHECK(stats.skipped == 0);
  CHECK(perf->size() == 11);
  CHECK((*perf)[3].frames.back() ==
        "std::__detail::_Hash_node<std::pair<std::string const, int>, true>* "
        "operator()(char const*)_[i]");
  const auto bcc = parse_folded(read_data("bcc.folded"), &stats);
  REQUIRE(bcc);
  CHECK(stats.skipped == 0);
  CHECK((*bcc)[2].frames ==
        Frames{"kworker/0:1", "-", "ret_from_fork_asm_[k]", "kthread_[k]", "worker_thread_[k]"});
}

TEST_CASE("every prefix of a good file parses or fails cleanly", "[unit]") {
  for (const char* name : {"perf.folded", "bcc.folded", "hostile.folded"}) {
    const std::string text = read_data(name);
    std::uint64_t lines_before = 0;
    for (std::size_t size = 0; size <= text.size(); ++size) {
      FoldedStats stats;
      // A copy of exactly this size, so that a sanitizer sees a read past its end.
      const std::vector<char> prefix(text.begin(),
                                     text.begin() + static_cast<std::ptrdiff_t>(size));
      const auto stacks = parse_folded({prefix.data(), prefix.size()}, &stats);
      CHECK(stats.lines >= lines_before);
      CHECK(stats.skipped <= 1);
      if (stacks) CHECK(stacks->size() + stats.skipped <= stats.lines);
      lines_before = stats.lines;
    }
  }
}
