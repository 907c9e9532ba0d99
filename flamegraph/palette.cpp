// SPDX-License-Identifier: Apache-2.0
#include "flamegraph/palette.hpp"

#include <string_view>

#include "flamegraph/frame_kind.hpp"

namespace callscope {
namespace {

// Shades are points of OKLCH with equal chroma and a small spread of hue and lightness. Light ones
// keep a contrast of at least 7:1 to the ink of style.css, dark ones of at least 5:1.
using Group = Palette::Group;

Group user_group() {
  return {"user",
          {{"#eeab96", "#68392a"},
           {"#fab99c", "#72442f"},
           {"#ffc8a3", "#7c5034"},
           {"#ebb58a", "#67411f"},
           {"#f5c493", "#704c26"},
           {"#fdd39c", "#77592e"},
           {"#e3c186", "#624a1a"},
           {"#ead091", "#695624"}}};
}

Group kernel_group() {
  return {"kernel",
          {{"#86b8da", "#174d6b"},
           {"#96c3e9", "#295678"},
           {"#a6cef7", "#395f84"},
           {"#97b8e3", "#2e4c73"},
           {"#a7c3f1", "#3d557f"},
           {"#b8cdfe", "#4b5e8a"},
           {"#a9b7e8", "#404b77"},
           {"#bac2f5", "#4e5482"}}};
}

Group jit_group() {
  return {"JIT",
          {{"#9dcca3", "#2f5134"},
           {"#a5d9b4", "#355c41"},
           {"#ade6c5", "#3b664f"},
           {"#94d2b5", "#265642"},
           {"#9ddfc6", "#2d604f"},
           {"#a6ecd8", "#356b5d"},
           {"#8ed6c8", "#1f5950"},
           {"#99e3da", "#29635d"}}};
}

Group inlined_group() {
  return {"inlined",
          {{"#d7aed9", "#5c395e"},
           {"#e7b9e1", "#694265"},
           {"#f7c4e9", "#764b6b"},
           {"#e5afcf", "#673a56"},
           {"#f4bbd7", "#73435c"},
           {"#ffc7de", "#804d62"},
           {"#f0b2c4", "#6f3c4d"},
           {"#febecc", "#7b4653"}}};
}

// FNV-1a: the same on every machine and in every release, which std::hash does not promise.
std::uint32_t hash_name(std::string_view name) {
  std::uint32_t hash = 2166136261U;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 16777619U;
  }
  return hash ^ (hash >> 16);
}

}  // namespace

Palette palette_by_kind() {
  Palette palette;
  // In the order of FrameKind.
  palette.groups = {user_group(), kernel_group(), jit_group(), inlined_group(),
                    Group{"no symbol", {{"#c9c7c2", "#4a4945"}}}};
  palette.choose = [sizes = std::vector<std::uint32_t>{8, 8, 8, 8, 1}](const FrameTree& tree,
                                                                       const FrameNode& node) {
    const std::string& name = tree.name_of(node);
    const std::uint32_t group = static_cast<std::uint32_t>(frame_kind(name));
    return Palette::Choice{group, hash_name(plain_name(name)) % sizes[group]};
  };
  return palette;
}

}  // namespace callscope
