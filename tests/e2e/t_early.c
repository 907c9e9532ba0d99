// SPDX-License-Identifier: Apache-2.0
// Calls a function three times before main and four times in it, prints who runs it, and ends as
// its first argument says: "exit N" or "signal N". For tests of `record -- COMMAND`.
#include <signal.h>

#include "../targets/target.h"

static uint64_t calls;

PROBED void early_work(void) { ++calls; }

__attribute__((constructor)) static void before_main(void) {
  for (int i = 0; i < 3; ++i) early_work();
}

int main(int argc, char** argv) {
  for (int i = 0; i < 4; ++i) early_work();
  tgt_emit("calls", "early_work", calls);
  tgt_emit("id", "user", getuid());
  tgt_emit("id", "group", getgid());
  tgt_emit("id", "effective_user", geteuid());
  fflush(stdout);
  const uint64_t number = tgt_number(argc, argv, "signal", 0);
  if (number > 0) raise((int)number);
  return (int)tgt_number(argc, argv, "exit", 0);
}
