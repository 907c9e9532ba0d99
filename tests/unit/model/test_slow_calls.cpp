// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "model/slow_calls.hpp"
#include "model/stack_summary.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::Recording;
using callscope::SampleSet;
using callscope::slow_functions;
using callscope::SlowCall;
using callscope::slowest_calls;
using callscope::SlowFunction;
using callscope::StackSummary;
using callscope::test::sample_recording;

TEST_CASE("slow calls come slowest first, equal ones in the order of time", "[unit]") {
  Recording recording = sample_recording();
  recording.slow_calls[0].duration_ns = 2200;
  const std::vector<const SlowCall*> calls = slowest_calls(recording);
  REQUIRE(calls.size() == 3);
  CHECK(calls[0]->duration_ns == 61'000);
  CHECK(calls[1]->t_ns == 250'000'000);
  CHECK(calls[2]->t_ns == 1'500'000'000);
}

TEST_CASE("slow calls add up by function", "[unit]") {
  const std::vector<SlowFunction> functions = slow_functions(sample_recording());
  REQUIRE(functions.size() == 2);
  CHECK(functions[0].function == 0);
  CHECK(functions[0].calls == 2);
  CHECK(functions[0].sum_ns == 106'000);
  CHECK(functions[0].max_ns == 61'000);
  CHECK(functions[0].blocked_ns == 50'000);
  CHECK(functions[0].runq_ns == 5000);
  CHECK(functions[1].calls == 1);
}

TEST_CASE("samples of slow calls are summed up by themselves", "[unit]") {
  const StackSummary slow = callscope::summarize_stacks(sample_recording(), SampleSet::kSlow);
  CHECK(slow.samples == 35);
  REQUIRE(slow.stacks.size() == 2);
  CHECK(slow.stacks[0].count == 30);
  CHECK(slow.stacks[1].threads.front().count == 5);
  CHECK(slow.functions[0].name == "getCommand");
  CHECK(slow.functions[0].self == 30);
  CHECK(slow.functions[0].total == 35);
}
