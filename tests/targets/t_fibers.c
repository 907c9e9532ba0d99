// SPDX-License-Identifier: Apache-2.0
// Fibers by makecontext and swapcontext or, built with OWN_SWITCH, by a routine of its own, that
// leave each other in the middle of probed calls, so that calls of several stacks are open on one
// thread at once; then a loop by setcontext. Each fiber computes a value that only comes out right
// when every call returns to its own caller.
#include <ucontext.h>

#include "target.h"

enum { kFibers = 8, kDepth = 6, kStackSize = 64 * 1024 };

static char stacks[kFibers][kStackSize] __attribute__((aligned(16)));
static uint64_t rounds, values[kFibers], work_calls, again_calls;
static int running, finished, ended[kFibers];

static void fiber_main(int self);

#ifdef OWN_SWITCH
// As coroutine libraries have it: saves what a call preserves, changes the stack, goes on there.
__asm__(
    ".text\n.globl change_stack\n.type change_stack, @function\nchange_stack:\n"
    "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
    "mov %rsp, (%rdi)\nmov (%rsi), %rsp\n"
    "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n"
    ".size change_stack, . - change_stack\n");
typedef void* fiber;
void change_stack(fiber* from, const fiber* to);
static fiber scheduler, fibers[kFibers];

static void switch_stack(fiber* from, const fiber* to) { change_stack(from, to); }

static void start_fiber(void) {
  fiber_main(running);
  switch_stack(&fibers[running], &scheduler);
}

static void make_fiber(int i) {
  void** top = (void**)(stacks[i] + kStackSize) - 1;  // as if start_fiber had been called
  *--top = (void*)start_fiber;
  fibers[i] = top - 6;  // the registers, all zero
}
#else
typedef ucontext_t fiber;
static fiber scheduler, fibers[kFibers];

static void switch_stack(fiber* from, const fiber* to) { swapcontext(from, to); }

static void make_fiber(int i) {
  getcontext(&fibers[i]);
  fibers[i].uc_stack.ss_sp = stacks[i];
  fibers[i].uc_stack.ss_size = kStackSize;
  fibers[i].uc_link = &scheduler;
  makecontext(&fibers[i], (void (*)(void))fiber_main, 1, i);
}
#endif

static void leave(void) {
  const int self = running;
  switch_stack(&fibers[self], &scheduler);
}

PROBED uint64_t fiber_work(int depth, uint64_t value) {
  ++work_calls;
  if (depth <= 1) {
    leave();
    return value * 3 + 1;
  }
  const uint64_t below = fiber_work(depth - 1, value + (uint64_t)depth);
  if (depth % 2 == 0) leave();
  return below * 5 + (uint64_t)depth;
}

static void fiber_main(int self) {
  for (uint64_t i = 0; i < rounds; ++i) values[self] += fiber_work(kDepth, i + (uint64_t)self);
  ended[self] = 1;
  ++finished;
}

// The same without any switch.
static uint64_t expected_work(int depth, uint64_t value) {
  if (depth <= 1) return value * 3 + 1;
  return expected_work(depth - 1, value + (uint64_t)depth) * 5 + (uint64_t)depth;
}

PROBED void again_work(void) { ++again_calls; }

static void loop_by_setcontext(uint64_t count) {
  static ucontext_t here;
  volatile uint64_t i = 0;
  getcontext(&here);
  again_work();
  i = i + 1;
  if (i < count) setcontext(&here);
}

static void run_fibers(void) {
  for (int i = 0; i < kFibers; ++i) make_fiber(i);
  // In an order that changes with each turn, so that no fiber follows always the same one.
  for (int turn = 0; finished < kFibers; ++turn) {
    running = (running + 1 + turn % 3) % kFibers;
    while (ended[running]) running = (running + 1) % kFibers;
    switch_stack(&scheduler, &fibers[running]);
  }
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  rounds = tgt_number(argc, argv, "--rounds", 50);
  tgt_ready(options);
  run_fibers();
  loop_by_setcontext(100);
  for (int i = 0; i < kFibers; ++i) {
    uint64_t expected = 0;
    for (uint64_t round = 0; round < rounds; ++round)
      expected += expected_work(kDepth, round + (uint64_t)i);
    tgt_require(values[i] == expected, "a fiber computed a wrong value");
  }
  tgt_emit("calls", "fiber_work", work_calls);
  tgt_emit("rets", "fiber_work", work_calls);
  tgt_emit("calls", "again_work", again_calls);
  tgt_emit("rets", "again_work", again_calls);
  tgt_done(options);
  return 0;
}
