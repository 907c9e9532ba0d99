// SPDX-License-Identifier: Apache-2.0
// What one ELF module says about exceptions, Go, and user-level threads: the evidence behind
// SafetyFacts. Pure functions over an ElfImage and a path; thread-safe, nothing fails.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "elf/elf_image.hpp"

namespace callscope {

enum class SymbolSource { kSymtab, kDebugFile, kMiniDebug, kDynamicOnly, kNone };

struct FramePointers {
  std::uint64_t sampled = 0;  // functions looked at; 0: could not tell
  std::uint64_t framed = 0;   // of these, start with push rbp; mov rbp, rsp
};

struct ModuleFacts {
  std::string path;                // as the target sees it
  bool has_sections = false;       // false: packed or stripped of its section table, cannot tell
  bool statically_linked = false;  // an executable without interpreter and libraries
  bool has_unwinder = false;       // carries or is an exception unwinder
  bool can_throw = false;          // exception tables, or uses the runtime to throw or catch
  bool is_go = false;
  bool pauses_openssl_jobs = false;  // imports ASYNC_pause_job
  bool loads_code = false;           // imports dlopen, or what makes libc load an unwinder
  bool forks = false;                // imports fork
  bool cancels_anywhere = false;     // imports pthread_setcanceltype
  std::string fibers;                // the symbol or library that switches stacks; empty: none
  SymbolSource symbols = SymbolSource::kNone;
};

ModuleFacts inspect_module(const std::string& path, const ElfImage& image);

// How functions of the module begin, over an even sample of at most 1000 of them.
FramePointers sample_frame_pointers(const ElfImage& image);

// The part of a path behind its last slash.
std::string_view file_name(std::string_view path);

// libgcc_s, libstdc++, libc++, libc++abi, libunwind: a language runtime that unwinds.
bool is_unwinder_library(std::string_view path);

// Modules whose exception tables cannot involve the frames of their callers: the runtimes above,
// the C library and its loader (cancellation clean-up only), and jemalloc (operator new only).
bool is_harmless_exception_user(std::string_view path);

}  // namespace callscope
