// SPDX-License-Identifier: Apache-2.0
// Calls each of the generated functions f_00000.. --calls times; see gen_manyfuncs.sh. The
// functions are part of this program or, in the variant t_manyfuncs_so, of a shared library.
#include "target.h"

extern void (*const many_functions[])(void);
extern const unsigned many_count;
extern unsigned long many_calls;

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t calls = tgt_number(argc, argv, "--calls", 1);
  tgt_ready(options);
  for (uint64_t round = 0; round < calls; ++round) {
    for (unsigned i = 0; i < many_count; ++i) many_functions[i]();
  }
  tgt_require(many_calls == calls * many_count, "a generated function was not called");
  tgt_emit("functions", "all", many_count);
  tgt_emit("calls", "each", calls);
  tgt_emit("calls", "all", many_calls);
  tgt_done(options);
  return 0;
}
