// SPDX-License-Identifier: Apache-2.0
// The files that every picture carries, turned into constants at build time by embed.cmake.
// Static storage; any thread.
#pragma once

#include <string_view>

namespace callscope {

extern const std::string_view kStyleCss;    // style.css
extern const std::string_view kHeatmapCss;  // heatmap.css
extern const std::string_view kInteractJs;  // interact.js

}  // namespace callscope
