// SPDX-License-Identifier: Apache-2.0
#include "collect/hot_functions.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace callscope {
namespace {

constexpr std::uint64_t kEnoughSamples = 10;
constexpr double kHotShare = 0.005;  // of all samples, to be on a hot stack

}  // namespace

FoundFunctions find_hot_functions(const Recording& recording, Symbolizer& symbolizer,
                                  std::size_t max_functions) {
  FoundFunctions found;
  std::vector<ProbeModule> modules = probe_modules(recording.target.pid, symbolizer, {});
  std::erase_if(modules, [](const ProbeModule& module) { return !module.main; });
  if (modules.empty()) return found;
  const std::uint32_t exe =
      symbolizer.module_id(ModuleKind::kElf, modules[0].path, modules[0].build_id);

  std::uint64_t all = 0;
  std::map<std::uint64_t, std::uint64_t> samples_of;  // by address of the function
  for (const CpuSamples& samples : recording.cpu) {
    all += samples.count;
    std::set<std::uint64_t> functions;
    for (const std::uint32_t id : recording.stacks[samples.stack].frames) {
      const Frame& frame = recording.frames[id];
      if (frame.module == exe && !frame.function.empty())
        functions.insert(frame.addr - frame.sym_off);
    }
    for (const std::uint64_t addr : functions) samples_of[addr] += samples.count;
  }
  if (all < kEnoughSamples) return found;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranked;  // samples, address
  for (const auto& [addr, count] : samples_of)
    if (static_cast<double>(count) >= kHotShare * static_cast<double>(all))
      ranked.emplace_back(count, addr);
  std::ranges::sort(ranked, std::ranges::greater{});
  for (const auto& [count, addr] : ranked) {
    if (found.functions.size() >= max_functions) break;
    if (auto function = function_at(modules[0], 0, addr))
      found.functions.push_back(std::move(*function));
  }
  found.modules = std::move(modules);
  return found;
}

}  // namespace callscope
