// SPDX-License-Identifier: Apache-2.0
#include "flamegraph/palette.hpp"

#include <string_view>

#include "flamegraph/frame_kind.hpp"

namespace callscope {
namespace {

// Shades are points of OKLCH with equal chroma and a small spread of hue and lightness. Light ones
// keep a contrast of at least 7:1 to the ink of style.css, dark ones of at least 4.8:1.
using Group = Palette::Group;

Group user_group() {
  return {"user",
          {{"#eeab96", "#743d2c"},
           {"#fab99c", "#7d482f"},
           {"#ffc8a3", "#865333"},
           {"#ebb58a", "#72451d"},
           {"#f5c493", "#7a5123"},
           {"#fdd39c", "#815d2a"},
           {"#e3c186", "#6c4f15"},
           {"#ead091", "#725b20"}}};
}

Group kernel_group() {
  return {"kernel",
          {{"#86b8da", "#175476"},
           {"#96c3e9", "#2a5c82"},
           {"#a6cef7", "#3a658e"},
           {"#97b8e3", "#31537e"},
           {"#a7c3f1", "#405b89"},
           {"#b8cdfe", "#4f6394"},
           {"#a9b7e8", "#455182"},
           {"#bac2f5", "#53598c"}}};
}

Group jit_group() {
  return {"JIT",
          {{"#9dcca3", "#325938"},
           {"#a5d9b4", "#376345"},
           {"#ade6c5", "#3c6e53"},
           {"#94d2b5", "#265e47"},
           {"#9ddfc6", "#2c6855"},
           {"#a6ecd8", "#337262"},
           {"#8ed6c8", "#1c6156"},
           {"#99e3da", "#256b64"}}};
}

Group inlined_group() {
  return {"inlined",
          {{"#d7aed9", "#663d68"},
           {"#e7b9e1", "#73456e"},
           {"#f7c4e9", "#804e73"},
           {"#e5afcf", "#713d5e"},
           {"#f4bbd7", "#7e4663"},
           {"#ffc7de", "#8a4f68"},
           {"#f0b2c4", "#7a3f53"},
           {"#febecc", "#864958"}}};
}

Group python_group() {
  return {"Python",
          {{"#d9cf7f", "#635b12"},
           {"#e2d88a", "#6a621d"},
           {"#ece195", "#716927"},
           {"#cbd283", "#575f19"},
           {"#d5dc8e", "#5f6724"},
           {"#dfe69a", "#656d2c"},
           {"#bdd68c", "#4b6324"},
           {"#c8e098", "#536b2f"}}};
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
  palette.groups = {user_group(),
                    kernel_group(),
                    jit_group(),
                    inlined_group(),
                    Group{"no symbol", {{"#c9c7c2", "#4a4945"}}},
                    Group{"separator", {{"#e4e0d8", "#33363f"}}},
                    python_group()};
  std::vector<std::uint32_t> shades;
  for (const Group& group : palette.groups) {
    shades.push_back(static_cast<std::uint32_t>(group.shades.size()));
  }
  palette.choose = [shades](const FrameTree& tree, const FrameNode& node) {
    const std::string& name = tree.name_of(node);
    const std::uint32_t group = static_cast<std::uint32_t>(frame_kind(name));
    return Palette::Choice{group, hash_name(plain_name(name)) % shades[group]};
  };
  return palette;
}

}  // namespace callscope
