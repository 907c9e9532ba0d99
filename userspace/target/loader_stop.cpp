// SPDX-License-Identifier: Apache-2.0
#include "target/loader_stop.hpp"

#include <fmt/format.h>
#include <sys/auxv.h>

#include <algorithm>
#include <string>
#include <vector>

#include "elf/bytes.hpp"
#include "elf/elf_image.hpp"
#include "sys/mapped_file.hpp"
#include "sys/read_file.hpp"
#include "target/maps.hpp"

namespace callscope {
namespace {

// Addresses in the tracee.
struct Loader {
  std::uint64_t notify = 0;   // _dl_debug_state: called before and after libraries are mapped
  std::uint64_t r_debug = 0;  // struct r_debug, where it has a symbol (glibc)
  std::uint64_t r_debug_pointer = 0;  // pointer to it (musl's _dl_debug_addr)
  std::uint64_t entry = 0;            // first instruction of the program
};

std::optional<std::uint64_t> auxv_entry(ByteSpan auxv, std::uint64_t type) {
  constexpr std::uint64_t kPair = 16;  // two words: type, value
  for (std::uint64_t pos = 0; pos + kPair <= auxv.size(); pos += kPair)
    if (load<std::uint64_t>(auxv, pos) == type) return load<std::uint64_t>(auxv, pos + 8);
  return std::nullopt;
}

void find_symbols(const ElfImage& image, std::uint64_t base, Loader& loader) {
  image.for_each_symbol([&](const ElfSymbol& symbol) {
    if (symbol.shndx == SHN_UNDEF || symbol.value == 0) return;
    if (symbol.name == "_dl_debug_state") loader.notify = base + symbol.value;
    if (symbol.name == "_r_debug") loader.r_debug = base + symbol.value;
    if (symbol.name == "_dl_debug_addr") loader.r_debug_pointer = base + symbol.value;
  });
}

// Nothing: a static program, or a loader without the debugger interface.
std::optional<Loader> find_loader(pid_t pid) {
  const Result<std::string> auxv = read_file(fmt::format("/proc/{}/auxv", pid));
  if (!auxv) return std::nullopt;
  const std::vector<std::uint8_t> bytes(auxv->begin(), auxv->end());
  const std::uint64_t base = auxv_entry(bytes, AT_BASE).value_or(0);
  Loader loader;
  loader.entry = auxv_entry(bytes, AT_ENTRY).value_or(0);
  if (base == 0 || loader.entry == 0) return std::nullopt;

  const Result<std::vector<Mapping>> maps = read_maps(pid);
  if (!maps) return std::nullopt;
  const auto mapping = std::ranges::find(*maps, base, &Mapping::start);
  if (mapping == maps->end() || mapping->inode == 0) return std::nullopt;
  const Result<MappedFile> file =
      MappedFile::open(fmt::format("/proc/{}/root{}", pid, mapping->path));
  if (!file) return std::nullopt;
  const Result<ElfImage> image = ElfImage::parse(file->bytes());  // refuses 32-bit
  if (!image) return std::nullopt;
  find_symbols(*image, base, loader);
  if (loader.notify == 0 || (loader.r_debug == 0 && loader.r_debug_pointer == 0))
    return std::nullopt;
  return loader;
}

// r_state of struct r_debug is RT_CONSISTENT and its list of libraries is not empty.
bool is_consistent(const Tracee& tracee, const Loader& loader) {
  std::uint64_t addr = loader.r_debug;
  if (addr == 0) addr = tracee.read_word(loader.r_debug_pointer).value_or(0);
  if (addr == 0) return false;
  constexpr std::uint64_t kMapField = 8;  // struct r_debug of <link.h> on 64 bit
  constexpr std::uint64_t kStateField = 24;
  constexpr std::uint32_t kConsistent = 0;  // RT_CONSISTENT
  const Result<std::uint64_t> map = tracee.read_word(addr + kMapField);
  const Result<std::uint64_t> state = tracee.read_word(addr + kStateField);
  return map && state && *map != 0 && static_cast<std::uint32_t>(*state) == kConsistent;
}

// Waits for the next trap of ours; signals on the way are delivered as if we were not there.
Result<TraceeStop> wait_for_trap(const Tracee& tracee) {
  for (;;) {
    Result<TraceeStop> stop = tracee.wait();
    if (!stop || stop->ended || stop->trap) return stop;
    CS_TRY(tracee.resume(stop->signal));
  }
}

// Executes the one instruction under the breakpoint and arms it again.
Result<TraceeStop> step_over(const Tracee& tracee, const Breakpoint& breakpoint) {
  CS_TRY(breakpoint.remove(tracee));
  CS_TRY(tracee.single_step());
  Result<TraceeStop> stop = wait_for_trap(tracee);
  if (!stop || stop->ended) return stop;
  CS_TRY(breakpoint.reinsert(tracee));
  return stop;
}

// After an int3 the instruction pointer stands one byte behind it.
Result<std::uint64_t> rewind_to_breakpoint(const Tracee& tracee) {
  Result<user_regs_struct> registers = tracee.registers();
  if (!registers) return std::unexpected(registers.error());
  registers->rip -= 1;
  CS_TRY(tracee.set_registers(*registers));
  return registers->rip;
}

Result<LoaderResult> run_to_breakpoint(const Tracee& tracee, const Loader& loader,
                                       const Breakpoint& notify, const Breakpoint& entry) {
  for (;;) {
    CS_TRY(tracee.resume());
    Result<TraceeStop> stop = wait_for_trap(tracee);
    if (!stop) return std::unexpected(stop.error());
    if (stop->ended) return LoaderResult{LoaderStop::kEnded, stop->status};
    const Result<std::uint64_t> rip = rewind_to_breakpoint(tracee);
    if (!rip) return std::unexpected(rip.error());
    if (*rip == entry.addr()) return LoaderResult{LoaderStop::kEntry, 0};
    if (is_consistent(tracee, loader)) return LoaderResult{LoaderStop::kLibrariesMapped, 0};
    stop = step_over(tracee, notify);
    if (!stop) return std::unexpected(stop.error());
    if (stop->ended) return LoaderResult{LoaderStop::kEnded, stop->status};
  }
}

}  // namespace

Result<LoaderResult> run_until_libraries_mapped(const Tracee& tracee) {
  const std::optional<Loader> loader = find_loader(tracee.pid());
  if (!loader) return LoaderResult{LoaderStop::kExec, 0};
  const Result<Breakpoint> notify = Breakpoint::insert(tracee, loader->notify);
  if (!notify) return std::unexpected(notify.error());
  // The entry point is the backstop: a loader that never calls us does not run away.
  const Result<Breakpoint> entry = Breakpoint::insert(tracee, loader->entry);
  if (!entry) return std::unexpected(entry.error());
  Result<LoaderResult> result = run_to_breakpoint(tracee, *loader, *notify, *entry);
  if (!result || result->stop == LoaderStop::kEnded) return result;
  CS_TRY(notify->remove(tracee));
  CS_TRY(entry->remove(tracee));
  return result;
}

}  // namespace callscope
