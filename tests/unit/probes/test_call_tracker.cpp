// SPDX-License-Identifier: Apache-2.0
// The shadow stack of bpf/common/call_tracker.bpf.h, compiled here as it is.
#include <catch2/catch.hpp>
#include <map>
#include <vector>

#include "callscope/abi/calls.h"

namespace {

struct Closed {
  int end;
  std::uint64_t total_ns;
  std::uint64_t child_ns;
  std::uint32_t outermost;
  std::uint64_t blocked_ns;
  std::uint64_t runq_ns;
  std::uint64_t child_blocked_ns;
};
std::map<std::uint32_t, std::vector<Closed>> closed;  // by function

}  // namespace

struct cs_call_thread;
struct cs_call_frame;
struct cs_call_span;
static void cs_call_opened(cs_call_thread*, cs_call_frame*, cs_call_frame*, __u32) {}
static void cs_call_closed(cs_call_thread*, cs_call_frame* frame, int end,
                           const cs_call_span* span);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "bpf/common/call_budget.bpf.h"
#include "bpf/common/call_tracker.bpf.h"
#include "bpf/common/off_cpu.bpf.h"
#pragma GCC diagnostic pop

static void cs_call_closed(cs_call_thread*, cs_call_frame* frame, int end,
                           const cs_call_span* span) {
  closed[frame->func].push_back({end, span->total_ns, frame->child_ns, frame->outermost,
                                 span->blocked_ns, span->runq_ns, frame->child_blocked_ns});
}

namespace {

struct Thread {
  cs_call_thread state{};
  Thread() { closed.clear(); }
  cs_entry_result enter(std::uint64_t slot, std::uint32_t func, std::uint64_t now,
                        cs_entry_facts facts = {}, std::uint8_t shift = 0) {
    const cs_opening opening{func, shift, 0};
    return cs_track_entry(&state, slot, now, &opening, &facts);
  }
  bool leave(std::uint64_t slot, std::uint64_t now) { return cs_track_return(&state, slot, now); }
};

std::size_t count(std::uint32_t func, int end) {
  std::size_t n = 0;
  for (const Closed& call : closed[func]) n += call.end == end ? 1 : 0;
  return n;
}

}  // namespace

TEST_CASE("nested calls: the time in callees is told apart", "[unit]") {
  Thread thread;
  thread.enter(1000, 1, 0);
  thread.enter(900, 2, 10);
  CHECK(thread.leave(900, 30));
  CHECK(thread.leave(1000, 100));
  CHECK(closed[2].front().total_ns == 20);
  CHECK(closed[1].front().total_ns == 100);
  CHECK(closed[1].front().child_ns == 20);
  CHECK(thread.state.depth == 0);
}

TEST_CASE("only the outermost activation of a recursion counts for the total", "[unit]") {
  Thread thread;
  thread.enter(1000, 1, 0);
  thread.enter(900, 1, 10);
  thread.leave(900, 20);
  thread.leave(1000, 40);
  CHECK(closed[1][0].outermost == 0);
  CHECK(closed[1][1].outermost == 1);
  CHECK(closed[1][0].child_ns == 0);
  CHECK(closed[1][1].child_ns == 10);
}

TEST_CASE("frames that longjmp left are unwound at the next entry or return", "[unit]") {
  Thread thread;
  thread.enter(1000, 1, 0);
  thread.enter(900, 2, 1);
  thread.enter(800, 3, 2);
  SECTION("an entry above them") {
    thread.enter(950, 4, 10);
    CHECK(thread.state.depth == 2);
  }
  SECTION("the return of their caller") { CHECK(thread.leave(1000, 10)); }
  SECTION("an entry at the very slot of a dead frame") { thread.enter(900, 2, 10); }
  CHECK(count(3, CS_CALL_UNWOUND) == 1);
  CHECK(count(2, CS_CALL_UNWOUND) == 1);
  CHECK(count(1, CS_CALL_UNWOUND) == 0);
}

