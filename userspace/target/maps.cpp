// SPDX-License-Identifier: Apache-2.0
#include "target/maps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sys/parse_number.hpp"
#include "sys/read_file.hpp"

namespace callscope {
namespace {

// Takes the text before the next separator off the front of rest; nothing if it is not there.
std::optional<std::string_view> take_until(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view field = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return field;
}

template <typename T>
bool take_number(std::string_view& rest, char separator, int base, T& out) {
  const std::optional<std::string_view> field = take_until(rest, separator);
  if (!field) return false;
  const std::optional<T> value = parse_number<T>(*field, 0, std::numeric_limits<T>::max(), base);
  if (value) out = *value;
  return value.has_value();
}

bool take_permissions(std::string_view& rest, Mapping& mapping) {
  const std::optional<std::string_view> field = take_until(rest, ' ');
  if (!field || field->size() != 4) return false;
  mapping.readable = (*field)[0] == 'r';
  mapping.writable = (*field)[1] == 'w';
  mapping.executable = (*field)[2] == 'x';
  return (*field)[3] == 'p' || (*field)[3] == 's';
}

// The kernel writes a newline in a path as \012 and leaves every other byte as it is.
std::string unescape_path(std::string_view text) {
  constexpr std::string_view kNewline = "\\012";
  std::string path;
  path.reserve(text.size());
  for (;;) {
    const std::size_t at = text.find(kNewline);
    path.append(text.substr(0, at));
    if (at == std::string_view::npos) return path;
    path.push_back('\n');
    text.remove_prefix(at + kNewline.size());
  }
}

void set_path(std::string_view text, Mapping& mapping) {
  constexpr std::string_view kDeleted = " (deleted)";
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  if (text.starts_with('/') && text.ends_with(kDeleted)) {
    mapping.deleted = true;
    text.remove_suffix(kDeleted.size());
  }
  mapping.path = unescape_path(text);
}

// "START-END rwxp OFF MAJ:MIN INODE   PATH"; without a path the line ends in a blank.
std::optional<Mapping> parse_line(std::string_view line) {
  Mapping mapping;
  const bool good = take_number(line, '-', 16, mapping.start) &&
                    take_number(line, ' ', 16, mapping.end) && take_permissions(line, mapping) &&
                    take_number(line, ' ', 16, mapping.file_off) &&
                    take_number(line, ':', 16, mapping.dev_major) &&
                    take_number(line, ' ', 16, mapping.dev_minor) &&
                    take_number(line, ' ', 10, mapping.inode) && mapping.start < mapping.end;
  if (!good) return std::nullopt;
  set_path(line, mapping);
  return mapping;
}

}  // namespace

Result<std::vector<Mapping>> parse_maps(std::string_view text) {
  std::vector<Mapping> mappings;
  mappings.reserve(static_cast<std::size_t>(std::ranges::count(text, '\n')));
  while (!text.empty()) {
    const std::optional<std::string_view> line = take_until(text, '\n');
    if (!line) return fail(ErrorCode::kCorrupt, "the memory map ends in the middle of a line");
    std::optional<Mapping> mapping = parse_line(*line);
    if (!mapping) {
      return fail(ErrorCode::kCorrupt,
                  fmt::format("line {} of the memory map is malformed", mappings.size() + 1));
    }
    mappings.push_back(std::move(*mapping));
  }
  return mappings;
}

Result<std::vector<Mapping>> read_maps(std::int32_t pid) {
  const Result<std::string> text = read_file(fmt::format("/proc/{}/maps", pid));
  if (!text) return std::unexpected(text.error());
  if (text->empty()) {
    return fail(ErrorCode::kNotFound, fmt::format("process {} has no user memory", pid),
                "it has ended, or it is a kernel thread");
  }
  return parse_maps(*text);
}

std::string map_file_path(std::int32_t pid, const Mapping& mapping) {
  return fmt::format("/proc/{}/map_files/{:x}-{:x}", pid, mapping.start, mapping.end);
}

}  // namespace callscope
