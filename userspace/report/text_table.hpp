// SPDX-License-Identifier: Apache-2.0
// Aligned columns for the text report. Build, then write once. One thread at a time; cannot fail.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace callscope {

enum class Align { kLeft, kRight };

// ANSI styles; plain text when off.
class Paint {
 public:
  explicit Paint(bool on) : on_(on) {}
  [[nodiscard]] std::string bold(std::string_view text) const { return wrap("1", text); }
  [[nodiscard]] std::string dim(std::string_view text) const { return wrap("2", text); }
  [[nodiscard]] std::string red(std::string_view text) const { return wrap("1;31", text); }
  [[nodiscard]] std::string green(std::string_view text) const { return wrap("32", text); }
  [[nodiscard]] std::string yellow(std::string_view text) const { return wrap("33", text); }
  // A cell of a heat map; level from 1 (few) to 9.
  [[nodiscard]] std::string heat(std::size_t level, std::string_view text) const;

 private:
  [[nodiscard]] std::string wrap(std::string_view code, std::string_view text) const;
  bool on_;
};

class TextTable {
 public:
  struct Column {
    std::string title;
    Align align = Align::kRight;
    bool optional = false;  // left out when all its cells are empty
    int rank = 0;           // where room is short the highest rank goes first; 0 stays
  };

  explicit TextTable(std::vector<Column> columns)
      : columns_(std::move(columns)), left_out_(columns_.size()) {}

  // One cell a column; printable text without styles.
  void add_row(std::vector<std::string> cells, bool marked = false);

  // Remarks on a row, by its number: behind it where there is room, else below it.
  void set_notes(std::size_t row, std::vector<std::string> notes) {
    rows_[row].notes = std::move(notes);
  }

  // Leaves out columns by rank until the last one has room for its cells, but no more than
  // wanted_last, within width.
  void fit(std::size_t width, std::size_t wanted_last);
  [[nodiscard]] bool shows(std::string_view title) const;

  // All rows, each ended by a newline and indented by two blanks. The last column gets what is left
  // of width, but at least min_last, and is cut in its middle. Marked rows are painted yellow.
  [[nodiscard]] std::string write(std::size_t width, const Paint& paint,
                                  std::size_t min_last = 20) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    bool marked = false;
    std::vector<std::string> notes;
  };
  [[nodiscard]] std::vector<std::size_t> widths() const;

  std::vector<Column> columns_;
  std::vector<bool> left_out_;  // by fit(), by column
  std::vector<Row> rows_;
};

}  // namespace callscope
