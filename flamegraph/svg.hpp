// SPDX-License-Identifier: Apache-2.0
// A frame tree as one self-contained SVG: a still picture that reads well by itself and becomes
// interactive (zoom, search, keyboard, dark mode) where scripts run. Names may hold any bytes;
// none of them can become markup or script. Pure function of its arguments; cannot fail. Equal
// input gives equal bytes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "flamegraph/palette.hpp"
#include "flamegraph/tree.hpp"

namespace callscope {

struct SvgOptions {
  std::string title = "Flame graph";  // say target and duration here or in subtitle
  std::string subtitle;               // may be empty
  std::string unit = "samples";  // of the weights; "ns" and "bytes" get a scale, see weight.hpp
  double width_px = 1200;        // of the still picture; the script fits it to the window
  double frame_height_px = 18;
  double min_width_px = 0.1;       // narrower frames are left out; the footer says how much
  bool icicle = false;             // root on top; the default is the root at the bottom
  std::vector<std::string> notes;  // one line each below the graph
  std::map<std::string, std::string> hints;  // by frame name: one more line of its tooltip
  Palette palette = palette_by_kind();
};

std::string render_svg(const FrameTree& tree, const SvgOptions& options = {});

}  // namespace callscope
