// SPDX-License-Identifier: Apache-2.0
#include "cli/record_loop.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

#include "sys/clock.hpp"

namespace callscope::cli {
namespace {

constexpr std::size_t kMaxFailures = 3;

const char* end_name(RecordEnd end) {
  switch (end) {
    case RecordEnd::kDuration:
      return "duration";
    case RecordEnd::kSignal:
      return "signal";
    case RecordEnd::kTargetExit:
      return "target exit";
  }
  return "";
}

}  // namespace

RecordSignals::RecordSignals() {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&wanted, signal);
  ::pthread_sigmask(SIG_BLOCK, &wanted, &before_);
  fd_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

void RecordSignals::restore() {
  if (!fd_.valid()) return;
  // Signals that came twice must not end us after the recording is complete.
  signalfd_siginfo pending{};
  while (::read(fd_.get(), &pending, sizeof(pending)) > 0) {
  }
  fd_.reset();
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

RecordLoop::RecordLoop(Recorder& recorder, RecordingWriter& writer, RecordSignals& signals,
                       Options options)
    : recorder_(recorder),
      writer_(writer),
      signals_(signals),
      options_(options),
      begin_ns_(monotonic_ns()),
      next_tick_ns_(begin_ns_),
      next_housekeeping_ns_(begin_ns_),
      next_flush_ns_(begin_ns_) {}

RecordEnd RecordLoop::run() {
  const std::uint64_t end_ns = options_.duration_ns == 0 ? std::numeric_limits<std::uint64_t>::max()
                                                         : begin_ns_ + options_.duration_ns;
  std::array<pollfd, 3> fds{{{signals_.fd(), POLLIN, 0},
                             {recorder_.pidfd(), POLLIN, 0},
                             {recorder_.events_fd(), POLLIN, 0}}};
  for (;;) {
    const std::uint64_t now_ns = monotonic_ns();
    if (now_ns >= end_ns) return RecordEnd::kDuration;
    if (now_ns >= next_tick_ns_) tick();
    if (now_ns >= next_housekeeping_ns_) housekeep();
    const std::uint64_t wake_ns = std::min({next_tick_ns_, next_housekeeping_ns_, end_ns});
    const std::uint64_t later_ns = monotonic_ns();
    const timespec timeout{
        static_cast<std::time_t>(wake_ns > later_ns ? (wake_ns - later_ns) / kNsPerSecond : 0),
        static_cast<long>(wake_ns > later_ns ? (wake_ns - later_ns) % kNsPerSecond : 0)};
    ::ppoll(fds.data(), fds.size(), &timeout, nullptr);
    if ((fds[0].revents & POLLIN) != 0) return RecordEnd::kSignal;
    if ((fds[2].revents & POLLIN) != 0) keep(recorder_.drain());
    if ((fds[1].revents & POLLIN) != 0) return RecordEnd::kTargetExit;
  }
}

void RecordLoop::keep(const Result<void>& result) {
  if (result || failures_.size() >= kMaxFailures) return;
  const std::string message = result.error().message();
  const bool known = std::ranges::any_of(
      failures_, [&](const Error& failure) { return failure.message() == message; });
  if (!known) failures_.push_back(result.error());
}

void RecordLoop::housekeep() {
  constexpr std::uint64_t kPeriodNs = 100'000'000;
  next_housekeeping_ns_ = monotonic_ns() + kPeriodNs;
  keep(recorder_.housekeep());
}

void RecordLoop::tick() {
  const std::uint64_t period_ns = std::min(options_.interval_ns, kNsPerSecond);
  next_tick_ns_ += period_ns;
  if (next_tick_ns_ < monotonic_ns()) next_tick_ns_ = monotonic_ns() + period_ns;
  keep(recorder_.tick());
  flush();
  if (options_.progress && ::isatty(STDERR_FILENO) != 0) show_progress();
}

void RecordLoop::flush() {
  const std::uint64_t now_ns = monotonic_ns();
  if (now_ns < next_flush_ns_) return;
  keep(writer_.flush(recorder_.recording()));
  next_flush_ns_ = now_ns + kNsPerSecond;
}

void RecordLoop::show_progress() {
  const Recorder::Progress progress = recorder_.progress();
  const auto elapsed_s = static_cast<double>(monotonic_ns() - begin_ns_) / 1e9;
  fmt::print(stderr, "\r\033[K{:.0f} s  {} samples  {} calls  {} lost", elapsed_s, progress.samples,
             progress.calls, progress.lost);
  shown_ = true;
}

std::vector<Error> RecordLoop::finish(RecordEnd end) {
  if (shown_) fmt::print(stderr, "\r\033[K");
  keep(recorder_.stop(end_name(end)));
  keep(writer_.finish(recorder_.recording()));
  return std::move(failures_);
}

}  // namespace callscope::cli
