// SPDX-License-Identifier: Apache-2.0
#include "collect/unwind_thread.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>

namespace callscope {
namespace {

void signal_event(const Fd& event) {
  const std::uint64_t one = 1;
  std::ignore = ::write(event.get(), &one, sizeof(one));
}

void clear_event(const Fd& event) {
  std::uint64_t count = 0;
  std::ignore = ::read(event.get(), &count, sizeof(count));
}

Result<Fd> make_event() {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.valid()) return fail(ErrorCode::kInternal, "cannot create an eventfd", {}, errno);
  return event;
}

// Its first thread has ended.
bool has_other_threads(std::int32_t pid) {
  std::error_code error;
  std::filesystem::directory_iterator tasks(fmt::format("/proc/{}/task", pid), error);
  int count = 0;
  for (; !error && tasks != std::filesystem::directory_iterator(); tasks.increment(error)) ++count;
  return count > 1;
}

}  // namespace

Result<std::unique_ptr<UnwindThread>> UnwindThread::start(std::unique_ptr<UnwindFeed> feed,
                                                          bool follow_children) {
  std::unique_ptr<UnwindThread> self(new UnwindThread(std::move(feed), follow_children));
  for (Fd* const fd : {&self->wake_fd_, &self->changes_fd_}) {
    Result<Fd> event = make_event();
    if (!event) return std::unexpected(event.error());
    *fd = std::move(*event);
  }
  if (Result<ProcessEvents> events = ProcessEvents::open())
    self->events_ = std::move(*events);
  else
    self->problem_ = events.error().message();
  self->counts_ = self->feed_->counts();
  self->thread_ = std::jthread([raw = self.get()](const std::stop_token& stop) { raw->run(stop); });
  return self;
}

UnwindThread::~UnwindThread() {
  thread_.request_stop();
  if (wake_fd_.valid()) signal_event(wake_fd_);
}

void UnwindThread::run(const std::stop_token& stop) {
  // What they mapped before the events came.
  for (const std::int32_t pid : feed_->processes()) refresh(pid);
  while (!stop.stop_requested()) {
    std::array<pollfd, 2> fds{{{wake_fd_.get(), POLLIN, 0}, {-1, POLLIN, 0}}};
    if (events_) fds[1].fd = events_->fd();
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
    clear_event(wake_fd_);
    const std::set<std::int32_t> wanted = begin_round();
    if (events_)
      for (const ProcessEvent& event : events_->drain()) on_event(event);
    for (const std::int32_t pid : wanted) refresh(pid);
    end_round();
  }
}

std::set<std::int32_t> UnwindThread::begin_round() {
  const std::lock_guard lock(mutex_);
  ++rounds_;
  return std::exchange(wanted_, {});
}

void UnwindThread::end_round() {
  const std::lock_guard lock(mutex_);
  rounds_done_ = rounds_;
  counts_ = feed_->counts();
  round_done_.notify_all();
}

void UnwindThread::on_event(const ProcessEvent& event) {
  switch (event.kind) {
    case ProcessEvent::Kind::kFork:
      if (!follow_children_ || !feed_->knows(event.other)) break;
      tell({Change::Kind::kForked, event.pid, event.other, {}});
      seen_[event.pid] = seen_[event.other];
      tell_refreshed(event.pid, feed_->forked(event.pid, event.other));
      break;
    case ProcessEvent::Kind::kExec:
      if (!feed_->knows(event.pid)) break;
      seen_[event.pid].executed();
      refresh(event.pid);
      break;
    case ProcessEvent::Kind::kMapped:
      if (!feed_->knows(event.pid)) break;
      seen_[event.pid].mapped(event);
      refresh(event.pid);
      break;
    case ProcessEvent::Kind::kExit:
      if (!feed_->knows(event.pid) || has_other_threads(event.pid)) break;
      feed_->exited(event.pid);
      seen_.erase(event.pid);
      tell({Change::Kind::kEnded, event.pid, 0, {}});
      break;
    case ProcessEvent::Kind::kLost:
      for (const std::int32_t pid : feed_->processes()) refresh(pid);
      break;
  }
}

void UnwindThread::refresh(std::int32_t pid) { tell_refreshed(pid, feed_->refresh(pid)); }

void UnwindThread::tell_refreshed(std::int32_t pid, UnwindFeed::Refreshed refreshed) {
  using enum UnwindFeed::Refreshed;
  const auto seen = seen_.find(pid);
  if (refreshed == kChanged) tell({Change::Kind::kMapped, pid, 0, feed_->maps_text(pid)});
  if (seen == seen_.end()) return;
  if (refreshed != kEnded)
    seen->second.forget();
  else if (!seen->second.empty())
    tell({Change::Kind::kMapped, pid, 0, seen->second.text(feed_->maps_text(pid))});
}

void UnwindThread::tell(Change change) {
  const std::lock_guard lock(mutex_);
  changes_.push_back(std::move(change));
  signal_event(changes_fd_);
}

void UnwindThread::look_at(std::int32_t pid) {
  {
    const std::lock_guard lock(mutex_);
    wanted_.insert(pid);
  }
  signal_event(wake_fd_);
}

void UnwindThread::catch_up(std::int32_t pid) {
  constexpr auto kPatience = std::chrono::milliseconds(500);
  std::unique_lock lock(mutex_);
  wanted_.insert(pid);
  const std::uint64_t round = rounds_ + 1;
  signal_event(wake_fd_);
  round_done_.wait_for(lock, kPatience, [&] { return rounds_done_ >= round; });
}

std::vector<UnwindThread::Change> UnwindThread::take_changes() {
  clear_event(changes_fd_);
  const std::lock_guard lock(mutex_);
  return std::exchange(changes_, {});
}

void UnwindThread::add_quality(std::vector<QualityItem>& quality) const {
  const std::lock_guard lock(mutex_);
  quality.push_back({"unwind_tables_without_room", counts_.tables_without_room, false,
                     "modules whose unwind table did not fit: walked by frame pointers"});
  quality.push_back({"unwind_ranges_without_room", counts_.ranges_without_room, false,
                     "times that a process had too many executable mappings to be walked"});
}

}  // namespace callscope
