// SPDX-License-Identifier: Apache-2.0
// A file's code as objdump decodes it: where instructions begin, which of them are control flow,
// and where all jumps and calls lead. For tests only; single-threaded.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/elf/frame_oracle.hpp"

namespace callscope::test {

class Disassembly {
 public:
  explicit Disassembly(const std::string& path) {
    for (const std::string& line : lines_of(run_tool("objdump -d --no-show-raw-insn " + path)))
      take(line);
    std::ranges::sort(targets_);
  }

  [[nodiscard]] bool begins_instruction(std::uint64_t addr) const {
    return is_flow_.contains(addr);
  }
  // Number of instructions that begin in [first, last).
  [[nodiscard]] std::size_t count(std::uint64_t first, std::uint64_t last) const {
    return static_cast<std::size_t>(
        std::distance(is_flow_.lower_bound(first), is_flow_.lower_bound(last)));
  }
  // Whether one that begins in [first, last) is a jump, a call, a return or a system call.
  [[nodiscard]] bool leaves_line(std::uint64_t first, std::uint64_t last) const {
    return std::any_of(is_flow_.lower_bound(first), is_flow_.lower_bound(last),
                       [](const auto& insn) { return insn.second; });
  }
  // Whether a jump or call anywhere in the file leads into [first, last].
  [[nodiscard]] bool has_target(std::uint64_t first, std::uint64_t last) const {
    const auto found = std::ranges::lower_bound(targets_, first);
    return found != targets_.end() && *found <= last;
  }

 private:
  static bool is_flow(std::string_view mnemonic) {
    return mnemonic.starts_with('j') || mnemonic.starts_with("call") ||
           mnemonic.starts_with("ret") || mnemonic.starts_with("loop") ||
           mnemonic.starts_with("sys") || mnemonic.starts_with("ud") || mnemonic == "hlt" ||
           mnemonic == "xbegin";
  }

  // "  26380:\tbnd jmp 26350 <name>"
  void take(const std::string& line) {
    const std::size_t colon = line.find(":\t");
    if (colon == std::string::npos || line[0] != ' ') return;
    const std::vector<std::string> words = words_of(line.substr(colon + 1));
    const auto flow = std::ranges::find_if(words, is_flow);
    is_flow_.emplace(hex(words_of(line.substr(0, colon)).front()), flow != words.end());
    if (flow != words.end() && flow + 1 != words.end() && (flow + 1)->front() != '*')
      targets_.push_back(hex(*(flow + 1)));
  }

  std::map<std::uint64_t, bool> is_flow_;  // by address of the instruction
  std::vector<std::uint64_t> targets_;
};

}  // namespace callscope::test
