// SPDX-License-Identifier: Apache-2.0
// Compares a compiled unwind table with what readelf says, address by address. For tests only.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "elf/elf_image.hpp"
#include "tests/unit/unwind/rule_oracle.hpp"
#include "unwind/table_builder.hpp"

namespace callscope::test {

constexpr std::array<std::string_view, 16> kRegisterNames{"rax", "rdx", "rcx", "rbx", "rsi", "rdi",
                                                          "rbp", "rsp", "r8",  "r9",  "r10", "r11",
                                                          "r12", "r13", "r14", "r15"};
constexpr std::array<int, CS_SAVED_COUNT> kSavedRegisters{6, 3, 12, 13, 14, 15};

inline std::string with_sign(std::int64_t value) {
  return (value < 0 ? "" : "+") + std::to_string(value);
}

inline std::string term_text(int reg, std::int64_t offset) {
  return "DW_OP_breg" + std::to_string(reg) + " (" +
         std::string(kRegisterNames[static_cast<std::size_t>(reg)]) +
         "): " + std::to_string(offset);
}

inline bool same_cfa(const cs_unwind_rule& rule, const OracleRow& row) {
  const auto has = [&](const std::string& text) {
    return row.cfa == "exp" && row.expressions->contains("cfa " + text);
  };
  switch (rule.kind) {
    case CS_UNWIND_CFA:
      return row.cfa == std::string(kRegisterNames[rule.reg]) + with_sign(rule.offset);
    case CS_UNWIND_CFA_DEREF:
      return has(term_text(rule.reg, rule.offset) + "; DW_OP_deref" +
                 (rule.add == 0 ? "" : "; DW_OP_plus_uconst: " + std::to_string(rule.add)));
    case CS_UNWIND_PLT:
      return has("DW_OP_breg7 (rsp): 8; DW_OP_breg16 (rip): 0; DW_OP_lit15; DW_OP_and; DW_OP_lit" +
                 std::to_string(rule.offset) + "; DW_OP_ge; DW_OP_lit3; DW_OP_shl; DW_OP_plus");
    case CS_UNWIND_SIGNAL:
      return has(term_text(7, rule.offset + 160) + "; DW_OP_deref") &&
             row.expressions->contains("rip " + term_text(7, rule.offset + 168)) &&
             row.expressions->contains("rbp " + term_text(7, rule.offset + 120));
    default:
      return false;
  }
}

// The last instructions of a function that aligned its stack: see unwind/realigned_stack.hpp.
inline bool may_be_restored(const std::string& cfa) {
  return cfa == "rsp+8" || (cfa.starts_with("r1") && cfa.ends_with("+0"));
}

inline bool same_saved(const cs_unwind_rule& rule, int bit, const std::string& cell,
                       const OracleRow& row) {
  if ((rule.saved >> bit & 1) == 0)
    return cell == "u" || (cell == "exp" && may_be_restored(row.cfa));
  const int bytes = rule.saved_at[bit] * 8;
  const bool by_rbp = (rule.saved & CS_UNWIND_SAVED_BY_RBP) != 0;
  if (cell != "exp") return !by_rbp && cell == "c" + with_sign(bytes);
  const std::string name(
      kRegisterNames[static_cast<std::size_t>(kSavedRegisters[static_cast<std::size_t>(bit)])]);
  return row.expressions->contains(
      name + " " + (by_rbp ? term_text(6, bytes) : term_text(rule.reg, bytes + rule.offset)));
}

// A row that a rule can say for certain.
inline bool is_plain(const OracleRow& row) {
  const bool near = row.rbp.starts_with("c-") && row.rbp.size() < 8;  // 16 bits of words
  return row.cfa != "exp" && row.rsp == "u" && row.ra == "c-8" && (row.rbp == "u" || near);
}

inline bool same_rule(const cs_unwind_rule& rule, const OracleRow& row) {
  if (rule.kind == CS_UNWIND_END || row.ra == "u")
    return rule.kind == CS_UNWIND_END && row.ra == "u";
  if (rule.kind == CS_UNWIND_INVALID) return !is_plain(row);
  if (rule.kind == CS_UNWIND_SIGNAL) return same_cfa(rule, row);
  const std::string ra =
      rule.ra == CS_UNWIND_RA_AT_CFA ? "c-8" : std::string(kRegisterNames[rule.ra]);
  if (!same_cfa(rule, row) || row.ra != ra || row.rsp != "u") return false;
  if (!same_saved(rule, CS_SAVED_RBP, row.rbp, row)) return false;
  if ((rule.saved & CS_UNWIND_RBP_ONLY) != 0) return true;
  for (int bit = CS_SAVED_RBX; bit < CS_SAVED_COUNT; ++bit) {
    const int reg = kSavedRegisters[static_cast<std::size_t>(bit)];
    const auto cell = row.others.find(std::string(kRegisterNames[static_cast<std::size_t>(reg)]));
    if (!same_saved(rule, bit, cell == row.others.end() ? "u" : cell->second, row)) return false;
  }
  return true;
}

struct Agreement {
  std::size_t rows = 0;       // of readelf
  std::size_t addresses = 0;  // that were compared
  std::size_t wrong = 0;
  std::size_t invalid_rows = 0;
  std::string first_wrong;
};

// Each row at its first and last byte, and at some random addresses in it.
inline Agreement compare(const UnwindTable& table, const std::vector<OraclePiece>& pieces) {
  Agreement result;
  std::mt19937_64 random(1);  // the same addresses in each run
  const auto check = [&](std::uint64_t addr, const OracleRow& row) {
    ++result.addresses;
    const cs_unwind_rule* const rule = find_rule(table, addr);
    if (rule != nullptr && same_rule(*rule, row)) return;
    if (result.wrong++ == 0)
      result.first_wrong =
          "at " + std::to_string(addr) + ": readelf says cfa " + row.cfa + " rbp " + row.rbp +
          " ra " + row.ra + ", we say kind " +
          (rule == nullptr ? "none"
                           : std::to_string(rule->kind) + " reg " + std::to_string(rule->reg) +
                                 with_sign(rule->offset));
  };
  for (const OraclePiece& piece : pieces) {
    for (auto row = piece.rows.begin(); row != piece.rows.end(); ++row) {
      const std::uint64_t start = row->first;
      const std::uint64_t end =
          std::next(row) == piece.rows.end() ? piece.end : std::next(row)->first;
      ++result.rows;
      const cs_unwind_rule* const rule = find_rule(table, start);
      if (rule != nullptr && rule->kind == CS_UNWIND_INVALID) ++result.invalid_rows;
      check(start, row->second);
      if (end - 1 > start) check(end - 1, row->second);
      if (end - start > 2) check(start + 1 + random() % (end - start - 2), row->second);
    }
  }
  return result;
}

// Addresses in gaps between pieces: no rule may be claimed there, unless it is filling between
// functions. Gives the number of addresses where one is.
inline std::size_t claimed_in_gaps(const UnwindTable& table, const ElfImage& image,
                                   const std::vector<OraclePiece>& pieces) {
  constexpr std::string_view kFilling{"\0\xcc\x90\x66\x2e\x0f\x1f\x40\x44\x80\x84", 11};
  std::size_t claimed = 0;
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
    const std::uint64_t start = pieces[i].end;
    if (pieces[i + 1].start <= start || !image.is_executable_addr(start)) continue;
    const std::uint64_t size = pieces[i + 1].start - start;
    const bool filling = std::ranges::all_of(image.bytes_at(start, size), [&](std::uint8_t byte) {
      return kFilling.find(static_cast<char>(byte)) != kFilling.npos;
    });
    if (filling) continue;
    for (const std::uint64_t addr : {start, start + size / 2, start + size - 1}) {
      const cs_unwind_rule* const rule = find_rule(table, addr);
      if (rule != nullptr && rule->kind != CS_UNWIND_NO_TABLE) ++claimed;
    }
  }
  return claimed;
}

}  // namespace callscope::test
