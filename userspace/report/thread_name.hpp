// SPDX-License-Identifier: Apache-2.0
// Names of threads for text and folded stacks. Views into a Recording, which must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "callscope/recording.hpp"

namespace callscope {

class ThreadNames {
 public:
  explicit ThreadNames(const Recording& recording);

  // The command name as recorded; of any process for pid 0; empty: not known.
  [[nodiscard]] const std::string& comm(std::int32_t pid, std::int32_t tid) const;

  // "worker (4243)", or the number alone; printable.
  [[nodiscard]] std::string label(std::int32_t pid, std::int32_t tid) const;

 private:
  std::map<std::pair<std::int32_t, std::int32_t>, const std::string*> by_id_;
  std::map<std::int32_t, const std::string*> by_tid_;
};

}  // namespace callscope
