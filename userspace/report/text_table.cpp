// SPDX-License-Identifier: Apache-2.0
#include "report/text_table.hpp"

#include <algorithm>
#include <utility>

#include "report/plain_text.hpp"

namespace callscope {
namespace {

constexpr std::size_t kGap = 2;  // blanks before each column, so also the indent

std::string pad(std::string text, std::size_t width, Align align) {
  const std::size_t missing = width - std::min(width, text_width(text));
  if (align == Align::kRight) return std::string(missing, ' ') + text;
  return std::move(text) + std::string(missing, ' ');
}

}  // namespace

std::string Paint::wrap(std::string_view code, std::string_view text) const {
  if (!on_ || text.empty()) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

void TextTable::add_row(std::vector<std::string> cells, bool marked) {
  cells.resize(columns_.size());
  rows_.push_back({std::move(cells), marked});
}

// 0 for a column that is left out.
std::vector<std::size_t> TextTable::widths() const {
  std::vector<std::size_t> result;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = 0;
    for (const Row& row : rows_) width = std::max(width, text_width(row.cells[c]));
    if (width > 0 || !columns_[c].optional) width = std::max(width, text_width(columns_[c].title));
    result.push_back(width);
  }
  return result;
}

std::string TextTable::write(std::size_t width, const Paint& paint, std::size_t min_last) const {
  std::vector<std::size_t> column_widths = widths();
  std::size_t before_last = kGap;
  for (std::size_t c = 0; c + 1 < column_widths.size(); ++c) {
    if (column_widths[c] > 0) before_last += column_widths[c] + kGap;
  }
  const std::size_t room = std::max(min_last, width - std::min(width, before_last));
  column_widths.back() = std::min(column_widths.back(), room);

  const auto write_line = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      if (column_widths[c] == 0) continue;
      line += std::string(kGap, ' ');
      line += pad(cut_middle(cells[c], column_widths[c]), column_widths[c], columns_[c].align);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
  };
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  std::string text = paint.dim(write_line(titles)) + "\n";
  for (const Row& row : rows_) {
    const std::string line = write_line(row.cells);
    text += (row.marked ? paint.yellow(line) : line) + "\n";
  }
  return text;
}

}  // namespace callscope
