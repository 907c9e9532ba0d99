// SPDX-License-Identifier: Apache-2.0
#include "flamegraph/frame_kind.hpp"

#include <array>

namespace callscope {
namespace {

struct Suffix {
  std::string_view text;
  FrameKind kind;
};

constexpr std::array<Suffix, 4> kSuffixes{{{"_[k]", FrameKind::kKernel},
                                           {"_[j]", FrameKind::kJit},
                                           {"_[i]", FrameKind::kInlined},
                                           {"_[p]", FrameKind::kPython}}};

}  // namespace

FrameKind frame_kind(std::string_view name) {
  for (const Suffix& suffix : kSuffixes) {
    if (name.ends_with(suffix.text)) return suffix.kind;
  }
  if (name.starts_with("[unknown")) return FrameKind::kUnresolved;
  if (name.starts_with('[') && name.ends_with(']')) return FrameKind::kUnresolved;
  if (name == "-" || name == "--") return FrameKind::kSeparator;
  return FrameKind::kUser;
}

std::string_view plain_name(std::string_view name) {
  for (const Suffix& suffix : kSuffixes) {
    if (name.size() > suffix.text.size() && name.ends_with(suffix.text)) {
      return name.substr(0, name.size() - suffix.text.size());
    }
  }
  return name;
}

}  // namespace callscope
