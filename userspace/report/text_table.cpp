// SPDX-License-Identifier: Apache-2.0
#include "report/text_table.hpp"

#include <algorithm>
#include <array>
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

std::size_t before_last(const std::vector<std::size_t>& column_widths) {
  std::size_t sum = kGap;
  for (std::size_t c = 0; c + 1 < column_widths.size(); ++c) {
    if (column_widths[c] > 0) sum += column_widths[c] + kGap;
  }
  return sum;
}

// Behind a line of used columns if all fits, else in lines of their own: below the last column, as
// far as they fit there.
std::string notes_text(const std::vector<std::string>& notes, std::size_t used,
                       std::size_t last_column, std::size_t width) {
  constexpr std::size_t kLeast = 8;  // of indentation
  if (notes.empty()) return {};
  std::string whole;
  for (const std::string& note : notes) whole += (whole.empty() ? "" : ", ") + note;
  if (used + text_width(whole) + 4 <= width) return "  [" + whole + "]";
  std::string text;
  std::string line;
  const auto end_line = [&] {
    const std::size_t room = width - std::min(width, text_width(line) + 2);
    text += "\n" + std::string(std::clamp(room, kLeast, std::max(kLeast, last_column)), ' ') +
            (text.empty() ? "^ " : "  ") + std::exchange(line, "");
  };
  for (const std::string& note : notes) {
    if (!line.empty() && kLeast + text_width(line) + text_width(note) + 4 > width) {
      line += ",";
      end_line();
    }
    line += (line.empty() ? "" : ", ") + note;
  }
  end_line();
  return text;
}

}  // namespace

std::string Paint::wrap(std::string_view code, std::string_view text) const {
  if (!on_ || text.empty()) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

std::string Paint::heat(std::size_t level, std::string_view text) const {
  // Of the 256-colour palette: pale yellow to dark red, with ink that can be read on it.
  constexpr std::array<std::string_view, 9> kStyles = {
      "38;5;16;48;5;230",  "38;5;16;48;5;229",  "38;5;16;48;5;222",
      "38;5;16;48;5;215",  "38;5;16;48;5;209",  "38;5;231;48;5;203",
      "38;5;231;48;5;160", "38;5;231;48;5;124", "38;5;231;48;5;88"};
  return wrap(kStyles[std::clamp<std::size_t>(level, 1, kStyles.size()) - 1], text);
}

void TextTable::add_row(std::vector<std::string> cells, bool marked) {
  cells.resize(columns_.size());
  rows_.push_back({std::move(cells), marked, {}});
}

void TextTable::fit(std::size_t width, std::size_t wanted_last) {
  while (true) {
    const std::vector<std::size_t> column_widths = widths();
    const std::size_t last = std::min(column_widths.back(), wanted_last);
    std::size_t most = 0;  // the column to go next
    for (std::size_t c = 0; c + 1 < columns_.size(); ++c) {
      if (column_widths[c] > 0 && columns_[c].rank > columns_[most].rank) most = c;
    }
    if (before_last(column_widths) + last <= width || columns_[most].rank == 0) return;
    left_out_[most] = true;
  }
}

bool TextTable::shows(std::string_view title) const {
  const auto column = std::ranges::find(columns_, title, &Column::title);
  return column != columns_.end() &&
         widths()[static_cast<std::size_t>(column - columns_.begin())] > 0;
}

// 0 for a column that is left out.
std::vector<std::size_t> TextTable::widths() const {
  std::vector<std::size_t> result;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = 0;
    if (left_out_[c]) {
      result.push_back(0);
      continue;
    }
    for (const Row& row : rows_) width = std::max(width, text_width(row.cells[c]));
    if (width > 0 || !columns_[c].optional) width = std::max(width, text_width(columns_[c].title));
    result.push_back(width);
  }
  return result;
}

std::string TextTable::write(std::size_t width, const Paint& paint, std::size_t min_last) const {
  std::vector<std::size_t> column_widths = widths();
  const std::size_t before = before_last(column_widths);
  const std::size_t room = std::max(min_last, width - std::min(width, before));
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
    text += row.marked ? paint.yellow(line) : line;
    text += paint.dim(notes_text(row.notes, text_width(line), before, width)) + "\n";
  }
  return text;
}

}  // namespace callscope
