// SPDX-License-Identifier: Apache-2.0
// At the time of the handshake this program is already mid_1 -> mid_2 -> mid_3 deep, so a recorder
// that attaches then sees returns (or none) of calls whose entry it missed. Afterwards the same
// functions are called again. Truth: "calls_after" = entries after the handshake, "open" = calls
// open at that moment. The pause spins so that a duration counted from a missed entry would show.
#include "target.h"

static struct tgt_options options;
static uint64_t calls_after[3];
static uint64_t open_at_ready[3];
static int is_ready;

static void enter(int level) {
  if (is_ready) {
    ++calls_after[level];
  } else {
    ++open_at_ready[level];
  }
}

PROBED int mid_3(int handshake) {
  enter(2);
  if (handshake) {
    tgt_ready(options);
    is_ready = 1;
  }
  return 3;
}

PROBED int mid_2(int handshake) {
  enter(1);
  return mid_3(handshake) + 2;
}

PROBED int mid_1(int handshake) {
  enter(0);
  return mid_2(handshake) + 1;
}

int main(int argc, char** argv) {
  options = tgt_parse(&argc, argv);
  const uint64_t calls = tgt_number(argc, argv, "--calls", 50);
  const char* const names[] = {"mid_1", "mid_2", "mid_3"};
  mid_1(1);
  for (uint64_t i = 0; i < calls; ++i) tgt_require(mid_1(0) == 6, "a call returned a wrong value");
  for (int level = 0; level < 3; ++level) {
    tgt_emit("calls_after", names[level], calls_after[level]);
    tgt_emit("open", names[level], open_at_ready[level]);
  }
  tgt_done(options);
  return 0;
}
