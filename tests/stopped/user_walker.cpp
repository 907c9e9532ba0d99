// SPDX-License-Identifier: Apache-2.0
#include "user_walker.hpp"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <tuple>

#include "callscope/abi/unwind.h"
#include "sys/mapped_file.hpp"
#include "unwind/compile_table.hpp"
#include "unwind/holes.hpp"

namespace callscope::test {
namespace {

// What the maps of the BPF objects hold, and the memory: of the walker whose turn it is.
struct Walked {
  std::vector<cs_code_range> ranges;
  std::vector<cs_unwind_page> pages;
  std::vector<cs_unwind_row> rows;
  std::vector<cs_unwind_rule> rules{{}};  // CS_UNWIND_RULE_NO_TABLE
  int memory_fd = -1;
};
const Walked* walked = nullptr;

template <typename T>
const T* element(const std::vector<T>& all, std::uint32_t index) {
  return index < all.size() ? &all[index] : nullptr;
}

}  // namespace
}  // namespace callscope::test

using callscope::test::element;
using callscope::test::walked;

static const cs_code_range* cs_code_range_at(std::uint32_t i) { return element(walked->ranges, i); }
static const cs_unwind_page* cs_unwind_page_at(std::uint32_t i) {
  return element(walked->pages, i);
}
static const cs_unwind_row* cs_unwind_row_at(std::uint32_t i) { return element(walked->rows, i); }
static const cs_unwind_rule* cs_unwind_rule_at(std::uint32_t i) {
  return element(walked->rules, i);
}
static long cs_read_user(void* to, std::uint32_t size, std::uint64_t from) {
  const ssize_t got = ::pread(walked->memory_fd, to, size, static_cast<off_t>(from));
  return got == static_cast<ssize_t>(size) ? 0 : -1;
}
struct cs_unwind;
static std::uint64_t cs_original_return(cs_unwind*) { return 0; }

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "bpf/common/unwind/walk.bpf.h"
#pragma GCC diagnostic pop

namespace callscope::test {
namespace {

cs_unwind begin_walk() {
  cs_unwind walk{};
  walk.generation = 1;  // as those of the BPF objects begin
  walk.n_ranges = static_cast<std::uint32_t>(walked->ranges.size());
  return walk;
}

}  // namespace

struct UserWalker::Module {
  std::optional<MappedFile> file;
  std::vector<std::uint8_t> copied;
  std::optional<ElfImage> image;
  std::uint32_t pages = 0;  // as cs_code_range::pages
  bool has_table = false;
};

struct UserWalker::Tables {
  using Key = std::tuple<std::uint32_t, std::uint32_t, std::uint64_t, std::string>;
  Walked walked;
  std::map<Key, Module> modules;  // by device, inode and path

