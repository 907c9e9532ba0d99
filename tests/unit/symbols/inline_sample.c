// SPDX-License-Identifier: Apache-2.0
// Functions that are inlined at 0, 1 and 3 places, of which two have code of their own as well. The
// attributes leave the compiler no choice.
#define ALWAYS __attribute__((always_inline)) static inline
#define NEVER __attribute__((noinline, noclone))

volatile int inline_sink;

ALWAYS int inlined_thrice(int value) {
  inline_sink += value;
  return inline_sink * 3;
}
ALWAYS int inlined_once(int value) { return inlined_thrice(value) + 1; }

// Inlined at one place; its address is taken, so it has code, too.
ALWAYS int inlined_with_code(int value) { return (inline_sink ^= value); }
int (*const inline_table[])(int) = {inlined_with_code};

NEVER int never_inlined(int value) { return (inline_sink -= value); }

NEVER int inline_caller_a(int value) { return inlined_once(value) + inlined_with_code(value); }
NEVER int inline_caller_b(int value) { return inlined_thrice(value) + inlined_thrice(value + 1); }

int inline_main(int value) {
  return inline_caller_a(value) + inline_caller_b(value) + never_inlined(value);
}
