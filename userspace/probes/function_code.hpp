// SPDX-License-Identifier: Apache-2.0
// The code of one function, decoded once: its main part first, then the parts that the compiler
// moved away (.cold). All that probe placement asks about a function reads this. A view of the
// code bytes, which must outlive it. Immutable, thread-safe; bytes that are no instruction end the
// decoding of their part and are remembered.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "probes/decoder.hpp"

namespace callscope {

// One contiguous piece of a function's code, decoded from its first byte.
struct CodeRange {
  std::uint64_t addr = 0;  // ELF virtual address
  std::span<const std::uint8_t> bytes;

  [[nodiscard]] std::uint64_t end() const { return addr + bytes.size(); }
  [[nodiscard]] bool covers(std::uint64_t where) const { return where - addr < bytes.size(); }
};

class FunctionCode {
 public:
  // ranges: the function itself first, then its cold parts. At least one.
  explicit FunctionCode(std::span<const CodeRange> ranges);

  void add(const CodeRange& range);

  [[nodiscard]] std::uint64_t addr() const { return ranges_.front().addr; }
  [[nodiscard]] std::span<const CodeRange> ranges() const { return ranges_; }
  // Of all ranges, in their order; within a range by address.
  [[nodiscard]] std::span<const Instruction> instructions() const { return instructions_; }
  [[nodiscard]] std::span<const Instruction> instructions_of(std::size_t range) const;
  // Where the first bytes lie that are no instruction.
  [[nodiscard]] std::optional<std::uint64_t> undecodable() const { return undecodable_; }

  [[nodiscard]] bool covers(std::uint64_t addr) const;
  // The instruction that begins at the address; nullptr if none does.
  [[nodiscard]] const Instruction* at(std::uint64_t addr) const;

 private:
  std::vector<CodeRange> ranges_;
  std::vector<std::size_t> first_;  // of each range: index into instructions_
  std::vector<Instruction> instructions_;
  std::optional<std::uint64_t> undecodable_;
};

}  // namespace callscope