  void place(Module& module);
};

UserWalker::UserWalker(pid_t pid, Fd memory)
    : pid_(pid), memory_(std::move(memory)), tables_(std::make_unique<Tables>()) {
  tables_->walked.memory_fd = memory_.get();
}

UserWalker::~UserWalker() {
  if (walked == &tables_->walked) walked = nullptr;
}

Result<std::unique_ptr<UserWalker>> UserWalker::create(pid_t pid) {
  Fd memory(::open(fmt::format("/proc/{}/mem", pid).c_str(), O_RDWR | O_CLOEXEC));
  if (!memory.valid())
    return fail(ErrorCode::kIo, fmt::format("cannot open the memory of process {}", pid), {},
                errno);
  return std::unique_ptr<UserWalker>(new UserWalker(pid, std::move(memory)));
}

void UserWalker::Tables::place(Module& module) {
  auto table = compile_unwind_table(*module.image);
  if (!table || table->pages.empty()) return;
  judge_holes(*table, module.image->entry());
  const auto first_rule = static_cast<std::uint32_t>(walked.rules.size());
  walked.rules.insert(walked.rules.end(), table->rules.begin(), table->rules.end());
  const auto first_row = static_cast<std::uint32_t>(walked.rows.size());
  for (const cs_unwind_row row : table->rows)
    walked.rows.push_back({row.pc_low, static_cast<std::uint16_t>(first_rule + row.rule)});
  const std::uint64_t first = table->pages.front().start >> CS_UNWIND_PAGE_BITS;
  const std::uint64_t last = table->pages.back().start >> CS_UNWIND_PAGE_BITS;
  const auto pages = static_cast<std::uint32_t>(walked.pages.size());
  walked.pages.resize(pages + last - first + 1);
  for (const UnwindPage& page : table->pages)
    walked.pages[pages + (page.start >> CS_UNWIND_PAGE_BITS) - first] = {first_row + page.first,
                                                                         page.count};
  module.pages = pages - static_cast<std::uint32_t>(first);
  module.has_table = true;
}

UserWalker::Module& UserWalker::module_of(const Mapping& mapping) {
  const auto [known, added] = tables_->modules.try_emplace(
      {mapping.dev_major, mapping.dev_minor, mapping.inode, mapping.path});
  Module& module = known->second;
  if (!added) return module;
  if (mapping.path == "[vdso]") {
    module.copied.resize(mapping.end - mapping.start);
    if (read(module.copied.data(), module.copied.size(), mapping.start))
      if (auto image = ElfImage::parse(module.copied)) module.image = std::move(*image);
  } else if (auto file = MappedFile::open(map_file_path(pid_, mapping)); file || mapping.deleted) {
    if (file) module.file = std::move(*file);
  } else if (auto by_path = MappedFile::open(mapping.path)) {  // map_files is for root
    module.file = std::move(*by_path);
  }
  if (module.file)
    if (auto image = ElfImage::parse(module.file->bytes())) module.image = std::move(*image);
  if (module.image) tables_->place(module);
  return module;
}

cs_code_range UserWalker::range_of(const Module& module, const Mapping& mapping) const {
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

Result<void> UserWalker::read_code() {
  auto mappings = read_maps(pid_);
  if (!mappings) return std::unexpected(mappings.error());
  std::erase_if(*mappings, [](const Mapping& mapping) {
    return !mapping.executable || mapping.start >> 63 != 0;
  });
  mappings_ = std::move(*mappings);
  tables_->walked.ranges.clear();
  for (const Mapping& mapping : mappings_)
    tables_->walked.ranges.push_back(range_of(module_of(mapping), mapping));
  return {};
}

WalkedStack UserWalker::walk(const user_regs_struct& regs) {
  static const auto frames = std::make_unique<cs_user_frames>();
  walked = &tables_->walked;
  cs_unwind walk = begin_walk();
  walk.pc = regs.rip;
  const std::uint64_t values[CS_REG_COUNT] = {
      regs.rax, regs.rdx, regs.rcx, regs.rbx, regs.rsi, regs.rdi, regs.rbp, regs.rsp,
      regs.r8,  regs.r9,  regs.r10, regs.r11, regs.r12, regs.r13, regs.r14, regs.r15};
  std::ranges::copy(values, walk.regs);
  walk.known = CS_REG_ALL;
  walk.exact = 1;
  walk.limit = CS_WALK_FRAMES;
  const int result = cs_unwind_frames(&walk, frames.get());
  const bool deep = walk.left_out != 0;
  const int kept = deep ? CS_INNER_FRAMES : result >> 8;
  return {{frames->addr, frames->addr + kept}, result & 0xff, deep};
}

bool UserWalker::has_rule(std::uint64_t addr) {
  walked = &tables_->walked;
  cs_unwind walk = begin_walk();
  if (!cs_find_code(&walk, addr) || walk.kind != CS_CODE_TABLE) return false;
  const cs_unwind_rule* const rule = cs_unwind_rule_at(walk.rule);
  return rule != nullptr && rule->kind != CS_UNWIND_NO_TABLE &&
         rule->kind != CS_UNWIND_FRAME_POINTER;
}

bool UserWalker::read(void* to, std::size_t size, std::uint64_t from) const {
  return ::pread(memory_.get(), to, size, static_cast<off_t>(from)) == static_cast<ssize_t>(size);
}

bool UserWalker::write(std::uint64_t to, const void* from, std::size_t size) const {
  return ::pwrite(memory_.get(), from, size, static_cast<off_t>(to)) == static_cast<ssize_t>(size);
}

std::string UserWalker::describe(std::uint64_t addr) const {
  for (const Mapping& mapping : mappings_)
    if (addr >= mapping.start && addr < mapping.end)
      return fmt::format("{}+{:#x}", mapping.path.substr(mapping.path.rfind('/') + 1),
                         addr - mapping.start + mapping.file_off);
  return fmt::format("{:#x}", addr);
}

}  // namespace callscope::test
