// SPDX-License-Identifier: Apache-2.0
// Feeds the stack walker by a thread of its own, as soon as a target forks, executes or maps code:
// neither symbols nor drained records may delay it. Tells what it saw, for those who name and probe
// that code. start() and all else are for one other thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "callscope/recording.hpp"
#include "collect/seen_mappings.hpp"
#include "collect/unwind_feed.hpp"
#include "sys/fd.hpp"
#include "sys/process_events.hpp"

namespace callscope {

class UnwindThread {
 public:
  // From here on only the thread uses the feed. follow_children: forks of what it knows, too.
  static Result<std::unique_ptr<UnwindThread>> start(std::unique_ptr<UnwindFeed> feed,
                                                     bool follow_children);
  ~UnwindThread();
  UnwindThread(const UnwindThread&) = delete;
  UnwindThread& operator=(const UnwindThread&) = delete;

  [[nodiscard]] const UnwindMaps& maps() const { return feed_->maps(); }
  // Why new code is noticed late; empty: it is not.
  [[nodiscard]] const std::string& problem() const { return problem_; }

  // Has the maps of the process read again, soon: the walker missed code, or a while has passed.
  void look_at(std::int32_t pid);
  // The same, and waits a moment (500 ms) until the changes of before are there to be taken.
  void catch_up(std::int32_t pid);

  // Readable when there is something to take.
  [[nodiscard]] int changes_fd() const { return changes_fd_.get(); }
  struct Change {
    enum class Kind : std::uint8_t {
      kForked,  // pid is a new target, a child of parent
      kMapped,  // pid has other code than before
      kEnded,
    };
    Kind kind = Kind::kMapped;
    std::int32_t pid = 0;
    std::int32_t parent = 0;
    std::string maps_text;  // kMapped: of /proc/PID/maps; if it has ended, of its code only
  };
  // Since the last time that this was called, in their order.
  std::vector<Change> take_changes();

  void add_quality(std::vector<QualityItem>& quality) const;

 private:
  UnwindThread(std::unique_ptr<UnwindFeed> feed, bool follow_children)
      : feed_(std::move(feed)), follow_children_(follow_children) {}
  void run(const std::stop_token& stop);
  std::set<std::int32_t> begin_round();  // what is wanted in it
  void end_round();
  void on_event(const ProcessEvent& event);
  void refresh(std::int32_t pid);
  void tell(Change change);
  void tell_refreshed(std::int32_t pid, UnwindFeed::Refreshed refreshed);

  std::unique_ptr<UnwindFeed> feed_;
  std::map<std::int32_t, SeenMappings> seen_;  // by process, since its maps were read
  bool follow_children_;
  std::optional<ProcessEvents> events_;
  std::string problem_;
  Fd wake_fd_, changes_fd_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable_any round_done_;
  std::set<std::int32_t> wanted_;
  std::uint64_t rounds_ = 0;  // begun; one looks at all that was wanted before
  std::uint64_t rounds_done_ = 0;
  std::vector<Change> changes_;
  UnwindFeed::Counts counts_;

  std::jthread thread_;
};

}  // namespace callscope