TEST_CASE("a handler on an alternate stack above does not unwind what it interrupts", "[unit]") {
  Thread thread;
  const cs_entry_facts facts{.alt_stack = 5000, .alt_stack_size = 1000, .slot_handed_on = 0};
  thread.enter(1000, 1, 0);
  thread.enter(5500, 2, 10, facts);
  CHECK(thread.leave(5500, 20));
  CHECK(thread.leave(1000, 30));
  CHECK(count(1, CS_CALL_RETURNED) == 1);
  CHECK(count(2, CS_CALL_RETURNED) == 1);
}

TEST_CASE("a tail call shares the return of its caller", "[unit]") {
  Thread thread;
  const cs_entry_facts handed_on{.alt_stack = 0, .alt_stack_size = 0, .slot_handed_on = 1};
  CHECK(thread.enter(1000, 1, 0) == CS_ENTRY_PUSHED);
  CHECK(thread.enter(1000, 2, 10, handed_on) == CS_ENTRY_CHAINED);
  CHECK(thread.leave(1000, 30));
  CHECK(closed[1].front().total_ns == 30);
  CHECK(closed[2].front().total_ns == 20);
  // The second return probe of the chain finds nothing and is no error.
  CHECK(thread.leave(1000, 31));
  CHECK(count(1, CS_CALL_RETURNED) == 1);
}

TEST_CASE("endless mutual tail calls need no more frames than functions", "[unit]") {
  Thread thread;
  const cs_entry_facts handed_on{.alt_stack = 0, .alt_stack_size = 0, .slot_handed_on = 1};
  thread.enter(1000, 0, 0);
  for (std::uint32_t i = 1; i < 1000; ++i) {
    CHECK(thread.enter(1000, i % 2, i, handed_on) == CS_ENTRY_CHAINED);
    CHECK(thread.state.depth <= 2);
  }
  thread.leave(1000, 2000);
  CHECK(count(0, CS_CALL_RETURNED) == 500);
  CHECK(count(1, CS_CALL_RETURNED) == 500);
}

TEST_CASE("a probed tail jump keeps its caller open for the function that it announced", "[unit]") {
  Thread thread;
  thread.enter(1000, 1, 0);
  CHECK(cs_track_tail_jump(&thread.state, 1000, 2, 10));
  SECTION("which comes") {
    CHECK(thread.enter(1000, 2, 11) == CS_ENTRY_CHAINED);
    CHECK(thread.leave(1000, 50));
    CHECK(closed[1].front().total_ns == 50);
  }
  SECTION("which does not come: the caller ended with its jump") {
    CHECK(thread.enter(1000, 3, 40) == CS_ENTRY_PUSHED);
    CHECK(closed[1].front().total_ns == 10);
    CHECK(closed[1].front().end == CS_CALL_TAIL_EXIT);
  }
}

TEST_CASE("a tail jump to a function that is not probed ends the call", "[unit]") {
  Thread thread;
  thread.enter(1000, 1, 0);
  CHECK(cs_track_tail_jump(&thread.state, 1000, CS_NO_FUNCTION, 10));
  CHECK(count(1, CS_CALL_TAIL_EXIT) == 1);
  CHECK(thread.state.depth == 0);
}

TEST_CASE("calls deeper than the stack are refused and disturb nothing", "[unit]") {
  Thread thread;
  for (std::uint32_t i = 0; i < CS_CALL_DEPTH; ++i)
    CHECK(thread.enter(10000 - 10 * i, 1, i) == CS_ENTRY_PUSHED);
  CHECK(thread.enter(10, 1, 100) == CS_ENTRY_TOO_DEEP);
  for (std::uint32_t i = CS_CALL_DEPTH; i-- > 0;) CHECK(thread.leave(10000 - 10 * i, 200));
  CHECK(count(1, CS_CALL_RETURNED) == CS_CALL_DEPTH);
  CHECK_FALSE(thread.leave(20000, 300));
}

