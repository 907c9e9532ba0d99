// SPDX-License-Identifier: Apache-2.0
// t_probecost FUNC CALLS: times windows of CALLS calls of an empty function, so that the difference
// between windows with and without a probe is the cost of the probe. FUNC names the first
// instruction: cost_push, cost_nop, cost_endbr64 or cost_sub. Each line or byte on stdin runs one
// window and prints "ns_per_call X"; EOF ends. With --windows N it runs N windows without asking.
#include "target.h"

#define EMPTY_FUNCTION(name, body)                                                             \
  __asm__(".text\n.p2align 4\n.globl " #name "\n.type " #name ", @function\n" #name ":\n" body \
          "\nret\n.size " #name ", . - " #name "\n");                                          \
  void name(void)

EMPTY_FUNCTION(cost_push, "push %rbp\nmov %rsp, %rbp\npop %rbp");
EMPTY_FUNCTION(cost_nop, ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00");  // 5 bytes, as -fpatchable emits
EMPTY_FUNCTION(cost_endbr64, "endbr64\nnop");
EMPTY_FUNCTION(cost_sub, "sub $8, %rsp\nadd $8, %rsp");

static const struct {
  const char* name;
  void (*function)(void);
} table[] = {{"cost_push", cost_push},
             {"cost_nop", cost_nop},
             {"cost_endbr64", cost_endbr64},
             {"cost_sub", cost_sub}};

static void run_window(void (*function)(void), uint64_t calls) {
  const uint64_t start = tgt_now_ns();
  for (uint64_t i = 0; i < calls; ++i) function();
  const uint64_t elapsed_ns = tgt_now_ns() - start;
  printf("ns_per_call %.2f\n", (double)elapsed_ns / (double)calls);
  fflush(stdout);
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t windows = tgt_number(argc, argv, "--windows", 0);
  void (*function)(void) = NULL;
  tgt_require(argc >= 3, "usage: t_probecost FUNC CALLS [--windows N]");
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); ++i) {
    if (strcmp(argv[1], table[i].name) == 0) function = table[i].function;
  }
  const uint64_t calls = tgt_number(argc, argv, argv[1], 0);
  tgt_require(function != NULL, "no such function");
  tgt_require(calls > 0, "CALLS must be a positive number");

  tgt_ready(options);
  uint64_t done = 0;
  char byte;
  while (windows > 0 ? done < windows : read(STDIN_FILENO, &byte, 1) > 0) {
    run_window(function, calls);
    ++done;
  }
  tgt_emit("calls", argv[1], done * calls);
  tgt_done(options);
  return 0;
}
