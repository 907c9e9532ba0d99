// SPDX-License-Identifier: Apache-2.0
// backtrace() below 1 to N probed calls. As t_backtrace it is a C program that maps an unwinder
// only when libc loads one for backtrace(), and prints its results alone. Built with WITH_UNWINDER
// it links one, walks by _Unwind_Backtrace too, and prints each frame as its distance from the
// program's start.
#include <execinfo.h>

#include "target.h"

#ifdef WITH_UNWINDER
#include <unwind.h>
#endif

enum { kMaxFrames = 128 };

extern char __executable_start, etext;
static uint64_t frame_calls;

static void print_frames(const char* walker, void* const* frames, int count) {
#ifdef WITH_UNWINDER
  for (int i = 0; i < count; ++i) {
    const uintptr_t addr = (uintptr_t)frames[i];
    const int ours = addr >= (uintptr_t)&__executable_start && addr < (uintptr_t)&etext;
    if (ours) {
      printf("%s %d program+%#" PRIxPTR "\n", walker, i, addr - (uintptr_t)&__executable_start);
    } else {
      printf("%s %d library\n", walker, i);
    }
  }
#else
  (void)walker;
  (void)frames;
  (void)count;
#endif
}

#ifdef WITH_UNWINDER
struct walk {
  void* frames[kMaxFrames];
  int count;
};

static _Unwind_Reason_Code note_frame(struct _Unwind_Context* context, void* argument) {
  struct walk* const walk = argument;
  if (walk->count >= kMaxFrames) return _URC_END_OF_STACK;
  walk->frames[walk->count++] = (void*)_Unwind_GetIP(context);
  return _URC_NO_REASON;
}

static void walk_by_unwinder(void) {
  struct walk walk = {.count = 0};
  _Unwind_Backtrace(note_frame, &walk);
  print_frames("unwind", walk.frames, walk.count);
}
#else
static void walk_by_unwinder(void) {}
#endif

PROBED int trace_frame(int depth) {
  ++frame_calls;
  int below = 0;
  if (depth > 1) {
    below = trace_frame(depth - 1);
    __asm__ volatile("" : "+r"(below));  // else the compiler makes a loop of it
  } else {
    void* frames[kMaxFrames];
    const int count = backtrace(frames, kMaxFrames);
    tgt_require(count > 0, "backtrace() found nothing");
    print_frames("backtrace", frames, count);
    walk_by_unwinder();
  }
  return below + 1;
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const int depths[] = {1, 2, 10, 63, 64, 100};
  (void)argc;
  tgt_ready(options);
  for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); ++i) {
    tgt_require(trace_frame(depths[i]) == depths[i], "a call returned a wrong value");
  }
  tgt_emit("calls", "trace_frame", frame_calls);
  tgt_emit("rets", "trace_frame", frame_calls);
  tgt_done(options);
  return 0;
}
