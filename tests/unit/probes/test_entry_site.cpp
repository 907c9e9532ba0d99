// SPDX-License-Identifier: Apache-2.0
// Where entry probes stand: snippets/entries.S has one function for each rule.
#include <catch2/catch.hpp>

#include "snippet_module.hpp"

using namespace callscope;

namespace {

const PlanRules kReturnProbe{.best = ExitMode::kUretprobe};
const PlanRules kRetSite{.best = ExitMode::kRetSite};

struct Placed {
  std::uint64_t offset = 0;  // from the function's start
  bool emulated = false;
  ReturnSlot slot = {};
  std::uint8_t arguments = 0;

  bool operator==(const Placed&) const = default;
};

Placed entry(const std::string& name, const PlanRules& rules) {
  static test::SnippetModule module(CALLSCOPE_PROBE_SNIPPETS);
  const ProbeSite site = module.plan(name, rules).entry;
  return {site.addr - module.function(name).addr, site.emulated, site.slot, site.intact_arguments};
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
        "entered_by_long_jump", "entered_by_pointer"})
    CHECK(entry(name, kReturnProbe) == kFirstStepped);
}

TEST_CASE("what may take long is not passed", "[unit]") {
  CHECK(entry("enters_kernel", kReturnProbe) == kFirstStepped);
  CHECK(entry("repeats", kReturnProbe) == kFirstStepped);
  CHECK(entry("far_away", kReturnProbe) == kFirstStepped);
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
