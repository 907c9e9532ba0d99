// SPDX-License-Identifier: Apache-2.0
// What a user is told about inlined functions of a running program. No probe is needed for that.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "collect/inlined_notes.hpp"
#include "collect/probe_plan.hpp"
#include "target_run.hpp"

using namespace callscope;
using test::has_note;
using test::parse_patterns;

namespace {

constexpr std::uint64_t kPatienceNs = 20'000'000'000;

// A recording of the target with the functions that would be probed, and what inlining adds to it.
Recording told_about(const std::string& target, const std::vector<FunctionPattern>& wanted) {
  test::Child child({test::target_path(target), "--wait", "--hold"});
  child.read_until("ready");
  Recording recording;
  Symbolizer symbolizer(recording);
  REQUIRE(symbolizer.refresh(child.pid()));
  FunctionRegistry registry(recording.functions);
  if (const auto found = find_probed_functions(child.pid(), symbolizer, wanted))
    (void)plan_probes(*found, {}, symbolizer, registry);
  InlinedSearch search = InlinedSearch::start(child.pid(), symbolizer, wanted);
  apply_inlined(search.finish(kPatienceNs), recording);
  return recording;
}

std::uint64_t copies_of(const Recording& recording, const std::string& name) {
  const auto found = std::ranges::find(recording.functions, name, &FunctionStats::name);
  REQUIRE(found != recording.functions.end());
  return found->inlined_copies;
}

}  // namespace

TEST_CASE("functions say at how many places they are inlined, by any debug file") {
  const std::string target = GENERATE("t_inlined", "t_inlined_split");
  INFO(target);
  const Recording recording = told_about(target, parse_patterns({"inl_*"}));
  CHECK(copies_of(recording, "inl_also") == 1);
  CHECK(copies_of(recording, "inl_never") == 0);
  CHECK(copies_of(recording, "inl_caller_a") == 0);
  CHECK(has_note(recording,
                 "inlined, too, and not seen there (1 function): inl_also (1 "
                 "place)"));
  CHECK(has_note(recording, "'inl_thrice' is inlined everywhere (3 places) and has no code"));
  CHECK(has_note(recording,
                 "'inl_once' is inlined everywhere (1 place) and has no code of its own: "
                 "it cannot be probed; mark it noinline, or probe inl_caller_a"));
}

TEST_CASE("functions that were not asked for are not told about") {
  const Recording recording = told_about("t_inlined", parse_patterns({"inl_never"}));
  CHECK(copies_of(recording, "inl_never") == 0);
  CHECK(recording.notes.empty());
}

TEST_CASE("a clone belongs to its function") {
  const Recording recording = told_about("t_inlined", parse_patterns({"cloned*"}));
  CHECK(copies_of(recording, "cloned.constprop.0") == 0);
  CHECK_FALSE(has_note(recording, "inlined everywhere"));
}

TEST_CASE("without debug information the user is told that nothing is known") {
  const Recording recording = told_about("t_inlined_stripped", parse_patterns({"inl_*"}));
  CHECK(has_note(recording, "what was inlined is not all told (1 file)"));
}

TEST_CASE("a search that is ended early says so") {
  Recording recording;
  Symbolizer symbolizer(recording);
  // This very program: some ten MB of debug information.
  REQUIRE(symbolizer.refresh(::getpid()));
  InlinedSearch search = InlinedSearch::start(::getpid(), symbolizer, parse_patterns({"*"}));
  apply_inlined(search.finish(0), recording);
  CHECK(has_note(recording, "there was no time to read all of it"));
}
