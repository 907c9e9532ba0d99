// SPDX-License-Identifier: Apache-2.0
#include "bpf/link_reaper.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <string>
#include <utility>

#include "sys/read_file.hpp"

namespace callscope {
namespace {

// A link that a thread of its own closes. Stays where it is.
class Closing {
 public:
  explicit Closing(Fd link)
      : thread_([this, fd = std::move(link)]() mutable {
          tid_ = ::gettid();
          fd.reset();
          tid_ = kDone;
        }) {}
  ~Closing() { thread_.join(); }
  Closing(const Closing&) = delete;
  Closing& operator=(const Closing&) = delete;

  // Its thread sleeps until a grace period of RCU or SRCU is over, or has ended.
  [[nodiscard]] bool has_breakpoints_out() const {
    const std::int32_t tid = tid_;
    if (tid == kDone) return true;
    if (tid == kNotBegun) return false;
    const auto kernel_function =
        read_file("/proc/self/task/" + std::to_string(tid) + "/wchan", 128);
    return kernel_function && kernel_function->find("rcu") != std::string::npos;
  }

 private:
  static constexpr std::int32_t kNotBegun = 0;
  static constexpr std::int32_t kDone = -1;
  std::atomic<std::int32_t> tid_ = kNotBegun;
  std::thread thread_;  // last: it uses the others
};

// However long one link takes, also where the kernel does not tell what a thread sleeps in.
constexpr auto kMostPatience = std::chrono::milliseconds(40);
constexpr auto kLookEvery = std::chrono::microseconds(500);

void close_in_turn(std::vector<Fd> links) {
  std::list<Closing> closing;
  for (Fd& link : links) {
    const Closing& last = closing.emplace_back(std::move(link));
    const auto latest = std::chrono::steady_clock::now() + kMostPatience;
    while (!last.has_breakpoints_out() && std::chrono::steady_clock::now() < latest)
      std::this_thread::sleep_for(kLookEvery);
  }
}

}  // namespace

void LinkReaper::close(std::vector<Fd> links) {
  if (links.empty()) return;
  threads_.emplace_back([links = std::move(links)]() mutable { close_in_turn(std::move(links)); });
}

void LinkReaper::wait() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace callscope
