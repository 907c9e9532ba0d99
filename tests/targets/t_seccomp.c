// SPDX-License-Identifier: Apache-2.0
// t_seccomp strict|filter [--late]: a process that the kernel kills at any system call but a few:
// in strict mode, or by a filter. It confines itself before the handshake or, with --late, after
// it, and then calls functions with each kind of first instruction that uprobes treat differently.
// Truth: calls and returns.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "target.h"

// A function in assembly language that returns its argument plus one.
#define PLUS_ONE(name, first)                                                                   \
  __asm__(".text\n.p2align 4\n.globl " #name "\n.type " #name ", @function\n" #name ":\n" first \
          "\nlea 1(%rdi), %rax\nret\n.size " #name ", . - " #name "\n");                        \
  uint64_t name(uint64_t value)

PLUS_ONE(confined_nop, ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00");  // 5 bytes: the kernel patches it
PLUS_ONE(confined_endbr64, "endbr64");
PLUS_ONE(confined_push, "push %rbp\npop %rbp");

static uint64_t nested_calls;

PROBED uint64_t confined_nested(int depth) {
  ++nested_calls;
  if (depth <= 1) return confined_push(0);
  uint64_t below = confined_nested(depth - 1);
  __asm__ volatile("" : "+r"(below));  // else the compiler makes a loop of it
  return below + 1;
}

static void confine_by_filter(void) {
  static const unsigned allowed[] = {SYS_read, SYS_write, SYS_exit, SYS_exit_group,
                                     SYS_rt_sigreturn};
  enum { kAllowed = sizeof(allowed) / sizeof(allowed[0]) };
  struct sock_filter code[2 * kAllowed + 2];
  unsigned n = 0;
  code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                           (unsigned)offsetof(struct seccomp_data, nr));
  for (unsigned i = 0; i < kAllowed; ++i) {
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  }
  code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  const struct sock_fprog program = {(unsigned short)n, code};
  tgt_require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "privileges cannot be given up");
  tgt_require(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "the filter was refused");
}

static void confine(const char* mode) {
  if (strcmp(mode, "filter") == 0) {
    confine_by_filter();
  } else {
    tgt_require(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0, "strict mode was refused");
  }
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t rounds = tgt_number(argc, argv, "--rounds", 200);
  const int late = tgt_flag(argc, argv, "--late");
  static char buffer[4096];
  tgt_require(argc >= 2, "usage: t_seccomp strict|filter [--late]");
  setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));  // else stdio asks the kernel for memory
  if (!late) confine(argv[1]);
  tgt_ready(options);
  if (late) confine(argv[1]);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < rounds; ++i)
    sum += confined_nop(i) + confined_endbr64(i) + confined_push(i) + confined_nested(4);
  tgt_emit("sum", "all", sum);
  const char* const names[] = {"confined_nop", "confined_endbr64"};
  for (int i = 0; i < 2; ++i) {
    tgt_emit("calls", names[i], rounds);
    tgt_emit("rets", names[i], rounds);
  }
  tgt_emit("calls", "confined_push", 2 * rounds);
  tgt_emit("rets", "confined_push", 2 * rounds);
  tgt_emit("calls", "confined_nested", nested_calls);
  tgt_emit("rets", "confined_nested", nested_calls);
  tgt_done(options);
  syscall(SYS_exit, 0);  // exit_group is not among the calls of strict mode
}
