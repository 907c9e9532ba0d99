// SPDX-License-Identifier: Apache-2.0
#include "symbols/symbolizer.hpp"

#include <algorithm>
#include <utility>

namespace callscope {
namespace {

// Where to look the address up: inside the call that a return address follows.
std::uint64_t lookup_addr(std::uint64_t addr, AddressKind kind) {
  return kind == AddressKind::kReturn && addr > 0 ? addr - 1 : addr;
}

ModuleKind special_kind(const std::string& path) {
  return path == "[vdso]" || path == "[vsyscall]" ? ModuleKind::kVdso : ModuleKind::kUnknown;
}

}  // namespace

std::size_t Symbolizer::FrameKeyHash::operator()(const FrameKey& key) const {
  const std::uint64_t space =
      static_cast<std::uint64_t>(key.module) * 2 + (key.kind == AddressKind::kReturn ? 1 : 0);
  return (key.addr ^ space << 40) * 0x9e3779b97f4a7c15U >> 7;  // Fibonacci hashing
}

ProcessMaps& Symbolizer::process_or_new(std::int32_t pid) {
  return processes_.try_emplace(pid, pid, cache_).first->second;
}

const ProcessMaps* Symbolizer::process(std::int32_t pid) const {
  const auto found = processes_.find(pid);
  return found == processes_.end() ? nullptr : &found->second;
}

Result<void> Symbolizer::refresh(std::int32_t pid) {
  const Result<std::string> text = ProcessMaps::read_text(pid);
  if (!text) return std::unexpected(text.error());
  return refresh(pid, *text);
}

Result<void> Symbolizer::refresh(std::int32_t pid, const std::string& maps_text) {
  ProcessMaps& maps = process_or_new(pid);
  const std::uint64_t generation = maps.jit_generation();
  CS_TRY(maps.refresh(maps_text));
  if (maps.jit_generation() != generation) name_jit_frames(pid);
  return {};
}

void Symbolizer::refresh_names() {
  for (auto& [pid, maps] : processes_) {
    const std::uint64_t generation = maps.jit_generation();
    maps.refresh_names();
    if (maps.jit_generation() != generation) name_jit_frames(pid);
  }
}

void Symbolizer::adopt(std::int32_t child, std::int32_t parent) {
  const ProcessMaps* const known = process(child);
  if (known != nullptr && !known->mappings().empty()) return;
  if (const ProcessMaps* const maps = process(parent); maps != nullptr)
    process_or_new(child).inherit(*maps);
}

std::uint32_t Symbolizer::user_frame(std::int32_t pid, std::uint64_t addr, AddressKind kind) {
  // Without maps afterwards it has ended; its addresses are in no mapping.
  if (process(pid) == nullptr) std::ignore = refresh(pid);
  const CodeMapping* const code = process_or_new(pid).find(lookup_addr(addr, kind));
  if (code == nullptr)
    return intern({module_id(ModuleKind::kUnknown, "[unknown]", {}), addr, {}, 0}, kind);
  if (code->module != nullptr && code->module->image() != nullptr)
    return elf_frame(*code, addr, kind);
  if (may_be_jit(code->mapping)) return jit_frame(pid, addr, kind);
  if (code->module != nullptr) {
    const std::uint64_t file_off = addr - code->mapping.start + code->mapping.file_off;
    return intern({module_id(*code->module), file_off, {}, 0}, kind);
  }
  const std::string& path = code->mapping.path;
  // The kernel's page of single-stepped instructions and of the return trampoline: probe overhead.
  if (path == "[uprobes]")
    return intern({module_id(special_kind(path), path, {}), 0, path, 0}, kind);
  return intern({module_id(special_kind(path), path, {}), addr, {}, 0}, kind);
}

std::uint32_t Symbolizer::function_frame(std::uint32_t module, std::uint64_t addr,
                                         std::string_view name) {
  return intern({module, addr, name, 0}, AddressKind::kExact);
}

std::uint32_t Symbolizer::left_out_frame() {
  return function_frame(module_id(ModuleKind::kUnknown, "[stack]", {}), 0, "[frames left out]");
}

bool Symbolizer::is_code(std::int32_t pid, std::uint64_t addr) const {
  const ProcessMaps* const maps = process(pid);
  return maps == nullptr || maps->find(addr) != nullptr;
}

std::uint32_t Symbolizer::elf_frame(const CodeMapping& code, std::uint64_t addr, AddressKind kind) {
  CachedModule& module = *code.module;
  const std::uint64_t look = lookup_addr(addr, kind);
  const auto vaddr =
      module.image()->runtime_to_vaddr(look, code.mapping.start, code.mapping.file_off);
  Place place{module_id(module),
              vaddr.value_or(look - code.mapping.start + code.mapping.file_off) + (addr - look),
              {},
              0};
  const auto known = frames_.find({place.module, kind, place.addr});
  if (known != frames_.end()) return known->second;
  const ModuleSymbols* const symbols = vaddr ? module.symbols() : nullptr;
  if (const Symbol* const symbol = symbols == nullptr ? nullptr : symbols->table().find(*vaddr)) {
    place.function = symbol->name;
    place.sym_off = place.addr - symbol->addr;
  }
  return intern(place, kind);
}

std::uint32_t Symbolizer::jit_frame(std::int32_t pid, std::uint64_t addr, AddressKind kind) {
  Place place{jit_module(pid), addr, {}, 0};
  const auto known = frames_.find({place.module, kind, addr});
  if (known != frames_.end()) return known->second;
  const std::uint64_t look = lookup_addr(addr, kind);
  if (const auto match = process_or_new(pid).find_jit(look)) {
    place.function = match->name;
    place.sym_off = match->sym_off + (addr - look);
    return intern(place, kind);
  }
  const std::uint32_t frame = intern(place, kind);
  unnamed_jit_.push_back({frame, pid, look});
  return frame;
}

void Symbolizer::name_jit_frames(std::int32_t pid) {
  const ProcessMaps& maps = process_or_new(pid);
  std::erase_if(unnamed_jit_, [&](const UnnamedJit& unnamed) {
    if (unnamed.pid != pid) return false;
    const auto match = maps.find_jit(unnamed.lookup_addr);
    if (!match) return false;
    Frame& frame = recording_.frames[unnamed.frame];
    frame.function = match->name;
    frame.sym_off = match->sym_off + (frame.addr - unnamed.lookup_addr);
    return true;
  });
}

std::uint32_t Symbolizer::kernel_frame(std::uint64_t addr, AddressKind kind) {
  if (!kernel_) std::ignore = load_kernel();  // failed: kernel_ is an empty table
  const std::uint64_t look = lookup_addr(addr, kind);
  const auto match = kernel_->find(look);
  if (!match) return intern({module_id(ModuleKind::kKernel, "[kernel]", {}), addr, {}, 0}, kind);
  const std::string path =
      match->module.empty() ? "[kernel]" : "[" + std::string(match->module) + "]";
  return intern(
      {module_id(ModuleKind::kKernel, path, {}), addr, match->name, match->sym_off + (addr - look)},
      kind);
}

// A return address and an exact one are two frames in an ELF file, where they may lie on two lines.
// Elsewhere they are one, unless the return address is the start of the next function.
std::uint32_t Symbolizer::intern(const Place& place, AddressKind kind) {
  const auto [slot, added] = frames_.try_emplace({place.module, kind, place.addr}, 0);
  if (!added) return slot->second;
  const AddressKind other =
      kind == AddressKind::kExact ? AddressKind::kReturn : AddressKind::kExact;
  if (const auto twin = frames_.find({place.module, other, place.addr});
      twin != frames_.end() && recording_.modules[place.module].kind != ModuleKind::kElf) {
    const Frame& frame = recording_.frames[twin->second];
    if (frame.function == place.function && frame.sym_off == place.sym_off)
      return slot->second = twin->second;
  }
  const auto id = static_cast<std::uint32_t>(recording_.frames.size());
  recording_.frames.push_back(
      {id, place.module, place.addr, std::string(place.function), place.sym_off});
  return slot->second = id;
}

Result<void> Symbolizer::load_kernel() {
  if (kernel_) return {};
  Result<KernelSymbols> loaded = KernelSymbols::load();
  kernel_ = loaded ? std::move(*loaded) : KernelSymbols();
  if (!loaded) return std::unexpected(loaded.error());
  return {};
}

std::vector<std::string> Symbolizer::module_notes() const {
  std::vector<std::string> notes;
  for (const auto& module : cache_.modules()) {
    if (!module->problem().empty())
      notes.push_back(module->path() + ": no names: " + module->problem());
    const ModuleSymbols* const symbols = module->loaded_symbols();
    if (symbols == nullptr) continue;
    notes.push_back(module->path() + ": " + symbols->source());
    for (const std::string& problem : symbols->problems())
      notes.push_back(module->path() + ": refused " + problem);
  }
  return notes;
}

}  // namespace callscope
