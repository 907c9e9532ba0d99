// SPDX-License-Identifier: Apache-2.0
// The code of a process that ended before its maps could be read: what was read of it last, and
// what it was seen to map since. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sys/process_events.hpp"

namespace callscope {

class SeenMappings {
 public:
  // All that was seen before is in the text of /proc/PID/maps that was just read.
  void forget() { *this = {}; }
  // What the process had mapped is gone.
  void executed();
  void mapped(const ProcessEvent& event);

  // Nothing was seen since: there is nothing to tell.
  [[nodiscard]] bool empty() const { return !executed_ && seen_.empty(); }
  // As of /proc/PID/maps, of executable memory; read: its text when it was read last.
  [[nodiscard]] std::string text(std::string_view read) const;

 private:
  bool executed_ = false;
  std::vector<ProcessEvent> seen_;
};

}  // namespace callscope
