// SPDX-License-Identifier: Apache-2.0
#include "stopped_process.hpp"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <memory>
#include <optional>

#include "callscope/abi/unwind.h"
#include "sys/mapped_file.hpp"
#include "target/maps.hpp"
#include "unwind/compile_table.hpp"
#include "unwind/holes.hpp"

namespace {

// What the maps of the BPF objects hold.
std::vector<cs_code_range> code_ranges;
std::vector<cs_unwind_page> unwind_pages;
std::vector<cs_unwind_row> unwind_rows;
std::vector<cs_unwind_rule> unwind_rules;
int memory_fd = -1;

template <typename T>
const T* element(const std::vector<T>& all, std::uint32_t index) {
  return index < all.size() ? &all[index] : nullptr;
}

}  // namespace

static const cs_code_range* cs_code_range_at(std::uint32_t i) { return element(code_ranges, i); }
static const cs_unwind_page* cs_unwind_page_at(std::uint32_t i) { return element(unwind_pages, i); }
static const cs_unwind_row* cs_unwind_row_at(std::uint32_t i) { return element(unwind_rows, i); }
static const cs_unwind_rule* cs_unwind_rule_at(std::uint32_t i) { return element(unwind_rules, i); }
static long cs_read_user(void* to, std::uint32_t size, std::uint64_t from) {
  return ::pread(memory_fd, to, size, static_cast<off_t>(from)) == static_cast<ssize_t>(size) ? 0
                                                                                              : -1;
}
struct cs_unwind;
static std::uint64_t cs_original_return(cs_unwind*) { return 0; }

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "bpf/common/unwind/step.bpf.h"
#pragma GCC diagnostic pop

