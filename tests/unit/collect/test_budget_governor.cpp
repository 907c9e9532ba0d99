// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "collect/budget_governor.hpp"

using namespace callscope;

namespace {

constexpr std::uint64_t kPeriodNs = 100'000'000;

// A machine on which functions are called at fixed rates; carries out what the governor says.
struct Machine {
  struct Function {
    FunctionLoad load;
    double calls_per_s = 0;
    bool removed = false;
    bool counted_only = false;
  };
  std::vector<Function> functions;
  std::uint64_t now_ns = 1;

  void add(std::uint32_t func, double calls_per_s, std::uint64_t timed_ns, std::uint64_t counted_ns,
           bool ret_site = false) {
    functions.push_back({{func, 0, 0, timed_ns, counted_ns, ret_site, 0}, calls_per_s});
  }

  void run(BudgetGovernor& governor, int periods) {
    for (int i = 0; i < periods; ++i) {
      now_ns += kPeriodNs;
      std::vector<FunctionLoad> loads;
      for (Function& f : functions) {
        if (f.removed) continue;
        const auto calls = static_cast<std::uint64_t>(f.calls_per_s / 10);
        const std::uint64_t timed = f.counted_only ? 0 : calls >> f.load.shift;
        f.load.timed += timed;
        f.load.counted += calls - timed;
        loads.push_back(f.load);
      }
      for (const SheddingStep& step : governor.steps(now_ns, loads)) carry_out(step);
    }
  }

  // Share of a CPU that the probes take now.
  [[nodiscard]] double share() const {
    double share = 0;
    for (const Function& f : functions) {
      if (f.removed) continue;
      const double timed =
          f.counted_only ? 0 : f.calls_per_s / static_cast<double>(1U << f.load.shift);
      share += timed * static_cast<double>(f.load.timed_cost_ns) +
               (f.calls_per_s - timed) * static_cast<double>(f.load.counted_cost_ns);
    }
    return share / 1e9;
  }

 private:
  void carry_out(const SheddingStep& step) {
    for (Function& f : functions) {
      if (f.load.func != step.func) continue;
      f.removed = f.removed || step.step == Shedding::kRemove;
      if (step.step == Shedding::kCountOnly) {
        f.counted_only = true;
        f.load.exits_always_fire = false;
      }
      if (step.step == Shedding::kSample) f.load.shift = step.shift;
    }
  }
};

}  // namespace

TEST_CASE("functions within the budget are left alone", "[unit]") {
  BudgetGovernor governor(5);
  Machine machine;
  machine.add(1, 10'000, 1000, 400);
  machine.add(2, 20'000, 1000, 400);
  machine.run(governor, 100);
  CHECK(machine.functions[0].load.shift == 0);
  CHECK(machine.functions[1].load.shift == 0);
}

TEST_CASE("a short burst is let pass", "[unit]") {
  BudgetGovernor governor(5);
  Machine machine;
  machine.add(1, 300'000, 1000, 400);
  machine.run(governor, 1);
  machine.functions[0].calls_per_s = 0;
  machine.run(governor, 100);
  CHECK(machine.functions[0].load.shift == 0);
}

TEST_CASE("the mildest step that keeps the budget is taken", "[unit]") {
  BudgetGovernor governor(5);
  Machine machine;
  SECTION("one call in N, where counting is affordable") {
    machine.add(1, 80'000, 1000, 400);
    machine.run(governor, 50);
    CHECK(machine.functions[0].load.shift > 0);
    CHECK_FALSE(machine.functions[0].removed);
  }
  SECTION("counting only, where each exit is paid for") {
    machine.add(1, 50'000, 20'000, 400, true);
    machine.run(governor, 50);
    CHECK(machine.functions[0].counted_only);
    CHECK_FALSE(machine.functions[0].removed);
  }
  SECTION("nothing, where even counting is too dear") {
    machine.add(1, 5'000'000, 1000, 400);
    machine.run(governor, 50);
    CHECK(machine.functions[0].removed);
  }
  CHECK(machine.share() <= 0.05);
}

TEST_CASE("the hottest pay, the others keep every call", "[unit]") {
  BudgetGovernor governor(5);
  Machine machine;
  machine.add(1, 5'000'000, 1000, 400);
  machine.add(2, 60'000, 1000, 400);
  for (std::uint32_t func = 3; func < 53; ++func) machine.add(func, 100, 1000, 400);
  machine.run(governor, 100);
  CHECK(machine.functions[0].removed);
  for (std::size_t i = 2; i < machine.functions.size(); ++i)
    CHECK(machine.functions[i].load.shift == 0);
  CHECK(machine.share() <= 0.05);
}

TEST_CASE("many lukewarm functions together are held to the budget", "[unit]") {
  BudgetGovernor governor(5);
  Machine machine;
  for (std::uint32_t func = 0; func < 100; ++func) machine.add(func, 10'000, 1000, 20);
  machine.run(governor, 100);
  CHECK(machine.share() <= 0.05);
}

TEST_CASE("what the hottest leave free keeps others probed", "[unit]") {
  BudgetGovernor governor(5);
  Machine machine;
  for (std::uint32_t func = 0; func < 20; ++func) machine.add(func, 400'000, 1000, 400);
  for (std::uint32_t func = 20; func < 30; ++func) machine.add(func, 5'000, 1000, 400);
  machine.run(governor, 100);
  CHECK(machine.functions[0].removed);
  for (std::size_t i = 20; i < machine.functions.size(); ++i) {
    CHECK_FALSE(machine.functions[i].removed);
    CHECK_FALSE(machine.functions[i].counted_only);
  }
  CHECK(machine.share() <= 0.05);
}
