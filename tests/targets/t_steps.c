// SPDX-License-Identifier: Apache-2.0
// For single-stepping: every way in which a compiler makes a stack frame, between two SIGUSR2 that
// the program sends itself (ignored when nobody watches). Built without and with optimization.
// Calls of libraries go through jump stubs that are bound at the first call; the clock is read in
// the vdso; signals are handled on the thread's stack and on an alternate one. Truth: calls and a
// sum.
#include <alloca.h>
#include <signal.h>
#include <stdarg.h>

#include "target.h"

static uint64_t calls, handled, sum;

// Reads through memory that the compiler knows nothing of.
static uint64_t look(const volatile void* at) { return *(const volatile uint8_t*)at; }

PROBED uint64_t step_leaf(uint64_t a) {
  ++calls;
  return a * 3 + 1;
}

// Needs all registers that a call preserves.
PROBED uint64_t step_saves(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) {
  ++calls;
  const uint64_t first = step_leaf(a) + b, second = step_leaf(b) ^ c, third = step_leaf(c) + d;
  const uint64_t fourth = step_leaf(d) ^ e, fifth = step_leaf(e) + f, sixth = step_leaf(f) ^ a;
  return step_leaf(first + second) + step_leaf(third ^ fourth) + step_leaf(fifth + sixth) + first +
         second + third + fourth + fifth + sixth;
}

// More than a page of locals; arguments on the stack.
PROBED uint64_t step_large(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f,
                           uint64_t g, uint64_t h) {
  volatile uint8_t locals[5000];
  ++calls;
  locals[a % 5000] = (uint8_t)(g + h);
  return step_saves(b, c, d, e, f, g) + look(&locals[a % 5000]) + h;
}

PROBED uint64_t step_alloca(uint64_t bytes) {
  volatile uint8_t* const locals = alloca(bytes);
  ++calls;
  locals[bytes - 1] = 7;
  return step_leaf(look(&locals[bytes - 1]));
}

// Aligns its stack: the frame is found through a pointer that was saved (DRAP).
PROBED uint64_t step_aligned(uint64_t bytes) {
  _Alignas(64) volatile uint8_t wide[128];
  volatile uint8_t* const locals = alloca(bytes);
  ++calls;
  wide[bytes % 128] = 3;
  locals[0] = 5;
  return step_saves(bytes, look(&wide[bytes % 128]), look(&locals[0]), 1, 2, 3);
}

PROBED __attribute__((force_align_arg_pointer)) uint64_t step_realigned(uint64_t a) {
  _Alignas(32) volatile uint8_t wide[32];
  ++calls;
  wide[a % 32] = (uint8_t)a;
  return step_leaf(look(&wide[a % 32]));
}

PROBED uint64_t step_variadic(int count, ...) {
  uint64_t all = 0;
  va_list list;
  ++calls;
  va_start(list, count);
  for (int i = 0; i < count; ++i) all += step_leaf(va_arg(list, uint64_t));
  va_end(list);
  return all;
}

PROBED uint64_t step_recursive(uint64_t depth) {
  ++calls;
  if (depth == 0) return step_leaf(depth);
  uint64_t below = step_recursive(depth - 1);
  __asm__ volatile("" : "+r"(below));  // else the compiler makes a loop of it
  return below + depth;
}

PROBED uint64_t step_tail(uint64_t a) {
  ++calls;
  return step_leaf(a + 1);
}

static int compare(const void* a, const void* b) {
  ++calls;
  const uint64_t left = *(const uint64_t*)a, right = *(const uint64_t*)b;
  return left < right ? -1 : left > right;
}

// Into libraries, through stubs that the loader binds, and from there back into the program.
PROBED uint64_t step_library(void) {
  uint64_t values[8] = {5, 3, 8, 1, 9, 2, 7, 4};
  char text[64];
  ++calls;
  qsort(values, 8, sizeof(values[0]), compare);
  snprintf(text, sizeof(text), "%" PRIu64 " %s %.3f", values[0], "word", 1.5);
  return strtoull(text, NULL, 10) + strlen(text) + values[7];
}

PROBED uint64_t step_clock(void) {
  ++calls;
  return tgt_now_ns() > 0;
}

static void on_signal(int number) {
  (void)number;
  ++handled;
  step_saves(1, 2, 3, 4, 5, 6);
}

PROBED uint64_t step_signals(void) {
  ++calls;
  kill(getpid(), SIGUSR1);  // on the thread's stack
  kill(getpid(), SIGALRM);  // on the alternate one
  return handled;
}

static void handle(int number, int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_handler = on_signal;
  action.sa_flags = flags;
  tgt_require(sigaction(number, &action, NULL) == 0, "a signal handler was refused");
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  static char alternate[65536];
  const stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
  tgt_require(sigaltstack(&stack, NULL) == 0, "the alternate stack was refused");
  handle(SIGUSR1, 0);
  handle(SIGALRM, SA_ONSTACK);
  signal(SIGUSR2, SIG_IGN);
  tgt_ready(options);

  kill(getpid(), SIGUSR2);
  sum += step_saves(1, 2, 3, 4, 5, 6);
  sum += step_large(1, 2, 3, 4, 5, 6, 7, 8);
  sum += step_alloca(100);
  sum += step_aligned(40);
  sum += step_realigned(9);
  sum += step_variadic(9, UINT64_C(1), UINT64_C(2), UINT64_C(3), UINT64_C(4), UINT64_C(5),
                       UINT64_C(6), UINT64_C(7), UINT64_C(8), UINT64_C(9));
  sum += step_recursive(12);
  sum += step_tail(4);
  sum += step_library();
  sum += step_clock();
  sum += step_signals();
  kill(getpid(), SIGUSR2);

  tgt_emit("calls", "all", calls);
  tgt_emit("handled", "signals", handled);
  tgt_emit("sum", "all", sum);
  tgt_done(options);
  return 0;
}
