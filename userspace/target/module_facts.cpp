// SPDX-License-Identifier: Apache-2.0
#include "target/module_facts.hpp"

#include <algorithm>
#include <array>

namespace callscope {
namespace {

using Names = std::initializer_list<std::string_view>;

bool starts_with_any(std::string_view text, Names prefixes) {
  return std::ranges::any_of(prefixes, [&](auto prefix) { return text.starts_with(prefix); });
}

bool ends_with_any(std::string_view text, Names suffixes) {
  return std::ranges::any_of(suffixes, [&](auto suffix) { return text.ends_with(suffix); });
}

bool equals_any(std::string_view text, Names names) {
  return std::ranges::find(names, text) != names.end();
}

// Language code that throws or catches. The personality of C (clean-up at cancellation) catches
// nothing and is in every static glibc program.
bool is_throwing_symbol(const ElfSymbol& symbol) {
  const std::string_view name = symbol.name;
  if (equals_any(name, {"__cxa_throw", "__cxa_rethrow", "__cxa_begin_catch"})) return true;
  if (name.ends_with("__gcc_personality_v0")) return false;
  if (ends_with_any(name, {"_personality_v0", "eh_personality"})) return true;
  return symbol.shndx == SHN_UNDEF &&
         equals_any(name, {"_Unwind_RaiseException", "_Unwind_Resume", "_Unwind_ForcedUnwind",
                           "_Unwind_Resume_or_Rethrow"});
}

// Routines that move a thread to another stack. Those of libc are there in every process, so only
// an import counts; the others are evidence even when the program defines them itself.
bool is_fiber_symbol(const ElfSymbol& symbol, bool statically_linked) {
  const std::string_view name = symbol.name;
  // A static program has them only if it uses them.
  if (equals_any(name, {"makecontext", "swapcontext"}))
    return symbol.shndx == SHN_UNDEF || statically_linked;
  if (ends_with_any(name, {"jump_fcontext", "make_fcontext", "ontop_fcontext"}) ||
      starts_with_any(name, {"zend_fiber_switch", "_ZN5folly6fibers", "*Fiber::swapcontext"})) {
    return true;
  }
  // Boost, brpc, PHP, folly and Crystal are above; below: brpc, libco, libcoro, Ruby, OCaml 5, D,
  // TinyGo, Perl's Coro, GNU Pth, State Threads, libaco.
  return symbol.shndx != SHN_UNDEF &&
         equals_any(name, {"bthread_start_background", "bthread_start_urgent", "co_switch",
                           "coro_transfer", "coroutine_transfer", "rb_fiber_resume", "caml_perform",
                           "fiber_switchContext", "tinygo_swapTask", "boot_Coro__State",
                           "pth_spawn", "st_thread_create", "aco_create"});
}

bool is_fiber_library(std::string_view name) {
  return starts_with_any(
      name, {"libboost_context", "libboost_fiber", "libboost_coroutine", "libbthread", "libbrpc",
             "libfolly", "libco.so", "libcoro", "libpth.so", "libst.so", "libmill.so", "libdill.so",
             "libtask.so", "libphoton", "libaco", "_greenlet."});
}

bool is_libc(std::string_view name) {
  return starts_with_any(name, {"libc.so", "libc-2.", "libc.musl-", "ld-musl-", "ld-linux", "ld-2.",
                                "libpthread.so", "libpthread-2.", "libucontext"});
}

SymbolSource symbol_source(const ElfImage& image) {
  bool dynamic = false;
  for (const ElfSymbols& table : image.symbol_tables()) {
    if (!table.dynamic() && table.size() > 1) return SymbolSource::kSymtab;
    dynamic = dynamic || table.size() > 1;
  }
  if (image.section(".gnu_debugdata") != nullptr) return SymbolSource::kMiniDebug;
  return dynamic ? SymbolSource::kDynamicOnly : SymbolSource::kNone;
}

bool has_go_section(const ElfImage& image) {
  return std::ranges::any_of(image.sections(), [](const ElfSection& section) {
    return section.name.ends_with("gopclntab") ||
           equals_any(section.name, {".go.buildinfo", ".note.go.buildid"});
  });
}

// Calls that map libraries (on request, or libgcc_s for libc's own use) or change the stack: where
// return probes cannot be held back, programs that import them get none.
bool is_loading_symbol(std::string_view name) {
  return equals_any(name, {"dlopen", "dlmopen", "pthread_cancel", "pthread_exit", "thrd_exit",
                           "backtrace", "sigaltstack"});
}

void read_symbol_evidence(const ElfImage& image, std::string_view name, ModuleFacts& facts) {
  bool finds_frames = false;  // imports what an unwinder that is linked in needs from libc
  image.for_each_symbol([&](const ElfSymbol& symbol) {
    const bool imported = symbol.shndx == SHN_UNDEF;
    if (symbol.name.empty()) return;
    facts.can_throw = facts.can_throw || is_throwing_symbol(symbol);
    if (!imported && symbol.name == "_Unwind_RaiseException") facts.has_unwinder = true;
    if (imported && equals_any(symbol.name, {"dl_iterate_phdr", "_dl_find_object"}))
      finds_frames = true;
    if (imported && symbol.name == "ASYNC_pause_job") facts.pauses_openssl_jobs = true;
    if (imported && symbol.name == "pthread_setcanceltype") facts.cancels_anywhere = true;
    if (imported && !is_libc(name) && is_loading_symbol(symbol.name)) facts.loads_code = true;
    if (imported && !is_libc(name) &&
        equals_any(symbol.name, {"fork", "_Fork", "forkpty", "daemon"}))
      facts.forks = true;
    if (facts.fibers.empty() && !is_libc(name) && is_fiber_symbol(symbol, facts.statically_linked))
      facts.fibers = symbol.name;
  });
  if (finds_frames && facts.can_throw) facts.has_unwinder = true;
}

}  // namespace

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool is_unwinder_library(std::string_view path) {
  return starts_with_any(file_name(path), {"libgcc_s.so", "libgcc_s-", "libstdc++.so", "libc++.so",
                                           "libc++abi.so", "libunwind.so", "libunwind-"});
}

bool is_harmless_exception_user(std::string_view path) {
  const std::string_view name = file_name(path);
  return is_unwinder_library(path) || is_libc(name) || name.starts_with("libjemalloc.so");
}

ModuleFacts inspect_module(const std::string& path, const ElfImage& image) {
  const std::string_view name = file_name(path);
  ModuleFacts facts;
  facts.path = path;
  facts.has_sections = !image.sections().empty();
  const bool has_dynamic =
      std::ranges::any_of(image.segments(), [](auto& s) { return s.type == PT_DYNAMIC; });
  facts.statically_linked = image.interpreter().empty() && image.needed().empty() &&
                            (image.type() == ET_EXEC || image.entry() != 0) &&
                            (!has_dynamic || !name.contains(".so"));
  facts.symbols = symbol_source(image);
  facts.is_go = has_go_section(image);
  facts.has_unwinder = is_unwinder_library(path);
  if (is_fiber_library(name)) facts.fibers = name;
  read_symbol_evidence(image, name, facts);

  const bool has_tables = std::ranges::any_of(image.sections(), [](const ElfSection& section) {
    return section.name.starts_with(".gcc_except_table");
  });
  const bool only_libc_tables = facts.statically_linked && facts.symbols == SymbolSource::kSymtab;
  if (has_tables && !only_libc_tables) facts.can_throw = true;
  if (facts.statically_linked && facts.can_throw) facts.has_unwinder = true;
  if (is_harmless_exception_user(path)) facts.can_throw = false;
  return facts;
}

}  // namespace callscope
