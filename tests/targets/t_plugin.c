// SPDX-License-Identifier: Apache-2.0
// The library that t_dlopen loads: two functions with counters that the program can read back.
#include "target.h"

static uint64_t work_calls, helper_calls;

PROBED void plugin_helper(void) { ++helper_calls; }

PROBED uint64_t plugin_work(void) {
  ++work_calls;
  plugin_helper();
  plugin_helper();
  return work_calls;
}
