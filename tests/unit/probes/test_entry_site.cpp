// SPDX-License-Identifier: Apache-2.0
// Where entry probes stand: snippets/entries.S has one function for each rule.
#include <elf.h>

#include <catch2/catch.hpp>

#include "probes/inner_jumps.hpp"
#include "snippet_module.hpp"

using namespace callscope;
using callscope::test::kRetSite;

namespace {

const PlanRules kReturnProbe{.best = ExitMode::kUretprobe};

struct Placed {
  std::uint64_t offset = 0;  // from the function's start
  bool emulated = false;
  ReturnSlot slot = {};
  std::uint8_t arguments = 0;

  bool operator==(const Placed&) const = default;
};

Placed entry(test::SnippetModule& module, const std::string& name, const PlanRules& rules) {
  const ProbeSite site = module.plan(name, rules).entry;
  return {site.addr - module.function(name).addr, site.emulated, site.slot, site.intact_arguments};
}

// The place is the same however the file names addresses in its data.
Placed entry(const std::string& name, const PlanRules& rules) {
  static test::SnippetModule module(CALLSCOPE_PROBE_SNIPPETS);
  static test::SnippetModule relr(CALLSCOPE_PROBE_SNIPPETS_RELR);
  static test::SnippetModule fixed(CALLSCOPE_PROBE_SNIPPETS_FIXED);
  const Placed placed = entry(module, name, rules);
  INFO(name);
  CHECK(entry(relr, name, rules) == placed);
  CHECK(entry(fixed, name, rules) == placed);
  return placed;
}

Placed emulated_at(std::uint64_t offset, std::int32_t slot_bytes = 0,
                   SlotBase base = SlotBase::kRsp) {
  return {offset, true, {base, slot_bytes}, ProbeSite::kAllArguments};
}

const Placed kFirstStepped{0, false, {}, ProbeSite::kAllArguments};

}  // namespace

TEST_CASE("the entry probe slides to the first emulated instruction", "[unit]") {
  CHECK(entry("push_first", kReturnProbe) == emulated_at(0));
  CHECK(entry("endbr_push", kReturnProbe) == emulated_at(4));
  CHECK(entry("test_branch", kReturnProbe) == emulated_at(3));
  CHECK(entry("nop_after_endbr", kReturnProbe) == emulated_at(4));
  CHECK(entry("vectors_on_the_way", kReturnProbe) == emulated_at(10));
  CHECK(entry("only_jumps_on", kReturnProbe).offset == 4);
}

TEST_CASE("a return probe is never placed where rsp has changed", "[unit]") {
  for (const std::string name : {"sub_branch", "sub_call", "lea_stack", "frame_by_rbp"})
    CHECK(entry(name, kReturnProbe) == kFirstStepped);
}

TEST_CASE("without one the entry slides over known changes of rsp", "[unit]") {
  CHECK(entry("sub_branch", kRetSite) == emulated_at(7, 0x18));
  CHECK(entry("sub_call", kRetSite) == emulated_at(8, 8));
  CHECK(entry("lea_stack", kRetSite) == emulated_at(7, 0x20));
  CHECK(entry("frame_by_rbp", kRetSite) == emulated_at(13, 8, SlotBase::kRbp));
}

TEST_CASE("but not where code and frame table do not both tell the slot", "[unit]") {
  for (const std::string name :
       {"aligned_stack", "wrong_frame_description", "no_frame_description", "huge_frame"})
    CHECK(entry(name, kRetSite) == kFirstStepped);
}

TEST_CASE("no other way may lead between the first instruction and the site", "[unit]") {
  for (const std::string name :
       {"loop_head", "switch_into_window", "inner_symbol", "entered_by_short_jump",
        "entered_by_long_jump", "entered_by_pointer", "second_of_two"})
    CHECK(entry(name, kReturnProbe) == kFirstStepped);
}

TEST_CASE("what may take long is not passed", "[unit]") {
  CHECK(entry("enters_kernel", kReturnProbe) == kFirstStepped);
  CHECK(entry("repeats", kReturnProbe) == kFirstStepped);
  CHECK(entry("far_away", kReturnProbe) == kFirstStepped);
}

TEST_CASE("a call is no site where there is a shadow stack", "[unit]") {
  PlanRules shadow_stack = kRetSite;
  shadow_stack.shadow_stack = true;
  CHECK(entry("sub_call", shadow_stack) == kFirstStepped);
  CHECK(entry("sub_branch", shadow_stack) == emulated_at(7, 0x18));
}

TEST_CASE("a nop that the kernel may patch into a call spares the red zone", "[unit]") {
  CHECK(entry("nop_in_red_zone", kReturnProbe) == emulated_at(13));
}

TEST_CASE("arguments that the way overwrites are known, and can be kept", "[unit]") {
  const Placed slid = entry("writes_arguments", kReturnProbe);
  CHECK(slid.offset == 7);
  CHECK(slid.arguments == (ProbeSite::kAllArguments & ~0b1001));  // rdi and rcx
  CHECK(entry("writes_arguments", {.keep_arguments = true}) == kFirstStepped);
  CHECK(entry("endbr_push", {.keep_arguments = true}) == emulated_at(4));
}

TEST_CASE("the files name addresses in the three ways that there are", "[unit]") {
  test::SnippetModule module(CALLSCOPE_PROBE_SNIPPETS);
  test::SnippetModule relr(CALLSCOPE_PROBE_SNIPPETS_RELR);
  test::SnippetModule fixed(CALLSCOPE_PROBE_SNIPPETS_FIXED);
  CHECK(module.code().image().section(".relr.dyn") == nullptr);
  CHECK(relr.code().image().section(".relr.dyn") != nullptr);
  CHECK(fixed.code().image().type() == ET_EXEC);
}

TEST_CASE("tables of absolute addresses are read", "[unit]") {
  test::SnippetModule fixed(CALLSCOPE_PROBE_SNIPPETS_FIXED);
  const auto jumps_of = [&](const std::string& name) {
    return find_inner_jumps(fixed.code().code_of(fixed.function(name)), fixed.code());
  };
  const InnerJumps cases = jumps_of("absolute_switch");
  REQUIRE(cases.indirect.size() == 1);
  CHECK(cases.indirect.front().kind == InnerJumps::Kind::kSwitch);
  CHECK(cases.targets.size() >= 6);
  for (const InnerJumps::Indirect& jump : jumps_of("absolute_labels").indirect)
    CHECK((jump.kind == InnerJumps::Kind::kSwitch || jump.kind == InnerJumps::Kind::kLabels));
  CHECK(fixed.plan("absolute_labels", kRetSite).exit == ExitMode::kRetSite);
}

TEST_CASE("a function that asks for more stack and starts again is met once a call", "[unit]") {
  test::SnippetModule module(CALLSCOPE_PROBE_SNIPPETS);
  const auto planned = [&](const std::string& name) { return module.plan(name, kRetSite); };
  const FunctionPlan grows = planned("grows_stack");
  CHECK(grows.exit == ExitMode::kEntryOnly);
  CHECK_FALSE(grows.counts_restarts);
  CHECK(entry("grows_stack", kRetSite).offset == 26);
  CHECK(entry("grows_stack", kRetSite).emulated);
  for (const std::string name :
       {"grows_stack_and_loops", "grows_stack_again", "loops_behind_check"}) {
    INFO(name);
    CHECK(planned(name).exit == ExitMode::kEntryOnly);
    CHECK(planned(name).counts_restarts);
  }
}
