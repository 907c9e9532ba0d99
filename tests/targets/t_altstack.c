// SPDX-License-Identifier: Apache-2.0
// Signal handlers on an alternate stack that lies above the thread's own stack or (--below) below
// it, which call probed functions while probed calls are open on the thread's stack, and return or
// (--jump) leave by siglongjmp. Truth: calls, normal returns and unwound.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "target.h"

enum { kStackSize = 1 << 20, kDepth = 3 };

static uint64_t outer_calls, inner_calls, inner_rets, handler_calls, handler_rets;
static int jumping;
static sigjmp_buf back;

PROBED int alt_handler(int depth) {
  ++handler_calls;
  int below = 0;
  if (depth > 1) {
    below = alt_handler(depth - 1);
  } else if (jumping) {
    siglongjmp(back, 1);
  }
  ++handler_rets;
  return below + 1;
}

static void on_signal(int number) {
  (void)number;
  tgt_require(alt_handler(kDepth) == kDepth, "the handler's calls returned a wrong value");
}

PROBED int alt_inner(void) {
  ++inner_calls;
  raise(SIGUSR1);
  ++inner_rets;
  return 1;
}

PROBED int alt_outer(void) {
  ++outer_calls;
  if (sigsetjmp(back, 1) != 0) return -1;
  return alt_inner() + 1;
}

struct plan {
  uint64_t rounds;
  char* alternate;
};

static void* run(void* argument) {
  const struct plan* const plan = argument;
  const stack_t stack = {.ss_sp = plan->alternate, .ss_size = kStackSize};
  tgt_require(sigaltstack(&stack, NULL) == 0, "the alternate stack was refused");
  for (uint64_t i = 0; i < plan->rounds; ++i) {
    tgt_require(alt_outer() == (jumping ? -1 : 2), "a call returned a wrong value");
  }
  return NULL;
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const int below = tgt_flag(argc, argv, "--below");
  struct sigaction action;
  pthread_attr_t attributes;
  pthread_t thread;
  struct plan plan = {tgt_number(argc, argv, "--rounds", 50), NULL};
  jumping = tgt_flag(argc, argv, "--jump");
  char* const stacks = mmap(NULL, 2 * kStackSize, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  tgt_require(stacks != MAP_FAILED, "no memory for the stacks");
  plan.alternate = below ? stacks : stacks + kStackSize;
  memset(&action, 0, sizeof(action));
  action.sa_handler = on_signal;
  action.sa_flags = SA_ONSTACK;
  tgt_require(sigaction(SIGUSR1, &action, NULL) == 0, "the signal handler was refused");
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, below ? stacks + kStackSize : stacks, kStackSize);

  tgt_ready(options);
  tgt_require(pthread_create(&thread, &attributes, run, &plan) == 0, "no thread could be made");
  pthread_join(thread, NULL);

  tgt_emit("calls", "alt_outer", outer_calls);
  tgt_emit("rets", "alt_outer", outer_calls);
  tgt_emit("calls", "alt_inner", inner_calls);
  tgt_emit("rets", "alt_inner", inner_rets);
  tgt_emit("unwound", "alt_inner", inner_calls - inner_rets);
  tgt_emit("calls", "alt_handler", handler_calls);
  tgt_emit("rets", "alt_handler", handler_rets);
  tgt_emit("unwound", "alt_handler", handler_calls - handler_rets);
  tgt_done(options);
  return 0;
}
