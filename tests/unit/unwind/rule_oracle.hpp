// SPDX-License-Identifier: Apache-2.0
// What readelf, which shares no code with libdw, says about the frames of a file: its interpreted
// rows
// (-wF), and the expressions that it prints there as "exp" only (-wf). For tests; single-threaded.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/elf/oracle.hpp"

namespace callscope::test {

struct OracleRow {
  std::string cfa;        // "rsp+16", "exp"
  std::string rbp = "u";  // "c-16", "u": not mentioned, "exp", "r9"
  std::string rsp = "u";  // likewise
  std::string ra = "c-8";
  const std::set<std::string>* expressions = nullptr;  // "cfa ...", "rbp ...", "rip ...", "rbx ..."
  std::map<std::string, std::string> others;           // rbx, r12 to r15, as far as mentioned
};

struct OraclePiece {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::map<std::uint64_t, OracleRow> rows;  // in force from the address on
  std::set<std::string> expressions;
};

inline std::uint64_t parse_hex(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

// "DW_CFA_expression: r6 (rbp) (DW_OP_breg6 (rbp): 0)" becomes "rbp DW_OP_breg6 (rbp): 0".
inline std::string expression_of(const std::string& line) {
  const std::size_t cfa = line.find("DW_CFA_def_cfa_expression (");
  if (cfa != std::string::npos) return "cfa " + line.substr(cfa + 27, line.size() - cfa - 28);
  const std::size_t at = line.find("DW_CFA_expression: ");
  if (at == std::string::npos) return {};
  const std::size_t name = line.find('(', at);
  const std::size_t close = line.find(") (", name);
  if (close == std::string::npos) return {};
  return line.substr(name + 1, close - name - 1) + " " +
         line.substr(close + 3, line.size() - close - 4);
}

// The columns of a line; a register "r9 (r9)" or "r1 (rdx)" is one, by its name.
inline std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  for (const std::string& word : words_of(line)) {
    if (word.starts_with('(') && word.ends_with(')') && !cells.empty())
      cells.back() = word.substr(1, word.size() - 2);
    else
      cells.push_back(word);
  }
  return cells;
}

// By address. Tables of section ".eh_frame" or ".debug_frame".
inline std::vector<OraclePiece> read_oracle(const std::string& path,
                                            const std::string& section = ".eh_frame") {
  std::map<std::uint64_t, std::set<std::string>> expressions;  // by start of the piece
  std::map<std::uint64_t, std::set<std::string>> of_cie;       // by position of the CIE
  std::set<std::string>* current = nullptr;
  bool wanted = false;
  for (const std::string& line : lines_of(run_tool("readelf -wNf " + path + " || true"))) {
    if (line.starts_with("Contents of the ")) wanted = line.find(section + " ") != line.npos;
    if (!wanted) continue;
    const std::size_t pc = line.find(" pc=");
    const std::size_t cie = line.find(" FDE cie=");
    if (cie != line.npos && pc != line.npos) {
      current = &expressions[parse_hex(line.substr(pc + 4))];
      current->merge(std::set(of_cie[parse_hex(line.substr(cie + 9))]));
    } else if (line.ends_with(" CIE")) {
      current = &of_cie[parse_hex(line)];
    }
    const std::string text =
        line.find("DW_CFA_undefined: r16 ") == line.npos ? expression_of(line) : "rip undefined";
    if (!text.empty() && current != nullptr) current->insert(text);
  }
  std::vector<OraclePiece> pieces;
  std::map<std::uint64_t, OracleRow> first_row;  // of a CIE, by its position
  std::vector<std::string> columns;
  OraclePiece* piece = nullptr;
  std::uint64_t cie = 0;
  wanted = false;
  for (const std::string& line : lines_of(run_tool("readelf -wNF " + path + " || true"))) {
    if (line.starts_with("Contents of the ")) wanted = line.find(section + " ") != line.npos;
    const std::vector<std::string> words = cells_of(line);
    if (!wanted || words.size() < 2 || words[1] == "ZERO") continue;
    const std::size_t pc = line.find(" pc=");
    if (words.size() > 3 && words[3] == "CIE") {
      piece = nullptr;
      cie = parse_hex(words[0]);
    } else if (words.size() > 4 && words[3] == "FDE" && pc != line.npos) {
      const std::size_t dots = line.find("..", pc);
      piece = &pieces.emplace_back();
      piece->start = parse_hex(std::string_view(line).substr(pc + 4, dots - pc - 4));
      piece->end = parse_hex(std::string_view(line).substr(dots + 2));
      piece->expressions = expressions[piece->start];
      // An FDE that moves no address prints no row: it has that of its CIE.
      piece->rows[piece->start] = first_row[parse_hex(std::string_view(words[4]).substr(4))];
      if (piece->expressions.contains("rip undefined")) piece->rows[piece->start].ra = "u";
    } else if (words[0] == "LOC") {
      columns = words;
    } else if (words.size() == columns.size()) {
      OracleRow row;
      for (std::size_t i = 1; i < columns.size(); ++i) {
        if (columns[i] == "CFA")
          row.cfa = words[i];
        else if (columns[i] == "rbp")
          row.rbp = words[i];
        else if (columns[i] == "rsp")
          row.rsp = words[i];
        else if (columns[i] == "ra")
          row.ra = words[i];
        else
          row.others[columns[i]] = words[i];
      }
      const std::uint64_t addr = parse_hex(words[0]);
      if (piece == nullptr)
        first_row[cie] = row;
      else if (addr < piece->end)
        piece->rows[addr] = row;  // some end with a row for no code
    }
  }
  std::ranges::stable_sort(pieces, {}, &OraclePiece::start);
  for (OraclePiece& each : pieces)
    for (auto& [addr, row] : each.rows) row.expressions = &each.expressions;
  return pieces;
}

}  // namespace callscope::test
