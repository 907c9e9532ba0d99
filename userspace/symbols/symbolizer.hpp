// SPDX-License-Identifier: Apache-2.0
// Symbolizer turns code addresses into frames of a Recording, each distinct address once. It owns
// the maps of the processes it was told about and one cache of modules; the Recording must outlive
// it and gets new modules and frames appended. Not thread-safe. An address that cannot be named is
// no error: its frame has the right module and address and an empty function.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "callscope/recording.hpp"
#include "symbols/kernel_symbols.hpp"
#include "symbols/module_cache.hpp"
#include "symbols/process_maps.hpp"

namespace callscope {

// A return address belongs to the call before it, which may be the last instruction of a function.
enum class AddressKind { kExact, kReturn };

class Symbolizer {
 public:
  explicit Symbolizer(Recording& recording) : recording_(recording) {}
  Symbolizer(const Symbolizer&) = delete;
  Symbolizer& operator=(const Symbolizer&) = delete;

  // Reads the maps of a process and opens what is new in them; at start, periodically, after exec
  // and dlopen. Cheap when nothing changed. kNotFound when it has ended: what is known stays.
  Result<void> refresh(std::int32_t pid);
  // The same with the text of /proc/PID/maps that was read before; the process may have ended.
  Result<void> refresh(std::int32_t pid, const std::string& maps_text);
  // Reads what JIT compilers have written about their code since; also of processes that have
  // ended.
  void refresh_names();
  // child was forked by parent: until it is refreshed it has the parent's maps. No effect on a
  // process that is known already.
  void adopt(std::int32_t child, std::int32_t parent);
  // nullptr: never refreshed nor adopted.
  [[nodiscard]] const ProcessMaps* process(std::int32_t pid) const;

  // False: the address lies outside of all code of the process, now and before. True while nothing
  // is known of the process.
  [[nodiscard]] bool is_code(std::int32_t pid, std::uint64_t addr) const;
  // Frame::id of a user-space address. Frame::addr is the ELF virtual address; the file offset when
  // the module is no readable ELF file; absolute in "[jit]" (one module a process), "[unknown]" (no
  // mapping) and special mappings. Tries one refresh for a process not known yet.
  std::uint32_t user_frame(std::int32_t pid, std::uint64_t addr, AddressKind kind);
  // Frame::id of the beginning of a function: module as in Recording::modules, addr in its ELF.
  std::uint32_t function_frame(std::uint32_t module, std::uint64_t addr, std::string_view name);
  // Stands for the middle of a deep stack.
  std::uint32_t left_out_frame();
  // Frame::id of a kernel address, in module "[kernel]" or that of the kernel module,
  // "[nf_tables]".
  std::uint32_t kernel_frame(std::uint64_t addr, AddressKind kind);

  // Index into Recording::modules, added if new: for what is not a frame (probed functions).
  std::uint32_t module_id(ModuleKind kind, const std::string& path, const std::string& build_id);
  std::uint32_t module_id(CachedModule& module);

  // What debug information may know more about: Frame::id and the ELF virtual address to look at,
  // which lies inside of the call that a return address follows. By file, in no order.
  struct ElfFrame {
    std::uint64_t vaddr = 0;
    std::uint32_t frame = 0;
  };
  struct ElfFrames {
    std::uint32_t module = 0;  // index into Recording::modules
    CachedModule* file = nullptr;
    std::vector<ElfFrame> frames;
  };
  [[nodiscard]] std::vector<ElfFrames> elf_frames() const;
  // How many files have such frames or probed functions; only grows.
  [[nodiscard]] std::size_t elf_file_count() const { return module_ids_.size(); }

  // Reads /proc/kallsyms now instead of at the first kernel address.
  Result<void> load_kernel();
  // kptr_restrict hides kernel addresses from us.
  [[nodiscard]] bool kernel_names_hidden() const { return kernel_ && kernel_->hidden(); }
  // One line for each module with names looked up: where they came from, what was refused.
  [[nodiscard]] std::vector<std::string> module_notes() const;

 private:
  struct Place {  // what an address was resolved to
    std::uint32_t module = 0;
    std::uint64_t addr = 0;
    std::string_view function;
    std::uint64_t sym_off = 0;
  };
  struct FrameKey {
    std::uint32_t module = 0;
    AddressKind kind = AddressKind::kExact;
    std::uint64_t addr = 0;
    bool operator==(const FrameKey&) const = default;
  };
  struct FrameKeyHash {
    std::size_t operator()(const FrameKey& key) const;
  };
  struct UnnamedJit {
    std::uint32_t frame = 0;
    std::int32_t pid = 0;
    std::uint64_t lookup_addr = 0;
  };

  ProcessMaps& process_or_new(std::int32_t pid);
  std::uint32_t elf_frame(const CodeMapping& code, std::uint64_t addr, AddressKind kind);
  std::uint32_t jit_frame(std::int32_t pid, std::uint64_t addr, AddressKind kind);
  std::uint32_t jit_module(std::int32_t pid);
  void name_jit_frames(std::int32_t pid);
  std::uint32_t intern(const Place& place, AddressKind kind);
  std::uint32_t add_module(ModuleKind kind, std::string path, std::string build_id);

  Recording& recording_;
  ModuleCache cache_;  // before processes_, which point into it
  std::map<std::int32_t, ProcessMaps> processes_;
  std::optional<KernelSymbols> kernel_;
  std::map<std::pair<std::string, std::string>, std::uint32_t> modules_;  // by path and build-id
  std::unordered_map<CachedModule*, std::uint32_t> module_ids_;
  std::map<std::int32_t, std::uint32_t> jit_modules_;
  std::unordered_map<FrameKey, std::uint32_t, FrameKeyHash> frames_;
  std::vector<UnnamedJit> unnamed_jit_;  // tried again when the perf map has grown
};

}  // namespace callscope
