// SPDX-License-Identifier: Apache-2.0
#include "symbols/kernel_symbols.hpp"

#include <algorithm>
#include <limits>

#include "sys/read_file.hpp"

namespace callscope {
namespace {

// kallsyms has no sizes, so the last function of a region would reach to the next region.
constexpr std::uint64_t kMaxFunctionBytes = 1U << 20;

struct Line {
  std::uint64_t addr = 0;
  char type = '\0';
  std::string_view name;
  std::string_view module;
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// "ffffffff81000000 T _stext" or "ffffffffc0201000 t helper\t[nf_tables]".
std::optional<Line> parse_line(std::string_view text) {
  Line line;
  std::size_t pos = 0;
  for (int digit = 0; pos < text.size() && (digit = hex_digit(text[pos])) >= 0; ++pos)
    line.addr = line.addr << 4 | static_cast<std::uint64_t>(digit);
  if (pos == 0 || pos > 16 || pos + 3 >= text.size() || text[pos] != ' ' || text[pos + 2] != ' ')
    return std::nullopt;
  line.type = text[pos + 1];
  line.name = text.substr(pos + 3);
  if (const std::size_t tab = line.name.find('\t'); tab != std::string_view::npos) {
    std::string_view module = line.name.substr(tab + 1);
    line.name = line.name.substr(0, tab);
    if (module.size() > 2 && module.front() == '[' && module.back() == ']')
      line.module = module.substr(1, module.size() - 2);
  }
  return line;
}

bool is_text(char type) { return type == 't' || type == 'T' || type == 'w' || type == 'W'; }

// Marks where code ends; an address past it belongs to no function.
bool is_end_mark(std::string_view name) { return name == "_etext" || name == "_einittext"; }

}  // namespace

void KernelSymbols::add(std::uint64_t addr, std::string_view name, std::string_view module) {
  if (name.size() > std::numeric_limits<std::uint16_t>::max()) return;
  // Functions of one module stand together: nearly always the module of the line before.
  std::uint16_t index = entries_.empty() ? std::uint16_t{0} : entries_.back().module;
  if (modules_[index] != module) {
    const auto known = std::ranges::find(modules_, module);
    if (modules_.size() > std::numeric_limits<std::uint16_t>::max()) return;
    index = static_cast<std::uint16_t>(known - modules_.begin());
    if (known == modules_.end()) modules_.emplace_back(module);
  }
  entries_.push_back({addr, static_cast<std::uint32_t>(names_.size()),
                      static_cast<std::uint16_t>(name.size()), index});
  names_ += name;
}

// Of several names of one address the first in kallsyms is kept.
void KernelSymbols::sort_entries() {
  if (!std::ranges::is_sorted(entries_, {}, &Entry::addr))
    std::ranges::stable_sort(entries_, {}, &Entry::addr);
  const auto doubles = std::ranges::unique(entries_, {}, &Entry::addr);
  entries_.erase(doubles.begin(), doubles.end());
  entries_.shrink_to_fit();
  names_.shrink_to_fit();
}

KernelSymbols KernelSymbols::parse(std::string_view text) {
  KernelSymbols symbols;
  symbols.names_.reserve(text.size() / 2);
  symbols.entries_.reserve(text.size() / 60);
  bool any_addr = false;
  bool any_text = false;
  while (!text.empty()) {
    const std::size_t newline = std::min(text.find('\n'), text.size());
    const std::optional<Line> line = parse_line(text.substr(0, newline));
    text.remove_prefix(std::min(newline + 1, text.size()));
    if (!line || !is_text(line->type)) continue;
    any_text = true;
    if (line->addr == 0) continue;
    any_addr = true;
    symbols.add(line->addr, is_end_mark(line->name) ? std::string_view() : line->name,
                line->module);
  }
  symbols.hidden_ = any_text && !any_addr;
  symbols.sort_entries();
  return symbols;
}

Result<KernelSymbols> KernelSymbols::load() {
  const Result<std::string> text = read_file("/proc/kallsyms");
  if (!text) return std::unexpected(text.error());
  return parse(*text);
}

std::optional<KernelSymbols::Match> KernelSymbols::find(std::uint64_t addr) const {
  const auto after = std::ranges::upper_bound(entries_, addr, {}, &Entry::addr);
  if (after == entries_.begin()) return std::nullopt;
  const Entry& entry = *(after - 1);
  if (entry.name_size == 0 || addr - entry.addr >= kMaxFunctionBytes) return std::nullopt;
  return Match{std::string_view(names_).substr(entry.name_pos, entry.name_size),
               modules_[entry.module], addr - entry.addr};
}

}  // namespace callscope