TEST_CASE("a clock that steps back gives no negative time", "[unit]") {
  Thread thread;
  thread.enter(1000, 1, 500);
  thread.leave(1000, 400);
  CHECK(closed[1].front().total_ns == 0);
}

TEST_CASE("what an exception left is told apart when it is caught", "[unit]") {
  Thread thread;
  thread.enter(1000, 1, 0);
  thread.enter(900, 2, 1);
  thread.enter(800, 3, 2);
  const cs_entry_facts facts{};
  cs_close_dead(&thread.state, 900, &facts, 50, CS_CALL_THREW);
  CHECK(count(3, CS_CALL_THREW) == 1);
  CHECK(count(2, CS_CALL_THREW) == 1);
  CHECK(closed[2].front().total_ns == 49);
  CHECK(thread.state.depth == 1);
}

TEST_CASE("a sampled call stands for others in its caller's time", "[unit]") {
  Thread thread;
  thread.enter(1000, 1, 0);
  thread.enter(900, 2, 10, {}, 4);
  thread.leave(900, 20);
  thread.leave(1000, 500);
  CHECK(closed[2].front().total_ns == 10);
  CHECK(closed[1].front().child_ns == 160);
}

TEST_CASE("time off the CPU is split by the wake-up and given to the open calls", "[unit]") {
  Thread thread;
  thread.enter(1000, 1, 0);
  thread.enter(900, 2, 10);
  SECTION("asleep, then ready") {
    cs_switched_out(&thread.state, false, 20);
    cs_woken(&thread.state, 60);
    cs_switched_in(&thread.state, 70);
    thread.leave(900, 100);
    CHECK(closed[2].front().blocked_ns == 40);
    CHECK(closed[2].front().runq_ns == 10);
    cs_switched_out(&thread.state, true, 110);
    cs_switched_in(&thread.state, 115);
    thread.leave(1000, 200);
    CHECK(closed[1].front().blocked_ns == 40);
    CHECK(closed[1].front().runq_ns == 15);
    CHECK(closed[1].front().child_blocked_ns == 40);
  }
  SECTION("preempted: an older wake-up does not count") {
    cs_woken(&thread.state, 5);
    cs_switched_out(&thread.state, true, 20);
    cs_switched_in(&thread.state, 50);
    thread.leave(900, 60);
    CHECK(closed[2].front().blocked_ns == 0);
    CHECK(closed[2].front().runq_ns == 30);
  }
  SECTION("a wake-up that was not seen") {
    cs_switched_out(&thread.state, false, 20);
    cs_switched_in(&thread.state, 50);
    thread.leave(900, 60);
    CHECK(closed[2].front().blocked_ns == 30);
  }
}

TEST_CASE("a thread that was off the CPU before its first call brings no time along", "[unit]") {
  Thread thread;
  cs_switched_out(&thread.state, false, 10);
  thread.enter(1000, 1, 100);
  cs_switched_in(&thread.state, 200);
  thread.leave(1000, 300);
  CHECK(closed[1].front().blocked_ns == 0);
}

TEST_CASE("a burst raises the sampling, a steady trickle does not", "[unit]") {
  cs_func_ctl control{};
  control.cost_ns = 1000;
  cs_func_load load{};
  constexpr std::uint32_t kFivePercent = 51;
  std::uint64_t now = 1'000'000;
  for (int i = 0; i < 10'000; ++i)
    CHECK_FALSE(cs_spend(&control, &load, kFivePercent, 100'000, now += 21'000));
  int raised = 0;
  for (int i = 0; i < 200; ++i)
    raised += cs_spend(&control, &load, kFivePercent, 100'000, now += 2'000) ? 1 : 0;
  CHECK(raised == 1);
  CHECK(control.sample_shift == CS_BURST_SHIFT);
}
