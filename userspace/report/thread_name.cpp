// SPDX-License-Identifier: Apache-2.0
#include "report/thread_name.hpp"

#include <fmt/format.h>

#include "report/plain_text.hpp"

namespace callscope {

ThreadNames::ThreadNames(const Recording& recording) {
  for (const Thread& thread : recording.threads) {
    by_id_[{thread.pid, thread.tid}] = &thread.comm;
    by_tid_[thread.tid] = &thread.comm;
  }
}

const std::string& ThreadNames::comm(std::int32_t pid, std::int32_t tid) const {
  static const std::string kUnknown;
  if (pid == 0) {
    const auto found = by_tid_.find(tid);
    return found == by_tid_.end() ? kUnknown : *found->second;
  }
  const auto found = by_id_.find({pid, tid});
  return found == by_id_.end() ? kUnknown : *found->second;
}

std::string ThreadNames::label(std::int32_t pid, std::int32_t tid) const {
  const std::string& name = comm(pid, tid);
  return name.empty() ? std::to_string(tid) : fmt::format("{} ({})", printable(name), tid);
}

}  // namespace callscope
