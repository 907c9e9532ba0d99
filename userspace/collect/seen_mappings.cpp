// SPDX-License-Identifier: Apache-2.0
#include "collect/seen_mappings.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>

#include "target/maps.hpp"

namespace callscope {
namespace {

bool overlap(std::uint64_t start, std::uint64_t end, const ProcessEvent& mapped) {
  return start < mapped.end && mapped.start < end;
}

std::string path_in_maps(const ProcessEvent& mapped) {
  std::string path = mapped.path == "//anon" ? std::string() : mapped.path;
  for (std::size_t at = 0; (at = path.find('\n', at)) != std::string::npos;)
    path.replace(at, 1, "\\012");
  return path;
}

std::string maps_line(const ProcessEvent& mapped) {
  const auto flag = [&](std::uint32_t bit, char set) {
    return (mapped.protection & bit) != 0 ? set : '-';
  };
  return fmt::format("{:x}-{:x} {}{}{}{} {:08x} {:02x}:{:02x} {} {}\n", mapped.start, mapped.end,
                     flag(PROT_READ, 'r'), flag(PROT_WRITE, 'w'), flag(PROT_EXEC, 'x'),
                     mapped.shared ? 's' : 'p', mapped.file_off, mapped.dev_major, mapped.dev_minor,
                     mapped.inode, path_in_maps(mapped));
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
  for (const ProcessEvent& event : seen_) text += maps_line(event);
  return text;
}

}  // namespace callscope
