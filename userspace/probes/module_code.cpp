// SPDX-License-Identifier: Apache-2.0
#include "probes/module_code.hpp"

#include <algorithm>

#include "probes/inner_jumps.hpp"

namespace callscope {
namespace {

constexpr std::string_view kCold = ".cold";

// "f.cold" and "f.cold.3" to "f"; empty for other names.
std::string_view owner_of_cold(std::string_view name) {
  const std::size_t pos = name.rfind(kCold);
  if (pos == std::string_view::npos) return {};
  const std::string_view rest = name.substr(pos + kCold.size());
  return rest.empty() || rest.starts_with('.') ? name.substr(0, pos) : std::string_view{};
}

bool covers(const Symbol& symbol, std::uint64_t addr) { return addr - symbol.addr < symbol.size; }

bool is_short_jump(std::uint8_t opcode) {
  return opcode == 0xeb || (opcode & 0xf0) == 0x70 || (opcode & 0xfc) == 0xe0;
}

}  // namespace

ModuleCode::ModuleCode(const ProbeModule& module) : module_(module) {
  for (const ElfSection& section : image().sections())
    if (section.name.starts_with(".plt"))
      plt_.push_back({section.vaddr, section.vaddr + section.size});
}

const FrameTable& ModuleCode::frames() {
  if (!frames_) frames_.emplace(image());
  return *frames_;
}

const JumpTargets& ModuleCode::jump_targets() {
  if (!jump_targets_) jump_targets_.emplace(image(), frames());
  return *jump_targets_;
}

FunctionCode ModuleCode::code_of(const FoundFunction& function) {
  return with_moved_parts({function.addr, image().bytes_at(function.addr, function.size_bytes)},
                          function.name);
}

std::optional<FunctionCode> ModuleCode::code_at(std::uint64_t addr) {
  if (in_plt(addr)) return std::nullopt;
  const SymbolTable::Group group = module_.symbols->at(addr);
  if (!group.empty()) {
    const Symbol& symbol = group.front();
    if (!symbol.function() || symbol.ifunc() || symbol.size == 0) return std::nullopt;
    return with_moved_parts({addr, image().bytes_at(addr, symbol.size)}, symbol.name);
  }
  const auto piece = frames().piece_at(addr);
  if (!piece || piece->start != addr) return std::nullopt;
  return with_moved_parts({addr, image().bytes_at(addr, piece->end - addr)}, {});
}

FunctionCode ModuleCode::with_moved_parts(const CodeRange& main, std::string_view name) {
  constexpr std::size_t kMaxParts = 8;
  FunctionCode code({&main, 1});
  for (std::size_t i = 0; i < code.instructions().size(); ++i) {
    const Instruction& insn = code.instructions()[i];
    const bool jumps = insn.flow == Flow::kJump || insn.flow == Flow::kBranch;
    if (!jumps || code.covers(insn.target)) continue;
    const auto part = moved_part(code, name, insn.target);
    if (part && code.ranges().size() <= kMaxParts) code.add(*part);
  }
  return code;
}

FunctionFacts* ModuleCode::facts(std::uint64_t addr) {
  const auto [known, added] = facts_.try_emplace(addr);
  std::optional<FunctionFacts>& facts = known->second;
  if (added)
    if (const std::optional<FunctionCode> code = code_at(addr))
      facts = gather_facts(*code, find_inner_jumps(*code, *this), *this);
  return facts ? &*facts : nullptr;
}

FunctionFacts* ModuleCode::learn(const FunctionCode& code, const InnerJumps& jumps) {
  std::optional<FunctionFacts>& facts = facts_[code.addr()];
  if (!facts) facts = gather_facts(code, jumps, *this);
  return &*facts;
}

std::optional<CodeRange> ModuleCode::moved_part(const FunctionCode& code, std::string_view name,
                                                std::uint64_t target) {
  if (in_plt(target)) return std::nullopt;
  FrameTable::Piece piece;
  const Symbol* const symbol = module_.symbols->find(target);
  if (symbol != nullptr && covers(*symbol, target)) {
    const std::string_view owner = owner_of_cold(symbol->name);
    if (owner.empty()) return std::nullopt;
    piece = {symbol->addr, symbol->addr + symbol->size};
    if (owner != name && !only_reached_from(code, piece)) return std::nullopt;
  } else {
    const auto found = frames().piece_at(target);
    if (!found || code.covers(found->start) || !module_.symbols->at(found->start).empty())
      return std::nullopt;
    piece = *found;
    if (!only_reached_from(code, piece)) return std::nullopt;
  }
  return CodeRange{piece.start, image().bytes_at(piece.start, piece.end - piece.start)};
}

bool ModuleCode::only_reached_from(const FunctionCode& code, const FrameTable::Piece& piece) {
  if (jump_targets().any_named_in(piece.start, piece.end - 1)) return false;
  return std::ranges::all_of(
      jump_targets().into(piece.start, piece.end),
      [&](const JumpTargets::Crossing& crossing) { return code.covers(crossing.source); });
}

bool ModuleCode::in_plt(std::uint64_t addr) const {
  return std::ranges::any_of(plt_, [addr](const FrameTable::Piece& section) {
    return addr >= section.start && addr < section.end;
  });
}

bool ModuleCode::is_function_start(std::uint64_t addr) {
  if (in_plt(addr)) return true;
  const SymbolTable::Group group = module_.symbols->at(addr);
  if (!group.empty())
    return std::ranges::any_of(group, [](const Symbol& symbol) { return symbol.function(); });
  const Symbol* const symbol = module_.symbols->find(addr);
  if (symbol != nullptr && covers(*symbol, addr)) return false;
  const auto piece = frames().piece_at(addr);
  return piece && piece->start == addr;
}

std::string_view ModuleCode::callee_name(std::uint64_t addr) const {
  constexpr std::string_view kStub = "@plt";
  const SymbolTable::Group group = module_.symbols->at(addr);
  if (group.empty()) return {};
  const std::string_view name = group.front().name;
  return name.ends_with(kStub) ? name.substr(0, name.size() - kStub.size()) : name;
}

bool ModuleCode::may_be_entered(const FunctionCode& code, std::uint64_t last) {
  const auto piece = frames().piece_at(code.addr());
  if (piece && (piece->start != code.addr() || piece->end > code.ranges().front().end()))
    return true;  // jumps within the piece are not all in the function
  for (std::uint64_t addr = code.addr() + 1; addr <= last; ++addr)
    if (!module_.symbols->at(addr).empty()) return true;
  return jump_targets().any_in(code.addr() + 1, last) || short_jump_into(code, last);
}

// Jumps with an 8-bit distance come from nearby: hand-written code shares its tails so.
bool ModuleCode::short_jump_into(const FunctionCode& code, std::uint64_t last) {
  constexpr std::uint64_t kBack = 128;  // the distance is -128 to 127 from behind the jump
  constexpr std::uint64_t kForward = 126;
  const std::uint64_t first = code.addr() > kBack ? code.addr() - kBack : 0;
  const ByteSpan bytes = image().bytes_at(first, last + kForward + 2 - first);
  for (std::uint64_t pos = 0; pos + 1 < bytes.size(); ++pos) {
    const std::uint64_t source = first + pos;
    if (!is_short_jump(bytes[pos]) || code.covers(source)) continue;
    const auto distance = static_cast<std::int8_t>(bytes[pos + 1]);
    const std::uint64_t target = source + 2 + static_cast<std::uint64_t>(std::int64_t{distance});
    if (target > code.addr() && target <= last && is_instruction(source)) return true;
  }
  return false;
}

// Whether the code around the address has an instruction that begins there; true if nothing is
// known of that code.
bool ModuleCode::is_instruction(std::uint64_t addr) {
  const Symbol* const symbol = module_.symbols->find(addr);
  std::uint64_t start = 0;
  if (symbol != nullptr && covers(*symbol, addr)) {
    start = symbol->addr;
  } else if (const auto piece = frames().piece_at(addr)) {
    start = piece->start;
  } else {
    return true;
  }
  const ByteSpan bytes = image().bytes_at(start, addr - start);
  std::size_t pos = 0;
  while (pos < bytes.size()) {
    const auto insn = decode(bytes.subspan(pos), start + pos);
    if (!insn) return pos + 15 < bytes.size();  // x86 instructions are at most 15 bytes long
    pos += insn->length;
  }
  return pos == bytes.size();
}

}  // namespace callscope
