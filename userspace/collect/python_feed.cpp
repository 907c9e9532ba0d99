// SPDX-License-Identifier: Apache-2.0
#include "collect/python_feed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "collect/found_functions.hpp"
#include "elf/bytes.hpp"
#include "elf/frame_table.hpp"
#include "python/layouts.hpp"
#include "sys/process_memory.hpp"

namespace callscope {
namespace {

// libpython3.11.so.1.0 and its like; the executable is looked at whatever its name.
bool may_be_interpreter(const CachedModule& module) {
  const std::string_view path = module.path();
  return path.substr(path.find_last_of('/') + 1).find("python") != std::string_view::npos;
}

// What frees the code objects of the process: only what begins a function there may be probed.
std::optional<Probe> find_code_destructor(std::int32_t pid, const cs_python_process& process,
                                          const ProcessMaps& maps) {
  const std::vector<std::uint8_t> pointer =
      read_process_memory(pid, process.code_type + kPythonTypeDestructor, sizeof(std::uint64_t));
  const std::uint64_t addr = load<std::uint64_t>(pointer, 0).value_or(0);
  const CodeMapping* const code = maps.find(addr);
  if (code == nullptr || code->module == nullptr || code->module->image() == nullptr)
    return std::nullopt;
  const ModuleImage& image = *code->module->image();
  const auto vaddr =
      image.runtime_to_vaddr(addr, code->mapping.start, code->mapping.file_off).value_or(0);
  const auto piece = FrameTable(image.image()).piece_at(vaddr);
  if (!piece || piece->start != vaddr) return std::nullopt;
  return Probe{.path = image.lasting_path(),
               .file_off = addr - code->mapping.start + code->mapping.file_off};
}

}  // namespace

bool may_run_python(std::int32_t pid, const Symbolizer& symbolizer) {
  const ProcessMaps* const maps = symbolizer.process(pid);
  return maps != nullptr && std::ranges::any_of(maps->mappings(), [](const CodeMapping& code) {
           return code.module != nullptr && may_be_interpreter(*code.module);
         });
}

const std::optional<PythonInterpreter>& PythonFeed::examine(CachedModule& module, bool executable) {
  const auto [known, added] = modules_.try_emplace(&module);
  if (!added || (!executable && !may_be_interpreter(module))) return known->second;
  if (const ModuleImage* const image = module.image())
    known->second = find_interpreter(image->image());
  return known->second;
}

void PythonFeed::look(std::int32_t pid) {
  const ProcessMaps* const maps = symbolizer_.process(pid);
  if (maps == nullptr || processes_.contains(pid)) return;
  const CachedModule* const executable = executable_module(pid, symbolizer_);
  for (const CodeMapping& code : maps->mappings()) {
    if (code.module == nullptr) continue;
    const auto& interpreter = examine(*code.module, code.module == executable);
    if (!interpreter) continue;
    if (!interpreter->unknown.empty()) {
      note_unknown(*code.module, *interpreter);
      continue;
    }
    const auto vaddr = code.module->image()->runtime_to_vaddr(
        code.mapping.start, code.mapping.start, code.mapping.file_off);
    if (!vaddr) continue;
    const cs_python_process process = interpreter->at(code.mapping.start - *vaddr);
    const Result<void> set = program_.set_python(static_cast<std::uint32_t>(pid), process);
    if (!set)
      recording_.notes.push_back(fmt::format("python functions of process {} are not shown: {}",
                                             pid, set.error().message()));
    Known& known = processes_[pid];
    known = {process, find_code_destructor(pid, process, *maps)};
    watch(pid, known);
    found_ = true;
    return;
  }
}

void PythonFeed::note_unknown(const CachedModule& module, const PythonInterpreter& interpreter) {
  if (!noted_.insert(&module).second) return;
  recording_.notes.push_back(
      fmt::format("python functions are not shown, only native ones: {} is {}", module.path(),
                  interpreter.unknown));
}

void PythonFeed::forked(std::int32_t child, std::int32_t parent) {
  const auto known = processes_.find(parent);
  if (known == processes_.end()) return;
  Known copy = known->second;
  copy.watched = false;
  processes_.insert_or_assign(child, std::move(copy));
}

void PythonFeed::forget(std::int32_t pid) {
  processes_.erase(pid);
  program_.unwatch_python(pid);
}

void PythonFeed::watch(std::int32_t pid, Known& known) {
  if (std::exchange(known.watched, true) || !known.destructor) return;
  program_.watch_python(pid, *known.destructor);
}

void PythonFeed::review_watches() {
  program_.review_python();
  for (auto& [pid, known] : processes_) watch(pid, known);
}

bool PythonFeed::is_loop(std::int32_t pid, std::uint64_t addr) const {
  const auto process = processes_.find(pid);
  return process != processes_.end() &&
         std::ranges::any_of(process->second.process.evals, [addr](const cs_python_range& eval) {
           return addr - eval.start < eval.end - eval.start;
         });
}

}  // namespace callscope
