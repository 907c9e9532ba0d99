// SPDX-License-Identifier: Apache-2.0
#include "symbols/module_symbols.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "symbols/debug_file.hpp"
#include "symbols/xz_decode.hpp"

namespace callscope {
namespace {

constexpr std::size_t kMaxDebugDataBytes = 256U << 20;

bool has_symbols(const ElfImage& image, bool dynamic) {
  return std::ranges::any_of(image.symbol_tables(), [dynamic](const ElfSymbols& table) {
    return table.dynamic() == dynamic && table.size() > 1;  // entry 0 is always empty
  });
}

// The small ELF file in .gnu_debugdata: the local functions of a stripped binary.
std::optional<ModuleImage> unpack_debugdata(const ElfImage& image,
                                            std::vector<std::string>& problems) {
  const ByteSpan packed = image.section_bytes(".gnu_debugdata");
  if (packed.empty()) return std::nullopt;
  Result<std::vector<std::uint8_t>> bytes = xz_decode(packed, kMaxDebugDataBytes);
  Result<ModuleImage> inner = bytes ? ModuleImage::from_memory(std::move(*bytes))
                                    : Result<ModuleImage>(std::unexpected(bytes.error()));
  if (inner) return std::move(*inner);
  problems.push_back(".gnu_debugdata: " + inner.error().what);
  return std::nullopt;
}

}  // namespace

ModuleSymbols ModuleSymbols::load(const ModuleImage& module, const std::string& module_path,
                                  std::span<const TargetRoot* const> roots) {
  ModuleSymbols symbols;
  const auto build = [&](const ElfImage* extra, std::string source) {
    const std::array<const ElfImage*, 2> images = {&module.image(), extra};
    symbols.table_ = SymbolTable::build(std::span(images).first(extra == nullptr ? 1 : 2));
    symbols.source_ = std::move(source);
    return std::move(symbols);
  };
  if (has_symbols(module.image(), false)) return build(nullptr, "symtab");
  DebugFileSearch search = find_debug_file(module, module_path, roots);
  symbols.problems_ = std::move(search.refused);
  if (search.found && has_symbols(search.found->image.image(), false))
    return build(&search.found->image.image(), "debug file " + search.found->path);
  if (const auto inner = unpack_debugdata(module.image(), symbols.problems_))
    return build(&inner->image(), ".gnu_debugdata");
  const bool dynamic = has_symbols(module.image(), true);
  return build(nullptr, dynamic ? "dynsym only (stripped)" : "none (stripped)");
}

}  // namespace callscope
