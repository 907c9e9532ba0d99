// SPDX-License-Identifier: Apache-2.0
#include "target/proc_text.hpp"

#include <algorithm>
#include <vector>

#include "sys/parse_number.hpp"

namespace callscope {
namespace {

std::vector<std::string_view> split_blanks(std::string_view text) {
  std::vector<std::string_view> words;
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
    if (text.empty()) return words;
    const std::size_t length = std::min(text.find_first_of(" \n"), text.size());
    words.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
}

template <typename T>
bool store(std::string_view word, T& out) {
  const std::optional<T> value = parse_number<T>(word);
  if (value) out = *value;
  return value.has_value();
}

}  // namespace

std::optional<ProcStat> parse_proc_stat(std::string_view text) {
  // The name stands in parentheses and may hold any byte: only the last ')' ends it.
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return std::nullopt;
  constexpr std::size_t kFirstField = 3;  // the first word behind the name is field 3
  constexpr std::size_t kLastField = 23;
  const std::vector<std::string_view> words = split_blanks(text.substr(close + 1));
  if (words.size() <= kLastField - kFirstField) return std::nullopt;
  const auto field = [&](std::size_t number) { return words[number - kFirstField]; };

  ProcStat stat;
  stat.comm = std::string(text.substr(open + 1, close - open - 1));
  stat.state = field(3).front();
  const bool good = field(3).size() == 1 && store(field(4), stat.ppid) &&
                    store(field(9), stat.flags) && store(field(10), stat.minor_faults) &&
                    store(field(12), stat.major_faults) && store(field(14), stat.utime_ticks) &&
                    store(field(15), stat.stime_ticks) && store(field(20), stat.threads) &&
                    store(field(22), stat.start_ticks) && store(field(23), stat.vms_bytes);
  if (!good) return std::nullopt;
  return stat;
}

std::optional<std::string_view> status_field(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ':') continue;
    std::string_view value = line.substr(key.size() + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    value = value.substr(0, value.find_last_not_of(" \t") + 1);
    return value;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> status_number(std::string_view text, std::string_view key, int base) {
  const std::optional<std::string_view> value = status_field(text, key);
  if (!value) return std::nullopt;
  const std::string_view word = value->substr(0, value->find_first_of(" \t"));
  return parse_number<std::uint64_t>(word, 0, std::numeric_limits<std::uint64_t>::max(), base);
}

}  // namespace callscope
