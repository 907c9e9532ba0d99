// SPDX-License-Identifier: Apache-2.0
// Matches patterns against the symbols of modules and says for each function where its entry probe
// goes, or why it gets none. Names that share an address are one function. The modules' tables and
// images must outlive the call only; results own their texts. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "elf/elf_image.hpp"
#include "probes/pattern.hpp"
#include "probes/probe_site.hpp"
#include "symbols/symbol_table.hpp"

namespace callscope {

// A module that may be probed.
struct ProbeModule {
  std::string path;       // as the target sees it
  std::string open_path;  // as the kernel shall open it
  std::string build_id;
  bool main = false;  // the executable
  const ElfImage* image = nullptr;
  const SymbolTable* symbols = nullptr;
};

struct FoundFunction {
  std::string name;  // preferred linker name
  std::vector<std::string> aliases;
  std::uint32_t module = 0;  // index into the modules given
  std::uint64_t addr = 0;    // ELF virtual address
  std::uint64_t size_bytes = 0;
  std::uint64_t file_off = 0;
  bool emulated_entry = false;  // first instruction is emulated under a uprobe (cheap)
};

struct RefusedFunction {
  std::string name;
  std::uint32_t module = 0;
  std::string reason;
  bool beside_functions = false;  // data that a glob matches which is about functions, too
};

struct FindResult {
  std::vector<FoundFunction> functions;  // by module, then address; each address once
  std::vector<RefusedFunction> refused;  // matched, but not probe-able
  std::vector<std::string> unmatched;    // patterns that matched nothing, with a hint
};

FindResult find_functions(std::span<const ProbeModule> modules,
                          std::span<const FunctionPattern> patterns);

// The function that begins at the address; nothing if no symbol says so or it has no size.
std::optional<FoundFunction> function_at(const ProbeModule& module, std::uint32_t index,
                                         std::uint64_t addr);

}  // namespace callscope
