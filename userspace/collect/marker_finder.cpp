// SPDX-License-Identifier: Apache-2.0
#include "collect/marker_finder.hpp"

#include <set>

#include "target/maps.hpp"

namespace callscope {

std::string marker_text(const UsdtMarker& marker) {
  return "usdt:" + marker.provider + ":" + marker.name;
}

MarkerFinder::MarkerFinder(std::int32_t pid, const Symbolizer& symbolizer) {
  const ProcessMaps* const process = symbolizer.process(pid);
  if (process == nullptr) return;
  std::set<const CachedModule*> seen;
  for (const CodeMapping& code : process->mappings()) {
    if (code.module == nullptr || code.mapping.inode == 0 || !seen.insert(code.module).second)
      continue;
    const ModuleImage* const image = code.module->image();
    if (image == nullptr) continue;
    for (UsdtMarker& marker : usdt_markers(image->image()))
      markers_.push_back({std::move(marker), image->lasting_path(), code.module});
  }
}

std::string MarkerFinder::names() const {
  constexpr std::size_t kListed = 10;
  std::set<std::string> names;
  for (const PlacedMarker& placed : markers_) names.insert(marker_text(placed.marker));
  if (names.empty()) return "the process has none";
  std::string text = "the process has ";
  std::size_t listed = 0;
  for (const std::string& name : names) {
    if (listed == kListed) return text + " and " + std::to_string(names.size() - listed) + " more";
    text += (listed++ == 0 ? "" : ", ") + name;
  }
  return text;
}

Result<std::vector<PlacedMarker>> MarkerFinder::find(const UsdtPattern& pattern) const {
  std::vector<PlacedMarker> found;
  for (const PlacedMarker& placed : markers_) {
    if (!pattern.matches(placed.marker)) continue;
    if (!placed.marker.refusal.empty())
      return fail(ErrorCode::kUnsupported, "marker " + marker_text(placed.marker) + " of " +
                                               placed.module->path() +
                                               " cannot be probed: " + placed.marker.refusal);
    found.push_back(placed);
  }
  if (found.empty())
    return fail(ErrorCode::kUsage, "no USDT marker matches '" + pattern.text() + "'", names());
  return found;
}

}  // namespace callscope
