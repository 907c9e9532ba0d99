// SPDX-License-Identifier: Apache-2.0
// The style sheet of one picture: style.css and the colours of the palette that occur in it.
// Collect with use() while drawing, then write once. One thread at a time; cannot fail.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "flamegraph/palette.hpp"

namespace callscope {

class SvgStyle {
 public:
  // palette must outlive this object.
  explicit SvgStyle(const Palette& palette) : palette_(palette) {}

  // The CSS class of a colour, such as "a3", and a promise that it is in the style sheet.
  std::string use(Palette::Choice choice);

  // Groups of the palette that were used, ascending.
  [[nodiscard]] std::set<std::uint32_t> used_groups() const;

  // A <style> element.
  [[nodiscard]] std::string element() const;

 private:
  const Palette& palette_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> used_;
};

}  // namespace callscope
