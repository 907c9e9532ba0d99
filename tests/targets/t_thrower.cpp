// SPDX-License-Identifier: Apache-2.0
// The C++ library of t_library_throw: it throws, passes exceptions on through a destructor and a
// rethrow, and catches them, in frames between those of a C program.
#include <cstdint>

#include "target.h"

namespace {

struct Thrown {
  int value;
};

std::uint64_t g_destroyed;

struct Guard {
  Guard() = default;
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { ++g_destroyed; }
};

}  // namespace

extern "C" {

using Callback = int (*)(int);

int thrower_throw(int value);
int thrower_pass(Callback next, int depth);
int thrower_catch(Callback next, int depth);
std::uint64_t thrower_destroyed();

PROBED int thrower_throw(int value) { throw Thrown{value}; }

PROBED int thrower_pass(Callback next, int depth) {
  const Guard guard;
  try {
    return next(depth);
  } catch (const Thrown&) {
    throw;
  }
}

PROBED int thrower_catch(Callback next, int depth) {
  try {
    return next(depth);
  } catch (const Thrown& thrown) {
    return -thrown.value;
  }
}

std::uint64_t thrower_destroyed() { return g_destroyed; }
}
