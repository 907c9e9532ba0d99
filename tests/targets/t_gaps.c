// SPDX-License-Identifier: Apache-2.0
// t_gaps [--depth N]: how long interruptions take. Looks at the clock all the time, N calls deep
// (10). Each byte on stdin makes a window of half a second and prints "ns_per_gap" and the median
// of the times that were missing between two looks: by the interruptions that are most of all. EOF
// ends.
#include "target.h"

enum { kMax = 65536, kGapNs = 1500, kWindowNs = 500000000 };

static uint32_t gaps[kMax];

static int compare(const void* left, const void* right) {
  const uint32_t a = *(const uint32_t*)left, b = *(const uint32_t*)right;
  return a < b ? -1 : a > b;
}

PROBED static int watch(void) {
  const uint64_t end = tgt_now_ns() + kWindowNs;
  uint64_t before = tgt_now_ns();
  int n = 0;
  while (before < end) {
    const uint64_t now = tgt_now_ns();
    if (now - before > kGapNs && n < kMax) gaps[n++] = (uint32_t)(now - before);
    before = now;
  }
  return n;
}

PROBED static int descend(uint64_t depth) {
  volatile int n = depth == 0 ? watch() : descend(depth - 1);  // no tail call
  return n;
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t depth = tgt_number(argc, argv, "--depth", 10);
  char byte;
  tgt_ready(options);
  while (read(STDIN_FILENO, &byte, 1) > 0) {
    const int n = descend(depth);
    qsort(gaps, (size_t)n, sizeof(gaps[0]), compare);
    printf("ns_per_gap %u\n", n ? gaps[n / 2] : 0);
    fflush(stdout);
  }
  tgt_done(options);
  return 0;
}
