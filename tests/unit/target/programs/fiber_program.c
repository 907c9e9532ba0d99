// SPDX-License-Identifier: Apache-2.0
// Switches to a stack of its own by the functions of libc.
#include <ucontext.h>

static ucontext_t home;
static ucontext_t fiber;
static char stack[65536];

static void run(void) { swapcontext(&fiber, &home); }

int main(void) {
  if (getcontext(&fiber) != 0) return 1;
  fiber.uc_stack.ss_sp = stack;
  fiber.uc_stack.ss_size = sizeof stack;
  makecontext(&fiber, run, 0);
  return swapcontext(&home, &fiber);
}
