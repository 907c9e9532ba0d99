// SPDX-License-Identifier: Apache-2.0
// Turns Python frames as BPF records them into frames of the Recording: the name, the file and the
// line of each. Keeps what it was told of code objects, which may be gone from the target. One
// thread; the Recording and the Symbolizer must outlive it.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "callscope/abi/python.h"
#include "callscope/recording.hpp"
#include "symbols/symbolizer.hpp"

namespace callscope {

class PythonFrames {
 public:
  PythonFrames(Recording& recording, Symbolizer& symbolizer)
      : recording_(recording), symbolizer_(symbolizer) {}

  void add_code(const cs_python_code_record& record);
  // Frame::id.
  std::uint32_t frame(std::uint32_t tgid, const cs_python_frame& frame);

  void add_quality(std::vector<QualityItem>& quality) const;

 private:
  struct Function {
    std::string name;
    std::string file;
    std::uint32_t first_line = 0;
    std::vector<std::uint8_t> lines;  // location table

    auto operator<=>(const Function&) const = default;
  };
  std::uint32_t intern(std::uint32_t number, const Function& function, std::uint32_t line);

  Recording& recording_;
  Symbolizer& symbolizer_;
  // Functions by what they are, with a number each; of several processes, or loaded anew, one.
  std::map<Function, std::uint32_t> functions_;
  using CodeKey = std::pair<std::uint32_t, std::uint64_t>;  // tgid, identity
  std::map<CodeKey, const std::pair<const Function, std::uint32_t>*> codes_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> frames_;  // number, line
  std::uint64_t without_line_ = 0;  // frames of instructions whose line is not known
  std::uint64_t without_name_ = 0;  // code objects whose name could not be read
  std::uint64_t unknown_code_ = 0;  // frames of code objects that user space was not told of
};

}  // namespace callscope
