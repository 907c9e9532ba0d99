// SPDX-License-Identifier: Apache-2.0
// Exceptions through 1..N probed frames with destructors on the way, rethrown half-way when the
// depth is even. A return probe on any of these frames would end the program in std::terminate, so
// reaching "ok" under a recorder proves that it is safe. With --leaps N it then leaves five frames
// by longjmp N times. Truth: calls, normal returns and unwound.
#include <csetjmp>
#include <stdexcept>

#include "target.h"

namespace {

std::uint64_t g_top_calls, g_frame_calls, g_frame_rets, g_rethrow_calls, g_destroyed, g_caught;

struct Guard {
  Guard() = default;
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { ++g_destroyed; }
};

}  // namespace

PROBED int throw_frame(int depth, bool fail);

PROBED int throw_again(int depth, bool fail) {
  ++g_rethrow_calls;
  try {
    return throw_frame(depth, fail);
  } catch (const std::runtime_error&) {
    throw;
  }
}

PROBED int throw_frame(int depth, bool fail) {
  ++g_frame_calls;
  const Guard guard;
  int below = 0;
  if (depth > 1) {
    below = depth % 2 == 0 ? throw_again(depth - 1, fail) : throw_frame(depth - 1, fail);
  } else if (fail) {
    throw std::runtime_error("innermost frame");
  }
  ++g_frame_rets;
  return below + 1;
}

PROBED int throw_top(int depth, bool fail) {
  ++g_top_calls;
  try {
    return throw_frame(depth, fail);
  } catch (const std::exception&) {
    ++g_caught;
    return -1;
  }
}

namespace {

std::jmp_buf g_back;
std::uint64_t g_leap_calls;

}  // namespace

// No frame on the way has anything to destroy.
PROBED int leap_frame(int depth) {
  ++g_leap_calls;
  int below = depth > 0 ? leap_frame(depth - 1) : 0;
  __asm__ volatile("" : "+r"(below));  // else the compiler makes a loop of it
  if (depth == 0) std::longjmp(g_back, 1);
  return below + 1;
}

PROBED int leap_top() {
  if (setjmp(g_back) != 0) return -1;
  return leap_frame(4);
}

namespace {

void leap(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) tgt_require(leap_top() == -1, "a jump went astray");
  if (count == 0) return;
  tgt_emit("calls", "leap_top", count);
  tgt_emit("rets", "leap_top", count);
  tgt_emit("calls", "leap_frame", g_leap_calls);
  tgt_emit("unwound", "leap_frame", g_leap_calls);
}

}  // namespace

int main(int argc, char** argv) {
  const tgt_options options = tgt_parse(&argc, argv);
  const std::uint64_t rounds = tgt_number(argc, argv, "--rounds", 20);
  const int deepest = static_cast<int>(tgt_number(argc, argv, "--deepest", 10));
  tgt_ready(options);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (int depth = 1; depth <= deepest; ++depth) {
      const bool fail = round % 2 == 0;
      tgt_require(throw_top(depth, fail) == (fail ? -1 : depth), "an exception went astray");
    }
  }
  tgt_require(g_destroyed == g_frame_calls, "a destructor did not run");
  leap(tgt_number(argc, argv, "--leaps", 0));
  tgt_emit("calls", "throw_top", g_top_calls);
  tgt_emit("rets", "throw_top", g_top_calls);
  tgt_emit("calls", "throw_frame", g_frame_calls);
  tgt_emit("rets", "throw_frame", g_frame_rets);
  tgt_emit("unwound", "throw_frame", g_frame_calls - g_frame_rets);
  tgt_emit("calls", "throw_again", g_rethrow_calls);
  tgt_emit("caught", "throw_top", g_caught);
  puts("ok");
  tgt_done(options);
  return 0;
}
