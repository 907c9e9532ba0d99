// SPDX-License-Identifier: Apache-2.0
#include "report/renderer.hpp"

#include <algorithm>
#include <array>

namespace callscope {
namespace {

constexpr std::array kRenderers = {
    Renderer{"text", "tables for people", false, &render_text},
    Renderer{"json", "one object with everything (report/report.schema.json)", false, &render_json},
    Renderer{"folded", "stacks, one line each, for flame graph tools", false, &render_folded},
    Renderer{"svg", "interactive flame graph", true, &render_flame_graph},
    Renderer{"csv", "the function table, raw nanoseconds", false, &render_csv},
    Renderer{"calltree", "who calls whom, with exact times", false, &render_call_tree},
    Renderer{"heatmap", "latency over time as an SVG", true, &render_heat_map},
};

}  // namespace

std::span<const Renderer> renderers() { return kRenderers; }

const Renderer* find_renderer(std::string_view name) {
  const auto found = std::ranges::find(kRenderers, name, &Renderer::name);
  return found == kRenderers.end() ? nullptr : &*found;
}

}  // namespace callscope
