// SPDX-License-Identifier: Apache-2.0
// Who may have a return probe in a program that throws: snippets/calls.S.
#include <catch2/catch.hpp>

#include "probes/unwind_proof.hpp"
#include "snippet_module.hpp"

using namespace callscope;

namespace {

bool proven(const std::string& name) {
  static test::SnippetModule module(CALLSCOPE_PROBE_SNIPPETS);
  INFO(name);
  return cannot_be_unwound(module.function(name).addr, module.code());
}

}  // namespace

TEST_CASE("nothing can be thrown through a function that calls nothing", "[unit]") {
  CHECK(proven("leaf"));
  CHECK(proven("reads_return_address"));  // return_slot.hpp keeps return probes away from it
}

TEST_CASE("callees within the module are looked into, recursion included", "[unit]") {
  CHECK(proven("calls_leaf"));
  CHECK(proven("calls_nameless_leaf"));
  CHECK(proven("jumps_to_leaf"));
  CHECK(proven("local_even"));
  CHECK(proven("local_odd"));
  CHECK_FALSE(proven("calls_further"));
  CHECK_FALSE(proven("local_reaches_external"));
}

TEST_CASE("of other modules only the harmless part of the C library counts", "[unit]") {
  CHECK(proven("calls_memcpy"));
  CHECK(proven("checks_its_stack"));
  CHECK_FALSE(proven("calls_malloc"));  // a program may bring its own
  CHECK_FALSE(proven("calls_external"));
  CHECK_FALSE(proven("jumps_to_external"));
  CHECK_FALSE(proven("calls_exported_leaf"));  // may be interposed
}

TEST_CASE("pointers, system calls and other stacks prove nothing", "[unit]") {
  CHECK_FALSE(proven("calls_pointer"));
  CHECK_FALSE(proven("jumps_through_pointer"));
  CHECK_FALSE(proven("has_syscall"));
  CHECK_FALSE(proven("sets_stack_pointer"));
}

TEST_CASE("a proof gives a return probe only where the rules allow it", "[unit]") {
  test::SnippetModule module(CALLSCOPE_PROBE_SNIPPETS);
  const auto exit = [&](const std::string& name, PlanRules rules) {
    return module.plan(name, rules).exit;
  };
  const PlanRules throws{.best = ExitMode::kRetSite};
  PlanRules proofs = throws;
  proofs.proof_allows_return_probe = true;
  CHECK(exit("calls_leaf", throws) == ExitMode::kRetSite);
  CHECK(exit("leaf", proofs) == ExitMode::kUretprobe);
  CHECK(exit("calls_external", proofs) == ExitMode::kRetSite);
  CHECK(exit("reads_return_address", proofs) == ExitMode::kRetSite);
  PlanRules counts = proofs;
  counts.best = ExitMode::kEntryOnly;
  CHECK(exit("leaf", counts) == ExitMode::kEntryOnly);
}
