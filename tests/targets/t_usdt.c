// SPDX-License-Identifier: Apache-2.0
// USDT markers by SystemTap's own sys/sdt.h: pairs that begin and end jobs, two of which are open
// at any time, with the id of the job as argument in every form that compilers give to operands.
// The same id has another form at the other end. demo:alone is inlined twice. Truth: hits of the
// markers, and a semaphore as the program itself sees it while it works.
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

#include "target.h"

__extension__ unsigned short demo_begin_semaphore __attribute__((section(".probes")));
__extension__ unsigned short demo_end_semaphore __attribute__((section(".probes")));
__extension__ unsigned short demo_alone_semaphore __attribute__((section(".probes")));

static volatile uint64_t g_static_id;
static volatile int32_t g_signed_id;
static uint64_t g_begins, g_ends, g_alone;

struct tgt_slot {
  uint64_t other;
  uint64_t id;
};

// arg1: a register; arg2: four bytes, signed; arg3: a static variable; arg4: memory by index; arg5:
// a constant.
PROBED void job_begin(uint64_t id, const struct tgt_slot* slots, uint64_t index) {
  g_static_id = id;
  ++g_begins;
  STAP_PROBE5(demo, begin, id, (int32_t)-id, g_static_id, slots[index].id, 42);
}

// The same ids: on the stack; eight bytes, signed; memory; a register; eight bytes of a constant.
PROBED void job_end(uint64_t id, const struct tgt_slot* slots, uint64_t index) {
  volatile uint64_t on_stack = id;
  g_signed_id = (int32_t)-id;
  ++g_ends;
  STAP_PROBE5(demo, end, on_stack, g_signed_id, slots[index].id, id, INT64_C(42));
}

__attribute__((always_inline)) static inline void tgt_alone(uint64_t value) {
  ++g_alone;
  STAP_PROBE1(demo, alone, value);
}

PROBED void alone_here(uint64_t value) { tgt_alone(value); }
PROBED void alone_there(uint64_t value) { tgt_alone(value + 1); }

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t jobs = tgt_number(argc, argv, "--jobs", 100);
  struct tgt_slot slots[4] = {{0, 0}, {0, 0}, {0, 0}, {0, 0}};
  tgt_require(jobs >= 1, "there must be a job");
  tgt_ready(options);
  const unsigned during = demo_begin_semaphore;
  for (uint64_t id = 1; id <= jobs; ++id) {
    slots[id % 4].id = id;
    job_begin(id, slots, id % 4);
    if (id > 1) job_end(id - 1, slots, (id - 1) % 4);
    alone_here(id);
    alone_there(id);
  }
  job_end(jobs, slots, jobs % 4);
  tgt_emit("hits", "demo:begin", g_begins);
  tgt_emit("hits", "demo:end", g_ends);
  tgt_emit("hits", "demo:alone", g_alone);
  tgt_emit("semaphore", "during", during);
  tgt_done(options);
  return 0;
}
