// SPDX-License-Identifier: Apache-2.0
// Exceptions in unusual places: thrown and caught in destructors while another exception unwinds,
// passing handlers of other types, stopped by noexcept functions, carried to another thread, and
// thrown through the C library's qsort. Truth: calls, normal returns and unwound, destructors run.
#include <exception>
#include <thread>

#include "target.h"

namespace {

struct Outer {};
struct Inner {};
struct Other {};

struct Counts {
  std::uint64_t calls, rets;
};
Counts g_nest_top, g_nest_frame, g_inner_frame, g_quiet_frame, g_loud_frame, g_carry_frame,
    g_sort_compare, g_sort_top;
std::uint64_t g_destroyed, g_inner_caught, g_wrong;
std::exception_ptr g_carried;

}  // namespace

PROBED int inner_frame(int depth);

namespace {

// Its destructor throws and catches in frames of its own while the outer exception is in flight.
struct Nest {
  Nest() = default;
  Nest(const Nest&) = delete;
  Nest& operator=(const Nest&) = delete;
  ~Nest() {
    ++g_destroyed;
    if (std::uncaught_exceptions() == 0) return;
    try {
      inner_frame(3);
    } catch (const Inner&) {
      ++g_inner_caught;
    }
  }
};

}  // namespace

PROBED int inner_frame(int depth) {
  ++g_inner_frame.calls;
  if (depth <= 1) throw Inner{};
  const int below = inner_frame(depth - 1);
  ++g_inner_frame.rets;
  return below + 1;
}

PROBED int nest_frame(int depth, bool fail) {
  ++g_nest_frame.calls;
  const Nest nest;
  int below = 0;
  try {
    if (depth > 1) {
      below = nest_frame(depth - 1, fail);
    } else if (fail) {
      throw Outer{};
    }
  } catch (const Other&) {
    ++g_wrong;
  }
  ++g_nest_frame.rets;
  return below + 1;
}

PROBED int nest_top(int depth, bool fail) {
  ++g_nest_top.calls;
  int result = -1;
  try {
    result = nest_frame(depth, fail);
  } catch (const Outer&) {
  }
  ++g_nest_top.rets;
  return result;
}

PROBED int loud_frame(int depth);

PROBED int quiet_frame(int depth) noexcept {
  ++g_quiet_frame.calls;
  int result = 0;
  try {
    result = loud_frame(depth);
  } catch (...) {
    result = 1;
  }
  ++g_quiet_frame.rets;
  return result;
}

// Every third frame is a noexcept one, which the exception of the innermost frame does not pass.
PROBED int loud_frame(int depth) {
  ++g_loud_frame.calls;
  if (depth <= 1) throw Outer{};
  const int below = depth % 3 == 0 ? quiet_frame(depth - 1) : loud_frame(depth - 1);
  ++g_loud_frame.rets;
  return below + 1;
}

PROBED int carry_frame(int depth) {
  ++g_carry_frame.calls;
  if (g_carried == nullptr) return 0;
  if (depth <= 1) std::rethrow_exception(g_carried);
  const int below = carry_frame(depth - 1);
  ++g_carry_frame.rets;
  return below + 1;
}

PROBED int sort_compare(const void* left, const void* right) {
  ++g_sort_compare.calls;
  const int a = *static_cast<const int*>(left);
  const int b = *static_cast<const int*>(right);
  if (a < 0 || b < 0) throw Outer{};
  ++g_sort_compare.rets;
  return a < b ? -1 : a > b;
}

PROBED int sort_top(bool fail) {
  ++g_sort_top.calls;
  int values[] = {7, 3, 9, fail ? -1 : 1, 8, 2};
  int result = 0;
  try {
    qsort(values, sizeof(values) / sizeof(values[0]), sizeof(values[0]), sort_compare);
    result = values[0];
  } catch (const Outer&) {
    result = -1;
  }
  ++g_sort_top.rets;
  return result;
}

namespace {

bool carried_to_a_thread() {
  try {
    inner_frame(2);
  } catch (...) {
    g_carried = std::current_exception();
  }
  bool caught = false;
  std::thread([&] {
    try {
      carry_frame(5);
    } catch (const Inner&) {
      caught = true;
    }
  }).join();
  return caught;
}

void emit_counts(const char* name, const Counts& counts) {
  tgt_emit("calls", name, counts.calls);
  tgt_emit("rets", name, counts.rets);
  tgt_emit("unwound", name, counts.calls - counts.rets);
}

}  // namespace

int main(int argc, char** argv) {
  const tgt_options options = tgt_parse(&argc, argv);
  const std::uint64_t rounds = tgt_number(argc, argv, "--rounds", 10);
  const int deepest = static_cast<int>(tgt_number(argc, argv, "--deepest", 20));
  tgt_ready(options);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const bool fail = round % 2 == 0;
    tgt_require(nest_top(deepest, fail) == (fail ? -1 : deepest), "an exception went astray");
    tgt_require(quiet_frame(7) == 6, "an exception passed a noexcept function");
    tgt_require(carried_to_a_thread(), "the thread did not catch what was carried to it");
    tgt_require(sort_top(fail) == (fail ? -1 : 1), "an exception got lost in qsort");
  }
  tgt_require(g_destroyed == g_nest_frame.calls, "a destructor did not run");
  tgt_require(g_wrong == 0, "a handler of another type caught the exception");
  emit_counts("nest_top", g_nest_top);
  emit_counts("nest_frame", g_nest_frame);
  emit_counts("inner_frame", g_inner_frame);
  emit_counts("quiet_frame", g_quiet_frame);
  emit_counts("loud_frame", g_loud_frame);
  emit_counts("carry_frame", g_carry_frame);
  emit_counts("sort_compare", g_sort_compare);
  emit_counts("sort_top", g_sort_top);
  tgt_emit("destroyed", "nest", g_destroyed);
  tgt_emit("caught", "inner", g_inner_caught);
  tgt_done(options);
  return 0;
}
