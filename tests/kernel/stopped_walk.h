/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* The last walk that stopped_walk.bpf.c made: written there, read by stopped_walker.cpp while the
 * thread stands still. */
#ifndef CALLSCOPE_TEST_STOPPED_WALK_H
#define CALLSCOPE_TEST_STOPPED_WALK_H

#include "callscope/abi/code.h"

struct cs_stopped_walk {
  __u64 walks;  /* so far */
  __u32 frames; /* of addr, leaf first */
  __u32 end;    /* enum cs_stack_end */
  __u64 addr[CS_USER_FRAMES];
};

#endif
