// SPDX-License-Identifier: Apache-2.0
// Looks like an interpreter of a Python that does not exist yet: has the symbols that one is known
// by, and spends --ms N (1000) in a function that bears the name of its evaluation loop.
#include "target.h"

const uint32_t Py_Version = 0x030e00f0;
uint64_t _PyRuntime[512];
uint64_t PyCode_Type[64];

PROBED void _PyEval_EvalFrameDefault(uint64_t nanoseconds) {
  tgt_spin_ns(nanoseconds);
  __asm__ volatile("");
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t milliseconds = tgt_number(argc, argv, "--ms", 1000);
  tgt_ready(options);
  _PyEval_EvalFrameDefault(milliseconds * 1000000);
  tgt_emit("ms", "loop", milliseconds);
  tgt_done(options);
  return 0;
}
