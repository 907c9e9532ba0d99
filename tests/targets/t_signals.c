// SPDX-License-Identifier: Apache-2.0
// A timer signal interrupts probed functions and its handler calls probed functions itself: first
// on the normal stack, then on an alternate one. The main program calls sig_outer -> sig_inner
// until the known number of signals has arrived, so handler counts are fixed and all counts are
// exact.
#include <signal.h>
#include <sys/time.h>

#include "target.h"

static volatile sig_atomic_t handled;
static volatile uint64_t handler_calls, leaf_calls;
static uint64_t outer_calls, inner_calls;

PROBED void handler_leaf(void) { leaf_calls = leaf_calls + 1; }

PROBED void handler_work(void) {
  handler_calls = handler_calls + 1;
  handler_leaf();
  handler_leaf();
}

static sig_atomic_t wanted;

static void on_alarm(int number) {
  (void)number;
  if (handled >= wanted) return;
  handler_work();
  handled = handled + 1;
}

PROBED void sig_inner(void) {
  ++inner_calls;
  tgt_spin_ns(20000);
}

PROBED void sig_outer(void) {
  ++outer_calls;
  sig_inner();
  tgt_spin_ns(20000);
  sig_inner();
}

static void run(sig_atomic_t signals, int flags) {
  struct sigaction action;
  const struct itimerval on = {{0, 1000}, {0, 1000}};
  const struct itimerval off = {{0, 0}, {0, 0}};
  memset(&action, 0, sizeof(action));
  action.sa_handler = on_alarm;
  action.sa_flags = SA_RESTART | flags;
  handled = 0;
  wanted = signals;
  tgt_require(sigaction(SIGALRM, &action, NULL) == 0, "the signal handler was refused");
  setitimer(ITIMER_REAL, &on, NULL);
  while (handled < wanted) sig_outer();
  setitimer(ITIMER_REAL, &off, NULL);
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const sig_atomic_t signals = (sig_atomic_t)tgt_number(argc, argv, "--signals", 200);
  static char alternate[65536];
  const stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
  tgt_require(sigaltstack(&stack, NULL) == 0, "the alternate stack was refused");

  tgt_ready(options);
  run(signals, 0);
  run(signals, SA_ONSTACK);

  tgt_emit("calls", "handler_work", handler_calls);
  tgt_emit("calls", "handler_leaf", leaf_calls);
  tgt_emit("calls", "sig_outer", outer_calls);
  tgt_emit("calls", "sig_inner", inner_calls);
  tgt_done(options);
  return 0;
}
