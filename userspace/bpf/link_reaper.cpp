// SPDX-License-Identifier: Apache-2.0
#include "bpf/link_reaper.hpp"

#include <algorithm>
#include <utility>

namespace callscope {

void LinkReaper::close(std::vector<Fd> links) {
  constexpr std::size_t kThreads = 256;
  const std::size_t share = (links.size() + kThreads - 1) / kThreads;
  for (std::size_t i = 0; i < links.size(); i += share) {
    std::vector<Fd> part;
    for (std::size_t j = i; j < std::min(i + share, links.size()); ++j)
      part.push_back(std::move(links[j]));
    threads_.emplace_back([part = std::move(part)]() mutable { part.clear(); });
  }
}

void LinkReaper::wait() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace callscope
