// SPDX-License-Identifier: Apache-2.0
#include "flamegraph/svg_style.hpp"

#include <fmt/format.h>

#include <iterator>

#include "flamegraph/assets.hpp"

namespace callscope {
namespace {

std::string class_name(std::uint32_t group, std::uint32_t shade) {
  return fmt::format("{}{}", static_cast<char>('a' + group), shade);
}

}  // namespace

std::string SvgStyle::use(Palette::Choice choice) {
  used_.emplace(choice.group, choice.shade);
  return class_name(choice.group, choice.shade);
}

std::set<std::uint32_t> SvgStyle::used_groups() const {
  std::set<std::uint32_t> groups;
  for (const auto& [group, shade] : used_) groups.insert(group);
  return groups;
}

std::string SvgStyle::element() const {
  std::string light;
  std::string automatic;
  std::string dark;
  for (const auto& [group, shade] : used_) {
    const Palette::Shade& colour = palette_.groups[group].shades[shade];
    const std::string name = class_name(group, shade);
    fmt::format_to(std::back_inserter(light), ".csfg .{}{{fill:{}}}\n", name, colour.light);
    fmt::format_to(std::back_inserter(automatic), ".csfg:not(.light) .{}{{fill:{}}}\n", name,
                   colour.dark);
    fmt::format_to(std::back_inserter(dark), ".csfg.dark .{}{{fill:{}}}\n", name, colour.dark);
  }
  // The palette goes first: states such as "matched" in style.css override it.
  return fmt::format(
      "<style><![CDATA[\n{}@media (prefers-color-scheme:dark){{\n{}}}\n{}{}]]></style>\n", light,
      automatic, dark, kStyleCss);
}

}  // namespace callscope
