// SPDX-License-Identifier: Apache-2.0
// What a callscope::Span costs: the same function with and without one, called in windows that take
// turns. Truth: ns per call of each in its quickest window, and their difference.
#include "callscope/span.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "target.h"

namespace {

PROBED std::uint64_t plain(std::uint64_t value) { return value * 3 + 1; }

PROBED std::uint64_t spanned(std::uint64_t value) {
  const callscope::Span span("spanned");
  return value * 3 + 1;
}

double window_ns(std::uint64_t (*function)(std::uint64_t), std::uint64_t calls) {
  std::uint64_t value = 1;
  const std::uint64_t begin_ns = tgt_now_ns();
  for (std::uint64_t i = 0; i < calls; ++i) value = function(value);
  const std::uint64_t end_ns = tgt_now_ns();
  __asm__ volatile("" : : "r"(value));
  return static_cast<double>(end_ns - begin_ns) / static_cast<double>(calls);
}

}  // namespace

int main(int argc, char** argv) {
  const tgt_options options = tgt_parse(&argc, argv);
  const std::uint64_t windows = tgt_number(argc, argv, "--windows", 15);
  const std::uint64_t calls = tgt_number(argc, argv, "--calls", 2'000'000);
  tgt_require(windows > 0 && calls > 0, "there must be a call");
  tgt_ready(options);
  double plain_ns = window_ns(plain, calls);
  double spanned_ns = window_ns(spanned, calls);
  for (std::uint64_t i = 1; i < windows; ++i) {
    plain_ns = std::min(plain_ns, window_ns(plain, calls));
    spanned_ns = std::min(spanned_ns, window_ns(spanned, calls));
  }
  std::printf("ns_per_call plain %.3f\nns_per_call spanned %.3f\nns_per_span added %.3f\n",
              plain_ns, spanned_ns, spanned_ns - plain_ns);
  tgt_emit("spans", "spanned", windows * calls);
  tgt_done(options);
  return 0;
}
