// SPDX-License-Identifier: Apache-2.0
#include "target/safety.hpp"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "sys/fd.hpp"
#include "sys/mapped_file.hpp"
#include "sys/read_file.hpp"
#include "target/proc_text.hpp"

namespace callscope {
namespace {

enum class FileKind { kElf64, kElf32, kOther, kUnreadable };

// Reads the ELF identification only: what is mapped may be no ELF file at all (JIT code in a
// memfd).
// What is no regular file is not opened: opening a device may do something.
FileKind kind_of_file(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return FileKind::kUnreadable;
  if (!S_ISREG(info.st_mode)) return FileKind::kOther;
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return FileKind::kUnreadable;
  std::array<char, EI_CLASS + 1> ident{};
  if (::pread(fd.get(), ident.data(), ident.size(), 0) != std::ssize(ident))
    return FileKind::kOther;
  if (std::string_view(ident.data(), SELFMAG) != ELFMAG) return FileKind::kOther;
  return ident[EI_CLASS] == ELFCLASS32 ? FileKind::kElf32 : FileKind::kElf64;
}

// The way to the mapped file that works: map_files needs more rights than the target's root, but
// also finds files that were deleted or replaced.
std::string openable_path(std::int32_t pid, const Mapping& mapping) {
  std::string exact = map_file_path(pid, mapping);
  if (::access(exact.c_str(), R_OK) == 0 && kind_of_file(exact) != FileKind::kUnreadable)
    return exact;
  return mapping.deleted ? exact : fmt::format("/proc/{}/root{}", pid, mapping.path);
}

bool is_module(const Mapping& mapping) {
  return mapping.executable && mapping.inode != 0 && mapping.path.starts_with('/');
}

bool has_debug_file(std::int32_t pid, const std::string& build_id) {
  if (build_id.size() < 4) return false;
  const std::string file = fmt::format("/usr/lib/debug/.build-id/{}/{}.debug",
                                       build_id.substr(0, 2), build_id.substr(2));
  return ::access(file.c_str(), R_OK) == 0 ||
         ::access(fmt::format("/proc/{}/root{}", pid, file).c_str(), R_OK) == 0;
}

void add_executable_facts(std::int32_t pid, const ElfImage& image, const ModuleFacts& module,
                          SafetyFacts& facts) {
  facts.program_class = ProgramClass::kElf64;
  facts.statically_linked = module.statically_linked;
  facts.symbols = module.symbols;
  const bool no_symtab = module.symbols != SymbolSource::kSymtab;
  if (no_symtab && has_debug_file(pid, image.build_id())) facts.symbols = SymbolSource::kDebugFile;
  facts.frame_pointers = sample_frame_pointers(image);
}

std::optional<ModuleFacts> inspect_mapping(std::int32_t pid, const Mapping& mapping,
                                           SafetyFacts& facts) {
  const std::string path = openable_path(pid, mapping);
  const FileKind kind = kind_of_file(path);
  if (kind == FileKind::kOther) return std::nullopt;
  facts.modules.push_back(mapping.path);
  if (kind == FileKind::kElf32 && mapping.path == facts.exe)
    facts.program_class = ProgramClass::kElf32;
  if (kind == FileKind::kElf64) {
    const Result<MappedFile> file = MappedFile::open(path);
    const auto image = file ? ElfImage::parse(file->bytes()) : std::unexpected(file.error());
    if (image) {
      ModuleFacts module = inspect_module(mapping.path, *image);
      if (mapping.path == facts.exe) add_executable_facts(pid, *image, module, facts);
      if (module.has_sections) return module;
    }
  }
  facts.unreadable.push_back(mapping.path);
  return std::nullopt;
}

void merge(const std::vector<ModuleFacts>& modules, SafetyFacts& facts) {
  const bool openssl_pauses = std::ranges::any_of(modules, &ModuleFacts::pauses_openssl_jobs);
  for (const ModuleFacts& module : modules) {
    const std::string_view name = file_name(module.path);
    if (module.has_unwinder) facts.unwinders.push_back(module.path);
    if (module.can_throw) facts.throwers.push_back(module.path);
    if (module.is_go) facts.go_modules.push_back(module.path);
    if (module.loads_code) facts.loaders.push_back(module.path);
    if (module.forks) facts.forkers.push_back(module.path);
    facts.cancels_anywhere = facts.cancels_anywhere || module.cancels_anywhere;
    // libcrypto can switch stacks for asynchronous engines; without one that pauses jobs, a job
    // runs to its end at once and returns come in order.
    const bool idle_openssl = name.starts_with("libcrypto.so") && !openssl_pauses;
    if (!module.fibers.empty() && !idle_openssl)
      facts.fibers.push_back(fmt::format("{} ({})", module.path, module.fibers));
  }
}

bool other_namespace(std::int32_t pid, const char* kind) {
  const Result<std::string> ours = read_link(fmt::format("/proc/self/ns/{}", kind));
  const Result<std::string> theirs = read_link(fmt::format("/proc/{}/ns/{}", pid, kind));
  return ours && theirs && *ours != *theirs;
}

}  // namespace

Result<SafetyFacts> inspect_target(std::int32_t pid) {
  const Result<std::string> status = read_file(fmt::format("/proc/{}/status", pid));
  if (!status) return std::unexpected(status.error());
  const Result<std::vector<Mapping>> maps = read_maps(pid);
  if (!maps) return std::unexpected(maps.error());

  SafetyFacts facts;
  facts.exe = read_link(fmt::format("/proc/{}/exe", pid)).value_or("");
  constexpr std::string_view kDeleted = " (deleted)";
  if (facts.exe.ends_with(kDeleted)) facts.exe.resize(facts.exe.size() - kDeleted.size());
  std::set<std::pair<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t>> seen;
  std::vector<ModuleFacts> modules;
  for (const Mapping& mapping : *maps) {
    if (!is_module(mapping)) continue;
    if (!seen.insert({{mapping.dev_major, mapping.dev_minor}, mapping.inode}).second) continue;
    if (std::optional<ModuleFacts> module = inspect_mapping(pid, mapping, facts))
      modules.push_back(std::move(*module));
  }
  merge(modules, facts);
  facts.seccomp_mode = static_cast<std::uint32_t>(status_number(*status, "Seccomp").value_or(0));
  facts.shadow_stack = status_field(*status, "x86_Thread_features").value_or("").contains("shstk");
  facts.other_mount_namespace = other_namespace(pid, "mnt");
  facts.other_pid_namespace = other_namespace(pid, "pid");
  return facts;
}

std::vector<std::string> new_modules(const std::vector<std::string>& known,
                                     const std::vector<Mapping>& mappings) {
  const std::set<std::string_view> paths(known.begin(), known.end());
  std::vector<std::string> found;
  for (const Mapping& mapping : mappings) {
    const bool news = is_module(mapping) && !paths.contains(mapping.path) &&
                      !mapping.path.starts_with("/memfd:") && !mapping.path.starts_with("/dev/");
    if (news && std::ranges::find(found, mapping.path) == found.end())
      found.push_back(mapping.path);
  }
  return found;
}

}  // namespace callscope
