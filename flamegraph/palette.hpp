// SPDX-License-Identifier: Apache-2.0
// Palette: which colour a frame has, and what the legend says about it. The renderer knows
// palettes only by this struct, so a differential or latency colouring is one more factory here.
// A value; choose must be callable from the thread that renders. Cannot fail.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "flamegraph/tree.hpp"

namespace callscope {

struct Palette {
  struct Shade {
    std::string light;  // "#rrggbb" on a light page, under dark text
    std::string dark;   // on a dark page, under light text
  };
  struct Group {
    std::string label;          // in the legend
    std::vector<Shade> shades;  // at least one, at most 10
  };
  struct Choice {
    std::uint32_t group = 0;  // index into groups
    std::uint32_t shade = 0;  // index into Group::shades
  };
  std::vector<Group> groups;  // at most 26
  std::function<Choice(const FrameTree&, const FrameNode&)> choose;
};

// One family of hues for each FrameKind, the shade by a hash of the name: the same function has
// the same colour in every graph.
Palette palette_by_kind();

}  // namespace callscope
