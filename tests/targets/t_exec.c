// SPDX-License-Identifier: Apache-2.0
// t_exec PROGRAM ARGS...: a C program that, two probed calls deep, makes way for another one: after
// the handshake it executes PROGRAM in place, which inherits --hold. Truth: PROGRAM's.
#include "target.h"

static char** command;

PROBED int exec_inner(void) {
  execv(command[0], command);
  return -1;
}

PROBED int exec_outer(void) { return exec_inner() + 1; }

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  static char hold[] = "--hold";
  tgt_require(argc >= 2, "usage: t_exec PROGRAM ARGS...");
  command = argv + 1;
  if (options.hold) argv[argc] = hold;  // tgt_parse has left room: it took --hold out
  tgt_ready(options);
  exec_outer();
  tgt_require(0, "the program cannot be executed");
}
