// SPDX-License-Identifier: Apache-2.0
// Facts about a target that decide whether return probes are safe in it, and the verdict. A return
// probe replaces a return address on the stack: a throw across it ends the process, Go and fibers
// crash. The default errs on the side of safety: what could not be inspected counts as dangerous.
// Plain values; inspect_target() reads procfs and ELF files of a process that may end meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "callscope/error.hpp"
#include "target/maps.hpp"
#include "target/module_facts.hpp"

namespace callscope {

enum class ProgramClass { kElf64, kElf32, kUnknown };

struct SafetyFacts {
  std::string exe;  // as the target sees it
  ProgramClass program_class = ProgramClass::kUnknown;
  bool statically_linked = false;

  std::vector<std::string> modules;     // path of every executable file mapping inspected
  std::vector<std::string> unreadable;  // those that could not be inspected
  std::vector<std::string> unwinders;   // files that are or carry an exception unwinder
  std::vector<std::string> throwers;    // files with code that throws or catches
  std::vector<std::string> go_modules;  // files that hold a Go runtime
  std::vector<std::string> fibers;      // "FILE (SYMBOL)" of what switches stacks
  std::vector<std::string> loaders;     // files that may load further code
  std::vector<std::string> forkers;     // files that may fork
  bool cancels_anywhere = false;        // threads may be cancelled at any instruction

  std::uint32_t seccomp_mode = 0;  // 0 none, 1 strict, 2 filter
  bool shadow_stack = false;       // CET shadow stack on in the main thread

  SymbolSource symbols = SymbolSource::kNone;  // of the executable
  FramePointers frame_pointers;                // of the executable
  bool other_mount_namespace = false;          // than ours
  bool other_pid_namespace = false;
};

// kNotFound: the process is gone. kNotPermitted: we may not read its memory map.
Result<SafetyFacts> inspect_target(std::int32_t pid);

struct ReturnProbeVerdict {
  bool safe = false;
  bool kernel_danger = false;  // the kernel's return probes are no good in this process at all
  std::string reason;          // one line, a clause to stand behind what is done about it
};

// kernel_release as uname -r has it.
ReturnProbeVerdict return_probe_verdict(const SafetyFacts& facts, std::string_view kernel_release);

// Executable file mappings of other paths than those that are known: if any, inspect again.
std::vector<std::string> new_modules(const std::vector<std::string>& known,
                                     const std::vector<Mapping>& mappings);

}  // namespace callscope