namespace callscope::test {
namespace {

struct Module {
  std::optional<MappedFile> file;
  std::vector<std::uint8_t> copied;
  std::optional<ElfImage> image;
  std::uint32_t pages = 0;  // as cs_code_range::pages
  bool has_table = false;
};

std::map<std::string, Module> modules;

void place_table(Module& module) {
  auto table = compile_unwind_table(*module.image);
  if (!table || table->pages.empty()) return;
  judge_holes(*table, module.image->entry());
  const auto rules = static_cast<std::uint32_t>(unwind_rules.size());
  unwind_rules.insert(unwind_rules.end(), table->rules.begin(), table->rules.end());
  const auto rows = static_cast<std::uint32_t>(unwind_rows.size());
  for (const cs_unwind_row row : table->rows)
    unwind_rows.push_back({row.pc_low, static_cast<std::uint16_t>(rules + row.rule)});
  const std::uint64_t first = table->pages.front().start >> CS_UNWIND_PAGE_BITS;
  const std::uint64_t last = table->pages.back().start >> CS_UNWIND_PAGE_BITS;
  const auto pages = static_cast<std::uint32_t>(unwind_pages.size());
  unwind_pages.resize(pages + last - first + 1);
  for (const UnwindPage& page : table->pages)
    unwind_pages[pages + (page.start >> CS_UNWIND_PAGE_BITS) - first] = {rows + page.first,
                                                                         page.count};
  module.pages = pages - static_cast<std::uint32_t>(first);
  module.has_table = true;
}

Module& module_of(pid_t pid, const Mapping& mapping) {
  Module& module = modules[mapping.path];
  if (module.image || module.file) return module;
  if (mapping.path == "[vdso]") {
    module.copied.resize(mapping.end - mapping.start);
    REQUIRE(cs_read_user(module.copied.data(), static_cast<std::uint32_t>(module.copied.size()),
                         mapping.start) == 0);
    if (auto image = ElfImage::parse(module.copied)) module.image = std::move(*image);
  } else if (auto file = MappedFile::open(map_file_path(pid, mapping)); file || mapping.deleted) {
    if (file) module.file = std::move(*file);
  } else if (auto by_path = MappedFile::open(mapping.path)) {  // map_files is for root
    module.file = std::move(*by_path);
  }
  if (module.file)
    if (auto image = ElfImage::parse(module.file->bytes())) module.image = std::move(*image);
  if (module.image) place_table(module);
  return module;
}

cs_code_range range_of(const Module& module, const Mapping& mapping) {
  cs_code_range range{};
  range.start = mapping.start;
  range.n_pages = static_cast<std::uint32_t>((mapping.end - mapping.start) >> 12);
  range.kind = mapping.inode == 0 && mapping.path.empty() ? CS_CODE_JIT : CS_CODE_NO_TABLE;
  if (!module.has_table) return range;
  for (const ElfSegment& segment : module.image->segments())
    if (segment.type == PT_LOAD && (segment.flags & PF_X) != 0 &&
        mapping.file_off >= (segment.file_off & ~0xfffU) &&
        mapping.file_off < segment.file_off + segment.file_size) {
      range.bias = mapping.start - (segment.vaddr - segment.file_off + mapping.file_off);
      range.pages = module.pages;
      range.kind = CS_CODE_TABLE;
    }
  return range;
}

}  // namespace

StoppedProcess::StoppedProcess(std::vector<std::string> argv) {
  std::vector<char*> args;
  for (std::string& arg : argv) args.push_back(arg.data());
  args.push_back(nullptr);
  pid_ = ::fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, STDIN_FILENO);
    ::dup2(null, STDOUT_FILENO);
    ::execv(args[0], args.data());
    ::_exit(127);
  }
  int status = 0;
  REQUIRE(::waitpid(pid_, &status, 0) == pid_);
  REQUIRE(WIFSTOPPED(status));
  memory_.reset(::open(fmt::format("/proc/{}/mem", pid_).c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(memory_.valid());
  memory_fd = memory_.get();
  read_code();
}

StoppedProcess::~StoppedProcess() {
  if (ended_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, __WALL);
}

bool StoppedProcess::step(int deliver) {
  int status = 0;
  ::ptrace(PTRACE_SINGLESTEP, pid_, nullptr, static_cast<long>(deliver));
  ::waitpid(pid_, &status, 0);
  ended_ = !WIFSTOPPED(status);
  return !ended_;
}

int StoppedProcess::run(int deliver) {
  int status = 0;
  ::ptrace(PTRACE_CONT, pid_, nullptr, static_cast<long>(deliver));
  ::waitpid(pid_, &status, 0);
  ended_ = !WIFSTOPPED(status);
  return ended_ ? 0 : WSTOPSIG(status);
}

user_regs_struct StoppedProcess::registers() const {
  user_regs_struct regs{};
  ::ptrace(PTRACE_GETREGS, pid_, nullptr, &regs);
  return regs;
}

std::uint64_t StoppedProcess::word(std::uint64_t addr) const {
  std::uint64_t value = 0;
  return cs_read_user(&value, sizeof(value), addr) == 0 ? value : 0;
}

void StoppedProcess::set_word(std::uint64_t addr, std::uint64_t value) {
  REQUIRE(::pwrite(memory_.get(), &value, sizeof(value), static_cast<off_t>(addr)) ==
          sizeof(value));
}

void StoppedProcess::read_code() {
  if (unwind_rules.empty()) unwind_rules.push_back({});  // CS_UNWIND_RULE_NO_TABLE
  const auto mappings = read_maps(pid_);
  REQUIRE(mappings);
  code_ranges.clear();
  for (const Mapping& mapping : *mappings)
    if (mapping.executable && mapping.start >> 63 == 0)
      code_ranges.push_back(range_of(module_of(pid_, mapping), mapping));
}

WalkedStack StoppedProcess::walk() {
  static const auto frames = std::make_unique<cs_user_frames>();
  const user_regs_struct regs = registers();
  cs_unwind walk{};
  walk.pc = regs.rip;
  const std::uint64_t values[CS_REG_COUNT] = {
      regs.rax, regs.rdx, regs.rcx, regs.rbx, regs.rsi, regs.rdi, regs.rbp, regs.rsp,
      regs.r8,  regs.r9,  regs.r10, regs.r11, regs.r12, regs.r13, regs.r14, regs.r15};
  std::ranges::copy(values, walk.regs);
  walk.known = CS_REG_ALL;
  walk.exact = 1;
  walk.n_ranges = static_cast<std::uint32_t>(code_ranges.size());
  const int result = cs_unwind_frames(&walk, frames.get());
  return {{frames->addr, frames->addr + (result >> 8)}, result & 0xff};
}

}  // namespace callscope::test
