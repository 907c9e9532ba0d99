// SPDX-License-Identifier: Apache-2.0
// Where calls end: snippets/exits.S has one function for each rule.
#include <catch2/catch.hpp>
#include <vector>

#include "snippet_module.hpp"

using namespace callscope;
using callscope::test::kRetSite;
using Catch::Matchers::Contains;

namespace {

test::SnippetModule& snippets() {
  static test::SnippetModule module(CALLSCOPE_PROBE_SNIPPETS);
  return module;
}

struct Exit {
  std::uint64_t offset = 0;  // from the function's start
  bool tail_jump = false;
  bool emulated = false;
  ReturnSlot slot = {};

  bool operator==(const Exit&) const = default;
};

std::vector<Exit> exits(const std::string& name) {
  const FunctionPlan plan = snippets().plan(name, kRetSite);
  INFO(name << ": " << plan.why_not_better);
  CHECK(plan.exit == ExitMode::kRetSite);
  std::vector<Exit> found;
  for (const ExitSite& site : plan.exits)
    found.push_back(
        {site.addr - snippets().function(name).addr, site.tail_jump, site.emulated, site.slot});
  return found;
}

std::string refusal(const std::string& name) {
  const FunctionPlan plan = snippets().plan(name, kRetSite);
  CHECK(plan.exit == ExitMode::kEntryOnly);
  CHECK(plan.exits.empty());
  return plan.why_not_better;
}

Exit ret_at(std::uint64_t offset) { return {offset, false, false, {}}; }

}  // namespace

TEST_CASE("every ret of a function is found", "[unit]") {
  CHECK(exits("two_returns") == std::vector{ret_at(4), ret_at(5)});
}

TEST_CASE("a jump to another function or through a pointer is a tail call", "[unit]") {
  CHECK(exits("tail_call") == std::vector{Exit{2, true, true, {}}});
  CHECK(exits("tail_call_by_slot") == std::vector{Exit{3, true, false, {}}});
  CHECK(exits("tail_call_by_register") == std::vector{Exit{6, true, false, {}}});
  CHECK(exits("tail_call_beside_an_array") == std::vector{Exit{7, true, false, {}}});
  const FunctionPlan plan = snippets().plan("tail_call", kRetSite);
  CHECK(snippets().code().callee_name(plan.exits.front().tail_target) == "external");
}

TEST_CASE("switch tables and computed goto stay inside", "[unit]") {
  CHECK(exits("switch_table").size() == 2);
  CHECK(exits("computed_goto").size() == 1);
}

TEST_CASE("what cannot be known for certain is refused", "[unit]") {
  CHECK_THAT(refusal("goto_or_tail_call"), Contains("through a pointer"));
  CHECK_THAT(refusal("switch_table_contradicts"), Contains("switch table"));
  CHECK_THAT(refusal("unknown_table"), Contains("through a pointer"));
  CHECK_THAT(refusal("conditional_tail_call"), Contains("conditional jump"));
  CHECK_THAT(refusal("into_other_code"), Contains("middle of other code"));
  CHECK_THAT(refusal("runs_on"), Contains("runs on"));
  CHECK_THAT(refusal("no_instruction"), Contains("no instruction"));
  CHECK_THAT(refusal("between_instructions"), Contains("between instructions"));
  CHECK_THAT(refusal("restarts"), Contains("back to its first instruction"));
  CHECK(snippets().plan("restarts", {.best = ExitMode::kUretprobe}).exit == ExitMode::kEntryOnly);
}

TEST_CASE("an exit where the return address is not on top of the stack is none", "[unit]") {
  CHECK_THAT(refusal("returns_elsewhere"), Contains("not called from"));
  CHECK_THAT(refusal("jumps_with_frame"), Contains("frame on the stack"));
  CHECK_THAT(refusal("switches_stack"), Contains("another stack"));
}

TEST_CASE("the cold part belongs to the function, with a name or without", "[unit]") {
  const std::vector<Exit> named = exits("has_cold_part");
  REQUIRE(named.size() == 2);
  CHECK(named[0] == ret_at(8));
  CHECK(exits("has_nameless_cold_part") == std::vector{ret_at(8)});
}

TEST_CASE("a nameless piece that others use too is no cold part", "[unit]") {
  CHECK_THAT(refusal("shares_cold_part_1"), Contains("conditional jump"));
  CHECK_THAT(refusal("shares_cold_part_2"), Contains("conditional jump"));
  for (const std::string name : {"tail_calls_nameless", "tail_calls_recursive"}) {
    const FunctionPlan plan = snippets().plan(name, kRetSite);
    INFO(name);
    REQUIRE(plan.exits.size() == 1);
    CHECK(plan.exits.front().tail_jump);
    const auto beyond = exit_sites_at(plan.exits.front().tail_target, snippets().code());
    REQUIRE(beyond);
    CHECK(beyond->size() == 1);
  }
}

TEST_CASE("the jump of the stack protector stands for the ret behind it", "[unit]") {
  CHECK(exits("stack_check") == std::vector{Exit{0x25, false, true, {SlotBase::kRsp, 0x18}}});
  CHECK(exits("stack_check_with_frame_pointer") ==
        std::vector{Exit{0x1a, false, true, {SlotBase::kRbp, 8}}});
}

TEST_CASE("but only if every way to the ret passes it, and it ends the process", "[unit]") {
  for (const std::string name :
       {"stack_check_on_one_way", "stack_check_with_wrong_frame_description"}) {
    REQUIRE(exits(name).size() == 1);
    CHECK_FALSE(exits(name).front().emulated);
  }
  for (const Exit& exit : exits("other_check")) CHECK_FALSE(exit.emulated);
}

TEST_CASE("an entry and a return never share an instruction", "[unit]") {
  const FunctionPlan plan = snippets().plan("checks_its_stack", kRetSite);
  CHECK(plan.entry.emulated);  // at the check itself
  REQUIRE(plan.exits.size() == 1);
  CHECK(plan.exits.front().addr > plan.entry.addr);
}

TEST_CASE("cheap exits and a cheap entry are better than a return probe with a dear one",
          "[unit]") {
  const PlanRules return_probe{.best = ExitMode::kUretprobe};
  CHECK(snippets().plan("stack_check", return_probe).exit == ExitMode::kRetSite);
  CHECK(snippets().plan("stack_check", {.prefer_cheap = false}).exit == ExitMode::kUretprobe);
  CHECK(snippets().plan("stack_check_with_frame_pointer", return_probe).exit ==
        ExitMode::kUretprobe);
  CHECK(snippets().plan("sub_branch", return_probe).exit == ExitMode::kUretprobe);
}
