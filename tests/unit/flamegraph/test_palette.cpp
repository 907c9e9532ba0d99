// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "flamegraph/frame_kind.hpp"
#include "flamegraph/palette.hpp"

using callscope::FoldedStack;
using callscope::frame_kind;
using callscope::FrameKind;
using callscope::FrameTree;
using callscope::Palette;
using callscope::plain_name;

namespace {

// Relative luminance as WCAG 2 defines it.
double luminance(const std::string& hex) {
  REQUIRE(hex.size() == 7);
  std::array<double, 3> linear{};
  for (std::size_t i = 0; i < linear.size(); ++i) {
    const double value = std::stoi(hex.substr(1 + 2 * i, 2), nullptr, 16) / 255.0;
    linear[i] = value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
  }
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}

double contrast(const std::string& a, const std::string& b) {
  const double x = luminance(a) + 0.05;
  const double y = luminance(b) + 0.05;
  return x > y ? x / y : y / x;
}

Palette::Choice choice_for(const std::string& name) {
  const std::vector<FoldedStack> stacks{{{name}, 1}};
  const FrameTree tree = FrameTree::build(stacks);
  return callscope::palette_by_kind().choose(tree, tree.nodes()[1]);
}

}  // namespace

TEST_CASE("the kind of a frame is told by its suffix", "[unit]") {
  CHECK(frame_kind("vfs_read_[k]") == FrameKind::kKernel);
  CHECK(frame_kind("Interpreter_[j]") == FrameKind::kJit);
  CHECK(frame_kind("size_[i]") == FrameKind::kInlined);
  CHECK(frame_kind("run (app.py)_[p]") == FrameKind::kPython);
  CHECK(frame_kind("main") == FrameKind::kUser);
  CHECK(frame_kind("[unknown] libc.so.6+0x1234") == FrameKind::kUnresolved);
  CHECK(frame_kind("[libc.so.6]") == FrameKind::kUnresolved);
  CHECK(frame_kind("--") == FrameKind::kSeparator);
  CHECK(plain_name("vfs_read_[k]") == "vfs_read");
  CHECK(plain_name("_[k]") == "_[k]");
  CHECK(plain_name("main") == "main");
}

TEST_CASE("a function has one colour whatever the graph, kinds have families", "[unit]") {
  const Palette palette = callscope::palette_by_kind();
  CHECK(choice_for("malloc").shade == choice_for("malloc").shade);
  CHECK(choice_for("read").shade == choice_for("read_[k]").shade);
  CHECK(palette.groups[choice_for("read").group].label == "user");
  CHECK(palette.groups[choice_for("read_[k]").group].label == "kernel");
  CHECK(palette.groups[choice_for("f_[j]").group].label == "JIT");
  CHECK(palette.groups[choice_for("f_[i]").group].label == "inlined");
  CHECK(palette.groups[choice_for("f_[p]").group].label == "Python");
  CHECK(palette.groups[choice_for("[unknown]").group].label == "no symbol");
  CHECK(palette.groups[choice_for("-").group].label == "separator");
}

TEST_CASE("labels are readable on every shade", "[unit]") {
  for (const Palette::Group& group : callscope::palette_by_kind().groups) {
    for (const Palette::Shade& shade : group.shades) {
      CHECK(contrast(shade.light, "#1f2328") >= 7.0);  // --ink of style.css
      CHECK(contrast(shade.dark, "#f2efe9") >= 4.8);
    }
  }
}
