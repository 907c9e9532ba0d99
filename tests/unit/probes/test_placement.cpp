// SPDX-License-Identifier: Apache-2.0
// Probe sites in real libraries and programs: how many are cheap, and each of them checked again by
// objdump and readelf, which share nothing with our decoder.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>

#include "disassembly.hpp"
#include "snippet_module.hpp"

using namespace callscope;
using callscope::test::kRetSite;

namespace {

const PlanRules kPlainReturnProbe{.best = ExitMode::kUretprobe, .prefer_cheap = false};

// What readelf says about the frame at an address.
CfaRule cfa_at(const test::FrameOracle& frames, std::uint64_t addr) {
  const auto next = frames.rows.upper_bound(addr);
  return next == frames.rows.begin() ? CfaRule{} : std::prev(next)->second;
}

CfaRule rule_of(const ReturnSlot& slot) {
  return {slot.base == SlotBase::kRsp ? CfaRule::Base::kRsp : CfaRule::Base::kRbp,
          slot.off_bytes + 8};
}

struct Oracles {
  explicit Oracles(const std::string& path) : code(path), frames(test::read_frames(path)) {}

  [[nodiscard]] bool agree_on_entry(const FoundFunction& function, const ProbeSite& site) const {
    if (site.addr == function.addr) return site.slot == ReturnSlot{};
    const bool straight = code.begins_instruction(site.addr) &&
                          code.count(function.addr, site.addr) <= 16 &&
                          !code.leaves_line(function.addr, site.addr);
    return straight && !code.has_target(function.addr + 1, site.addr) &&
           cfa_at(frames, site.addr) == rule_of(site.slot);
  }
  [[nodiscard]] bool agree_on_exit(const ExitSite& site) const {
    const CfaRule cfa = cfa_at(frames, site.addr);
    // A frame that readelf describes by rbp, we may describe by rsp.
    const bool other_base = cfa.base == CfaRule::Base::kRbp && site.slot.base == SlotBase::kRsp;
    return code.begins_instruction(site.addr) && code.leaves_line(site.addr, site.addr + 1) &&
           (cfa == rule_of(site.slot) || other_base);
  }

  test::Disassembly code;
  test::FrameOracle frames;
};

struct Census {
  std::size_t functions = 0;
  std::size_t first = 0;        // first instruction is emulated
  std::size_t with_return = 0;  // entry is emulated and fit for a return probe
  std::size_t without = 0;      // entry is emulated otherwise
  std::size_t past_stack = 0;   // of these, behind a change of rsp
  std::size_t timed = 0;        // exits are known
  std::size_t exits = 0;        // of all kinds
  std::size_t emulated_exits = 0;

  [[nodiscard]] double percent(std::size_t part) const {
    return 100.0 * static_cast<double>(part) / static_cast<double>(functions);
  }
};

Census take_census(const std::string& path) {
  test::SnippetModule module(path);
  const Oracles oracles(path);
  Census census;
  std::size_t wrong = 0;
  for (const FoundFunction& function : module.find("*").functions) {
    const FunctionPlan with_return = plan_function(function, module.code(), kPlainReturnProbe);
    const FunctionPlan without = plan_function(function, module.code(), kRetSite);
    ++census.functions;
    census.first += function.emulated_entry ? 1 : 0;
    census.with_return += with_return.entry.emulated ? 1 : 0;
    census.without += without.entry.emulated ? 1 : 0;
    census.past_stack += without.entry.slot == ReturnSlot{} ? 0 : 1;
    census.timed += without.exit == ExitMode::kRetSite ? 1 : 0;
    bool agreed = oracles.agree_on_entry(function, with_return.entry) &&
                  oracles.agree_on_entry(function, without.entry);
    if (with_return.exit == ExitMode::kUretprobe)
      agreed = agreed && with_return.entry.slot == ReturnSlot{};
    for (const ExitSite& exit : without.exits) {
      ++census.exits;
      census.emulated_exits += exit.emulated ? 1 : 0;
      agreed = agreed && oracles.agree_on_exit(exit);
    }
    if (agreed) continue;
    ++wrong;
    UNSCOPED_INFO(function.name << std::hex << " at " << function.addr << ", entry "
                                << with_return.entry.addr << " or " << without.entry.addr);
  }
  CHECK(wrong == 0);
  std::printf(
      "%s: %zu functions; entries at emulated instructions: %.1f %% unmoved, %.1f %% for "
      "return probes, %.1f %% for exit sites (%zu behind a change of rsp); exits known of "
      "%.1f %%, %zu of %zu at emulated instructions\n",
      path.c_str(), census.functions, census.percent(census.first),
      census.percent(census.with_return), census.percent(census.without), census.past_stack,
      census.percent(census.timed), census.emulated_exits, census.exits);
  return census;
}

void check(const Census& census, double with_return, double without) {
  CHECK(census.functions > 1000);
  CHECK(census.percent(census.with_return) > with_return);
  CHECK(census.percent(census.without) > without);
  CHECK(census.percent(census.timed) > 99);
}

}  // namespace

TEST_CASE("probe sites in the C library", "[unit]") {
  const Census census = take_census(test::libc_path());
  check(census, 68, 77);
  CHECK(census.past_stack > 150);
}

TEST_CASE("probe sites in the C++ library", "[unit]") {
  check(take_census("/usr/lib/x86_64-linux-gnu/libstdc++.so.6"), 78, 80);
}

TEST_CASE("probe sites in a shell", "[unit]") { check(take_census("/usr/bin/bash"), 80, 90); }

TEST_CASE("probe sites in a server built with a stack protector", "[unit]") {
  const Census census = take_census("/usr/bin/redis-server");
  check(census, 80, 90);
  CHECK(census.emulated_exits > census.exits / 5);
}

TEST_CASE("variables that a glob for functions matches are told apart", "[unit]") {
  const test::SnippetModule bash("/usr/bin/bash");
  const auto data_only = [&](const std::string& glob) {
    const FindResult found = bash.find(glob);
    CHECK_FALSE(found.refused.empty());
    return std::ranges::count(found.refused, false, &RefusedFunction::beside_functions);
  };
  CHECK(data_only("PC") == 1);
  const FindResult all = bash.find("*");
  CHECK(std::ranges::any_of(all.refused, &RefusedFunction::beside_functions));
  for (const RefusedFunction& refused : all.refused)
    CHECK(refused.beside_functions == (refused.reason == "is data, not a function"));
}
