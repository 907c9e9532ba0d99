// SPDX-License-Identifier: Apache-2.0
#include "probes/unwind_proof.hpp"

#include <unordered_map>
#include <vector>

namespace callscope {
namespace {

// A call graph larger than this is unlikely to be closed, and dear to walk.
constexpr std::size_t kMaxFunctions = 64;

// All that a function may reach must be closed; then so is each of these. Else those on the way to
// the offender are not proven.
class Search {
 public:
  explicit Search(ModuleCode& module) : module_(module) {}

  bool run(std::uint64_t root) {
    reach(root, root);
    for (std::size_t i = 0; i < reached_.size(); ++i)
      if (!is_closed(reached_[i]) || reached_.size() > kMaxFunctions) return disprove(reached_[i]);
    for (const std::uint64_t addr : reached_) module_.facts(addr)->cannot_be_unwound = true;
    return true;
  }

 private:
  void reach(std::uint64_t addr, std::uint64_t from) {
    if (came_from_.try_emplace(addr, from).second) reached_.push_back(addr);
  }

  bool is_closed(std::uint64_t addr) {
    const FunctionFacts* const facts = module_.facts(addr);
    if (facts == nullptr || !facts->closed) return false;
    if (facts->cannot_be_unwound) return *facts->cannot_be_unwound;
    for (const std::uint64_t callee : facts->calls) reach(callee, addr);
    for (const std::uint64_t callee : facts->jumps_out) reach(callee, addr);
    return true;
  }

  bool disprove(std::uint64_t addr) {
    for (;; addr = came_from_[addr]) {
      if (FunctionFacts* const facts = module_.facts(addr)) facts->cannot_be_unwound = false;
      if (came_from_[addr] == addr) return false;
    }
  }

  ModuleCode& module_;
  std::vector<std::uint64_t> reached_;
  std::unordered_map<std::uint64_t, std::uint64_t> came_from_;
};

}  // namespace

bool cannot_be_unwound(std::uint64_t addr, ModuleCode& module) {
  const FunctionFacts* const facts = module.facts(addr);
  if (facts == nullptr || !facts->closed) return false;
  if (facts->cannot_be_unwound) return *facts->cannot_be_unwound;
  return Search(module).run(addr);
}

}  // namespace callscope
