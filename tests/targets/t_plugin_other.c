// SPDX-License-Identifier: Apache-2.0
// Takes the place of t_plugin in the address space of t_dlopen: as large, the same names, other
// code. plugin_work fills the first page of code with constants that it adds up: a probe that
// belongs to t_plugin and lands here changes the sum, or an instruction.
#include "target.h"

#define CONSTANT "movabs $0x0101010101010101, %%rdx\nadd %%rdx, %%rax\n"

PROBED void plugin_helper(void) { __asm__ volatile(""); }

PROBED uint64_t plugin_work(void) {
  static uint64_t calls;
  uint64_t sum = 0;
  __asm__ volatile("xor %%eax, %%eax\n.rept 128\n" CONSTANT ".endr\n" : "=a"(sum) : : "rdx", "cc");
  tgt_require(sum == 128 * UINT64_C(0x0101010101010101), "a constant in the code has changed");
  plugin_helper();
  plugin_helper();
  return ++calls;
}
