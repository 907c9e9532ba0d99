// SPDX-License-Identifier: Apache-2.0
#include "symbols/perf_map.hpp"

#include <algorithm>
#include <limits>

#include "sys/parse_number.hpp"

namespace callscope {
namespace {

constexpr std::size_t kMaxEntries = 1U << 20;  // what a large Node.js or JVM server stays below

// Takes a hexadecimal number, with or without 0x, and the blanks after it.
std::optional<std::uint64_t> take_hex(std::string_view& text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  const std::size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const auto value = parse_number<std::uint64_t>(text.substr(0, blank), 0,
                                                 std::numeric_limits<std::uint64_t>::max(), 16);
  text.remove_prefix(std::min(text.find_first_not_of(' ', blank), text.size()));
  return value;
}

}  // namespace

std::size_t PerfMap::add(std::string_view text) {
  std::size_t used = 0;
  for (std::size_t newline = 0; (newline = text.find('\n', used)) != std::string_view::npos;
       used = newline + 1) {
    std::string_view line = text.substr(used, newline - used);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !add_line(line)) ++bad_lines_;
  }
  return used;
}

bool PerfMap::add_line(std::string_view line) {
  const auto start = take_hex(line);
  if (!start) return false;
  const auto size = take_hex(line);
  if (!size || line.empty()) return false;
  if (*size > std::numeric_limits<std::uint64_t>::max() - *start) return false;
  add_code(*start, *size, line);
  return true;
}

void PerfMap::add_code(std::uint64_t start, std::uint64_t size, std::string_view name) {
  if (size == 0) return;  // a stub without code: nothing to look up
  if (size > std::numeric_limits<std::uint64_t>::max() - start) return;
  if (entries_.size() >= kMaxEntries)
    ++dropped_lines_;
  else
    insert(start, start + size, name.substr(0, kMaxJitNameBytes));
}

void PerfMap::remove_code(std::uint64_t start, std::uint64_t size) {
  if (size <= std::numeric_limits<std::uint64_t>::max() - start) cut_out(start, start + size);
}

void PerfMap::insert(std::uint64_t start, std::uint64_t end, std::string_view name) {
  cut_out(start, end);
  entries_.emplace(start, Entry{end, start, std::string(name)});
}

void PerfMap::cut_out(std::uint64_t start, std::uint64_t end) {
  auto it = entries_.upper_bound(start);
  if (it != entries_.begin()) {
    const auto before = std::prev(it);
    if (Entry& older = before->second; older.end > start) {
      if (older.end > end) entries_.emplace(end, Entry{older.end, older.start, older.name});
      if (before->first == start)
        it = entries_.erase(before);
      else
        older.end = start;
    }
  }
  it = entries_.lower_bound(start);
  while (it != entries_.end() && it->first < end) {
    if (it->second.end > end) {  // its tail stays
      Entry tail = std::move(it->second);
      entries_.erase(it);
      entries_.emplace(end, std::move(tail));
      break;
    }
    it = entries_.erase(it);
  }
}

std::optional<PerfMap::Match> PerfMap::find(std::uint64_t addr) const {
  auto after = entries_.upper_bound(addr);
  if (after == entries_.begin()) return std::nullopt;
  const Entry& entry = (--after)->second;
  if (addr >= entry.end) return std::nullopt;
  return Match{entry.name, addr - entry.start};
}

}  // namespace callscope
