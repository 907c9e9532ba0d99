// SPDX-License-Identifier: Apache-2.0
// Functions of the running kernel and its modules, from /proc/kallsyms. Owns its names; immutable
// after load(), thread-safe; views live as long as the object. When kptr_restrict hides the
// addresses the table is empty and hidden() says so: that is no error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callscope/error.hpp"

namespace callscope {

class KernelSymbols {
 public:
  struct Match {
    std::string_view name;
    std::string_view module;    // "nf_tables"; empty: the kernel itself
    std::uint64_t sym_off = 0;  // addr minus start of the function
  };

  static Result<KernelSymbols> load();
  // Text of /proc/kallsyms; lines that are not "hex type name [module]" are skipped.
  static KernelSymbols parse(std::string_view text);

  // Function that covers addr; nullopt past the end of the text or when nothing is known.
  [[nodiscard]] std::optional<Match> find(std::uint64_t addr) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool hidden() const { return hidden_; }  // all addresses read as zero

 private:
  struct Entry {
    std::uint64_t addr = 0;
    std::uint32_t name_pos = 0;  // in names_
    std::uint16_t name_size = 0;
    std::uint16_t module = 0;  // index into modules_; 0 is the kernel itself
  };
  void add(std::uint64_t addr, std::string_view name, std::string_view module);
  void sort_entries();

  std::string names_;
  std::vector<std::string> modules_{""};
  std::vector<Entry> entries_;  // by address, one an address
  bool hidden_ = false;
};

}  // namespace callscope
