// SPDX-License-Identifier: Apache-2.0
// t_odd_code FUNCTION: calls code that breaks when a probe is put where no instruction begins,
// where the kernel takes an instruction for another one, or when a return address is replaced. It
// checks each value. Truth: calls. Built with WITH_UNWINDER it links an unwinder.
#include <dlfcn.h>
#include <link.h>

#include "target.h"

#ifdef WITH_UNWINDER
#include <unwind.h>
#endif

#define ASM_FUNCTION(name, body)                                                               \
  __asm__(".text\n.p2align 4\n.globl " #name "\n.type " #name ", @function\n" #name ":\n" body \
          "\n.size " #name ", . - " #name "\n")

// Returns table[value % 4]; the table stands behind the code, inside of the function's symbol. Its
// bytes are ret instructions, so that a decoder that runs on finds exits there, and an end.
ASM_FUNCTION(
    odd_table,
    "push %rbp\npop %rbp\nlea 1f(%rip), %rax\nand $3, %edi\nmov (%rax,%rdi,8), %rax\nret\n"
    "1: .quad 0xc3c3c3c3c3c3c3c3, 0xc300c3c3c3c3c3c3, 0x5bc3c3c3c3c3c3c3, 0xc3c35bc3c3c3c3c3\n");
uint64_t odd_table(uint64_t value);

// The same with the table in the middle: the code jumps over it, and reads it.
ASM_FUNCTION(odd_island,
             "push %rbp\npop %rbp\njmp 2f\n"
             "1: .quad 0xc3c3c3c3c3c3c3c3, 0x90c390c390c390c3\n"
             "2: lea 1b(%rip), %rax\nand $1, %edi\nmov (%rax,%rdi,8), %rax\nret\n");
uint64_t odd_island(uint64_t value);

// Odd values jump behind the lock prefix of an instruction, as libc does where threads are few.
ASM_FUNCTION(odd_prefix,
             "push %rbp\npop %rbp\nmov %rdi, -8(%rsp)\nmov $1, %eax\ntest $1, %edi\njne 1f + 1\n"
             "1: lock xadd %rax, -8(%rsp)\nadd -8(%rsp), %rax\nret\n");
uint64_t odd_prefix(uint64_t value);

// Begins with xchg %rax, %r8, whose opcode is that of nop but for a prefix: returns its fifth
// argument.
ASM_FUNCTION(odd_exchange, "xchg %rax, %r8\nret\n");
uint64_t odd_exchange(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t fifth);

static const uint64_t tables[] = {0xc3c3c3c3c3c3c3c3, 0xc300c3c3c3c3c3c3, 0x5bc3c3c3c3c3c3c3,
                                  0xc3c35bc3c3c3c3c3};
static const uint64_t islands[] = {0xc3c3c3c3c3c3c3c3, 0x90c390c390c390c3};

// Looks at its own return address: it must lie in the program.
PROBED int odd_caller(void) {
  Dl_info info;
  return dladdr(__builtin_return_address(0), &info) != 0 && info.dli_fbase != NULL;
}

// A jump hands its caller's return address to the one that looks at it.
PROBED int odd_caller_by_jump(void) { return odd_caller(); }

// Ends in a jump to libc's dlsym, which takes its caller from the return address.
PROBED void* odd_next(const char* name) { return dlsym(RTLD_NEXT, name); }

static void read_table(uint64_t i) {
  tgt_require(odd_table(i) == tables[i % 4], "odd_table read a wrong value");
}
static void read_island(uint64_t i) {
  tgt_require(odd_island(i) == islands[i % 2], "odd_island read a wrong value");
}
static void jump_behind_prefix(uint64_t i) {
  tgt_require(odd_prefix(i) == 2 * i + 1, "odd_prefix computed a wrong value");
}
static void exchange(uint64_t i) {
  tgt_require(odd_exchange(1, 2, 3, 4, i) == i, "odd_exchange returned a wrong value");
}
static void ask_caller(uint64_t i) {
  (void)i;
  tgt_require(odd_caller(), "odd_caller does not know its caller");
}
static void ask_caller_by_jump(uint64_t i) {
  (void)i;
  tgt_require(odd_caller_by_jump(), "odd_caller_by_jump does not know its caller");
}
static void find_next(uint64_t i) {
  (void)i;
  tgt_require(odd_next("getpid") != NULL, "odd_next does not find the next getpid");
}

static const struct {
  const char* name;
  void (*check)(uint64_t);
} functions[] = {{"odd_table", read_table},
                 {"odd_island", read_island},
                 {"odd_prefix", jump_behind_prefix},
                 {"odd_exchange", exchange},
                 {"odd_caller", ask_caller},
                 {"odd_caller_by_jump", ask_caller_by_jump},
                 {"odd_next", find_next}};
enum { kFunctions = sizeof(functions) / sizeof(functions[0]) };

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t rounds = tgt_number(argc, argv, "--rounds", 100);
  int chosen = 0;
  tgt_require(argc >= 2, "usage: t_odd_code FUNCTION");
#ifdef WITH_UNWINDER
  tgt_require(_Unwind_FindEnclosingFunction((char*)main + 1) != NULL, "no unwinder is linked");
#endif
  while (chosen < kFunctions && strcmp(functions[chosen].name, argv[1]) != 0) ++chosen;
  tgt_require(chosen < kFunctions, "no such function");
  tgt_ready(options);
  for (uint64_t i = 0; i < rounds; ++i) functions[chosen].check(i);
  tgt_emit("calls", argv[1], rounds);
  tgt_done(options);
  return 0;
}
