// SPDX-License-Identifier: Apache-2.0
// The code of one module as probe placement sees it: functions with all their parts, what may jump
// where, and what was learned about functions already. Made once a module and used for all of its
// functions; what is dear is read at its first use. A view of the ProbeModule, its image and its
// symbols, which must outlive it. One thread at a time: it remembers.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "elf/frame_table.hpp"
#include "probes/function_code.hpp"
#include "probes/function_facts.hpp"
#include "probes/function_finder.hpp"
#include "probes/jump_targets.hpp"

namespace callscope {

class ModuleCode {
 public:
  explicit ModuleCode(const ProbeModule& module);

  [[nodiscard]] const ProbeModule& module() const { return module_; }
  [[nodiscard]] const ElfImage& image() const { return *module_.image; }
  [[nodiscard]] const FrameTable& frames();
  [[nodiscard]] const JumpTargets& jump_targets();

  // The function's code and that of the parts that the compiler moved away: named NAME.cold, or
  // without a name (stripped) when nothing else in the module leads there.
  [[nodiscard]] FunctionCode code_of(const FoundFunction& function);
  // The same for the code at an address that is called or jumped to: a function by its symbol or by
  // the frame table. Nothing when neither knows its extent.
  [[nodiscard]] std::optional<FunctionCode> code_at(std::uint64_t addr);

  // Facts about the code at an address as for code_at(); nullptr if that has none. The pointer
  // stays valid as long as the ModuleCode.
  [[nodiscard]] FunctionFacts* facts(std::uint64_t addr);
  // Spares facts() the work when the function has been decoded anyway.
  FunctionFacts* learn(const FunctionCode& code, const InnerJumps& jumps);

  // A function begins at the address: a symbol, a PLT stub, or something that is called.
  [[nodiscard]] bool is_function_start(std::uint64_t addr);
  [[nodiscard]] bool in_plt(std::uint64_t addr) const;
  // The function at the address, or that a PLT stub there leads to: "memcpy"; empty if unknown.
  [[nodiscard]] std::string_view callee_name(std::uint64_t addr) const;
  // Whether control may come to an address in (entry, last] of the function in another way than
  // from the instruction before, from anywhere outside of the function.
  [[nodiscard]] bool may_be_entered(const FunctionCode& code, std::uint64_t last);

 private:
  [[nodiscard]] std::optional<CodeRange> moved_part(const FunctionCode& code, std::string_view name,
                                                    std::uint64_t target);
  [[nodiscard]] bool only_reached_from(const FunctionCode& code, const FrameTable::Piece& piece);
  [[nodiscard]] bool short_jump_into(const FunctionCode& code, std::uint64_t last);
  [[nodiscard]] bool is_instruction(std::uint64_t addr);
  FunctionCode with_moved_parts(const CodeRange& main, std::string_view name);

  const ProbeModule& module_;
  std::vector<FrameTable::Piece> plt_;  // sections of jump stubs
  std::optional<FrameTable> frames_;
  std::optional<JumpTargets> jump_targets_;
  std::unordered_map<std::uint64_t, std::optional<FunctionFacts>> facts_;  // by address
};

}  // namespace callscope
