// SPDX-License-Identifier: Apache-2.0
#include "live_run.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <utility>

#include "sys/clock.hpp"

namespace callscope::test {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kHousekeepingNs = 100'000'000;  // as in the command
constexpr std::uint64_t kPatienceNs = 60 * kSecond;

void require(const Result<void>& result) {
  if (!result) FAIL(result.error().message());
}

}  // namespace

LiveRun::LiveRun(std::vector<std::string> argv, RecordOptions options,
                 const std::vector<std::string>& patterns)
    : child_(target_command(std::move(argv))) {
  options.patterns = parse_patterns(patterns);
  child_.read_until("ready");
  Result<std::unique_ptr<Recorder>> recorder = Recorder::create(child_.pid(), options);
  if (!recorder) FAIL(recorder.error().message());
  recorder_ = std::move(*recorder);
  recorder_->enable();
  next_housekeeping_ns_ = monotonic_ns() + kHousekeepingNs;
  next_tick_ns_ = monotonic_ns() + kSecond;
}

void LiveRun::serve() {
  const std::uint64_t now_ns = monotonic_ns();
  if (now_ns >= next_tick_ns_) {
    require(recorder_->tick());
    next_tick_ns_ = monotonic_ns() + kSecond;
  }
  if (now_ns >= next_housekeeping_ns_) {
    require(recorder_->housekeep());
    next_housekeeping_ns_ = monotonic_ns() + kHousekeepingNs;
  }
  const std::uint64_t wake_ns = std::min(next_tick_ns_, next_housekeeping_ns_);
  const std::uint64_t later_ns = monotonic_ns();
  const std::uint64_t wait_ms = wake_ns > later_ns ? (wake_ns - later_ns) / 1'000'000 + 1 : 0;
  std::array<pollfd, 2> fds{{{child_.output_fd(), POLLIN, 0}, {recorder_->events_fd(), POLLIN, 0}}};
  ::poll(fds.data(), fds.size(), static_cast<int>(wait_ms));
  if (fds[1].revents != 0) require(recorder_->drain());
  if (fds[0].revents != 0) child_.receive();
}

void LiveRun::wait_for(const std::string& start) {
  const std::uint64_t give_up_ns = monotonic_ns() + kPatienceNs;
  for (;;) {
    while (std::optional<std::string> next = child_.next_line()) {
      lines_.push_back(std::move(*next));
      if (!lines_.back().starts_with(start)) continue;
      require(recorder_->drain());
      return;
    }
    if (monotonic_ns() > give_up_ns) FAIL("the target does not print '" << start << "'");
    serve();
  }
}

void LiveRun::serve_for(std::uint64_t ns) {
  for (const std::uint64_t end_ns = monotonic_ns() + ns; monotonic_ns() < end_ns;) serve();
}

TargetRun LiveRun::finish() {
  wait_for("done");
  return end_run(*recorder_, child_, lines_);
}

}  // namespace callscope::test
