// SPDX-License-Identifier: Apache-2.0
// A program that marks its spans itself by callscope/span.hpp: nested ones, ones that leave by an
// exception, ones that begin on one thread and end on another, names that are made at run time and
// too long to be shown. Truth: finished spans by name, and how long the pauses in them took.
#include "callscope/span.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "target.h"

namespace {

std::uint64_t g_inner_ns;

void pause(std::uint64_t us) {
  const timespec wait{0, static_cast<long>(us) * 1000};
  nanosleep(&wait, nullptr);
}

PROBED void nest(std::uint64_t pause_us) {
  const callscope::Span outer("outer");
  for (int i = 0; i < 3; ++i) {
    const callscope::Span inner("inner");
    const std::uint64_t begin_ns = tgt_now_ns();
    pause(pause_us);
    g_inner_ns += tgt_now_ns() - begin_ns;
  }
}

PROBED int fail_inside() {
  const callscope::Span span("thrown");
  throw std::runtime_error("out of the span");
}

PROBED void hop(std::uint64_t count) {
  std::vector<std::unique_ptr<callscope::Span>> begun;
  for (std::uint64_t i = 0; i < count; ++i)
    begun.push_back(std::make_unique<callscope::Span>("hop"));
  std::thread([&] { begun.clear(); }).join();
}

}  // namespace

int main(int argc, char** argv) {
  const tgt_options options = tgt_parse(&argc, argv);
  const std::uint64_t rounds = tgt_number(argc, argv, "--rounds", 50);
  const std::uint64_t names = tgt_number(argc, argv, "--names", 2);
  const std::uint64_t pause_us = tgt_number(argc, argv, "--pause-us", 200);
  const callscope::Span before("before");
  tgt_ready(options);
  for (std::uint64_t i = 0; i < rounds; ++i) {
    nest(pause_us);
    try {
      fail_inside();
    } catch (const std::runtime_error&) {
    }
  }
  hop(rounds);
  for (std::uint64_t i = 0; i < names; ++i) {
    const std::string name = "name " + std::to_string(i);
    const callscope::Span span(name.c_str());
  }
  {
    const callscope::Span span(std::string(100, 'x').c_str());
  }
  const auto left_open = std::make_unique<callscope::Span>("left open");
  tgt_emit("finished", "outer", rounds);
  tgt_emit("finished", "inner", 3 * rounds);
  tgt_emit("finished", "thrown", rounds);
  tgt_emit("finished", "hop", rounds);
  tgt_emit("finished", "name 0", names > 0 ? 1 : 0);
  tgt_emit("finished", std::string(63, 'x').c_str(), 1);
  tgt_emit("sum_ns", "inner", g_inner_ns);
  tgt_done(options);
  return 0;
}
