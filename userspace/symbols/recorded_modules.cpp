// SPDX-License-Identifier: Apache-2.0
// The part of Symbolizer that fills Recording::modules.
#include "symbols/symbolizer.hpp"

namespace callscope {

std::uint32_t Symbolizer::add_module(ModuleKind kind, std::string path, std::string build_id) {
  const auto id = static_cast<std::uint32_t>(recording_.modules.size());
  recording_.modules.push_back({id, kind, std::move(path), std::move(build_id)});
  return id;
}

std::uint32_t Symbolizer::module_id(ModuleKind kind, const std::string& path,
                                    const std::string& build_id) {
  const auto [slot, added] = modules_.try_emplace({path, build_id}, 0);
  if (added) slot->second = add_module(kind, path, build_id);
  return slot->second;
}

std::uint32_t Symbolizer::module_id(CachedModule& module) {
  if (const auto known = module_ids_.find(&module); known != module_ids_.end())
    return known->second;
  const ModuleImage* const image = module.image();
  const ModuleKind kind = module.path() == "[vdso]" ? ModuleKind::kVdso : ModuleKind::kElf;
  const std::uint32_t id =
      module_id(kind, module.path(), image == nullptr ? std::string() : image->build_id());
  module_ids_.emplace(&module, id);
  return id;
}

std::vector<Symbolizer::ElfFrames> Symbolizer::elf_frames() const {
  std::map<std::uint32_t, ElfFrames> by_module;
  for (const auto& [file, module] : module_ids_)
    by_module.try_emplace(module, ElfFrames{module, file, {}});
  for (const auto& [key, frame] : frames_) {
    const auto module = by_module.find(key.module);
    if (module == by_module.end() || (key.kind == AddressKind::kReturn && key.addr == 0)) continue;
    module->second.frames.push_back({key.addr - (key.kind == AddressKind::kReturn ? 1 : 0), frame});
  }
  std::vector<ElfFrames> all;
  for (auto& [module, frames] : by_module) all.push_back(std::move(frames));
  return all;
}

// One for each process: the same address holds different code in each of them.
std::uint32_t Symbolizer::jit_module(std::int32_t pid) {
  const auto [slot, added] = jit_modules_.try_emplace(pid, 0);
  if (added) slot->second = add_module(ModuleKind::kJit, "[jit]", {});
  return slot->second;
}

}  // namespace callscope
