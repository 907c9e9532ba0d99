// SPDX-License-Identifier: Apache-2.0
#include "collect/seen_mappings.hpp"

#include <algorithm>

#include "target/maps.hpp"

namespace callscope {
namespace {

bool overlap(std::uint64_t start, std::uint64_t end, const ProcessEvent& mapped) {
  return start < mapped.end && mapped.start < end;
}

}  // namespace

void SeenMappings::executed() {
  executed_ = true;
  seen_.clear();
}

void SeenMappings::mapped(const ProcessEvent& event) {
  std::erase_if(seen_,
                [&](const ProcessEvent& older) { return overlap(older.start, older.end, event); });
  seen_.push_back(event);
}

std::string SeenMappings::text(std::string_view read) const {
  std::string text;
  while (!executed_ && !read.empty()) {
    const std::string_view line = read.substr(0, std::min(read.find('\n'), read.size() - 1) + 1);
    read.remove_prefix(line.size());
    const Result<std::vector<Mapping>> mapping = parse_maps(line);
    if (mapping && std::ranges::none_of(seen_, [&](const ProcessEvent& newer) {
          return overlap(mapping->front().start, mapping->front().end, newer);
        }))
      text += line;
  }
  for (const ProcessEvent& event : seen_) text += event.maps_line;
  return text;
}

}  // namespace callscope
