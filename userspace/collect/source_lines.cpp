// SPDX-License-Identifier: Apache-2.0
#include "collect/source_lines.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "symbols/debuginfod.hpp"
#include "symbols/source_frames.hpp"
#include "sys/clock.hpp"

namespace callscope {
namespace {

constexpr std::uint64_t kMaxFetchNs = 10'000'000'000;  // for all modules together

class SourceLines {
 public:
  SourceLines(Recording& recording, DebugInfoAhead& ahead, const SourceLineOptions& options)
      : recording_(recording), ahead_(ahead), options_(options) {}

  void read(Symbolizer::ElfFrames& elf) {
    std::vector<Wanted> wanted;
    for (const Symbolizer::ElfFrame& frame : elf.frames)
      wanted.push_back({frame.vaddr, frame.frame, nullptr});
    for (FunctionStats& function : recording_.functions)
      if (function.module == elf.module && function.calls > 0)
        wanted.push_back({function.addr, 0, &function});
    if (wanted.empty()) return;
    const Result<std::optional<DebugInfo>> debug = open(*elf.file);
    if (!debug) return note(elf.file->path(), debug.error().message());
    if (!*debug) return;
    if ((*debug)->fetched()) rename(elf, *(*debug)->separate());
    std::ranges::sort(wanted, {}, &Wanted::vaddr);
    std::vector<std::uint64_t> addrs;
    for (const Wanted& one : wanted)
      if (addrs.empty() || addrs.back() != one.vaddr) addrs.push_back(one.vaddr);
    const bool complete = find_source_frames(
        (*debug)->dwarf(), addrs, options_.deadline_ns,
        [&](std::uint64_t vaddr, const SourceFrames& found) {
          for (const Wanted& one : std::ranges::equal_range(wanted, vaddr, {}, &Wanted::vaddr))
            apply(one, found);
        });
    if (!complete)
      note(elf.file->path(), "reading its debug information took too long, it was given up");
  }

  void put_into_stacks() {
    if (inlined_at_.empty()) return;
    for (Stack& stack : recording_.stacks) {
      std::vector<std::uint32_t> frames;
      for (const std::uint32_t frame : stack.frames) {
        if (const auto inlined = inlined_at_.find(frame); inlined != inlined_at_.end())
          frames.insert(frames.end(), inlined->second.begin(), inlined->second.end());
        frames.push_back(frame);
      }
      stack.frames = std::move(frames);
    }
  }

  void ask_servers() {
    Result<std::optional<Debuginfod>> server =
        Debuginfod::from_environment(monotonic_ns() + kMaxFetchNs);
    if (!server) recording_.notes.push_back(server.error().message());
    if (server) server_ = std::move(*server);
  }

 private:
  Result<std::optional<DebugInfo>> open(CachedModule& file) {
    if (std::optional<DebugInfo> opened = ahead_.take(file)) return opened;
    return file.open_debug_info(fetcher());
  }

  struct Wanted {
    std::uint64_t vaddr = 0;
    std::uint32_t frame = 0;  // unless it is the entry of a function
    FunctionStats* function = nullptr;
  };

  // Fails for good once a server has failed: one note is enough, and so is one wait.
  DebugFileFetcher fetcher() {
    if (!server_) return {};
    return [this](const std::string& build_id) -> Result<DebugFile> {
      if (!server_) return fail(ErrorCode::kNotFound, "no server is left to be asked");
      Result<DebugFile> file = server_->fetch(build_id);
      if (!file && file.error().code == ErrorCode::kIo) server_.reset();
      return file;
    };
  }

  // By the symbols of a debug file that was not at hand while the recording ran.
  void rename(const Symbolizer::ElfFrames& elf, const DebugFile& debug) {
    const std::array<const ElfImage*, 2> images = {&elf.file->image()->image(),
                                                   &debug.image.image()};
    const SymbolTable symbols = SymbolTable::build(images);
    for (const Symbolizer::ElfFrame& one : elf.frames) {
      const Symbol* const symbol = symbols.find(one.vaddr);
      if (symbol == nullptr) continue;
      Frame& frame = recording_.frames[one.frame];
      frame.function = symbol->name;
      frame.sym_off = frame.addr - symbol->addr;
    }
    recording_.notes.push_back(elf.file->path() + ": names and lines by debuginfod");
  }

  void apply(const Wanted& wanted, const SourceFrames& found) {
    const SourceFrame& own = found.back();
    if (wanted.function != nullptr) {
      wanted.function->file = own.file;
      wanted.function->line = own.line;
      return;
    }
    Frame& frame = recording_.frames[wanted.frame];
    if (frame.function.empty()) frame.function = own.function;
    frame.file = own.file;
    frame.line = own.line;
    if (options_.inlined_frames && found.size() > 1) add_inlined(wanted.frame, found);
  }

  void add_inlined(std::uint32_t around, const SourceFrames& found) {
    std::vector<std::uint32_t>& ids = inlined_at_[around];
    for (std::size_t i = 0; i + 1 < found.size(); ++i) {
      Frame frame;
      frame.id = static_cast<std::uint32_t>(recording_.frames.size());
      frame.module = recording_.frames[around].module;
      frame.addr = recording_.frames[around].addr;
      frame.function = found[i].function;
      frame.file = found[i].file;
      frame.line = found[i].line;
      frame.inline_depth = static_cast<std::uint32_t>(found.size() - 1 - i);
      ids.push_back(frame.id);
      recording_.frames.push_back(std::move(frame));
    }
  }

  void note(const std::string& path, const std::string& why) {
    recording_.notes.push_back(path + ": lines and inlined functions are missing: " + why);
  }

  Recording& recording_;
  DebugInfoAhead& ahead_;
  std::optional<Debuginfod> server_;
  const SourceLineOptions& options_;
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> inlined_at_;  // innermost first
};

}  // namespace

void add_source_lines(Recording& recording, const Symbolizer& symbolizer, DebugInfoAhead& ahead,
                      const SourceLineOptions& options) {
  SourceLines lines(recording, ahead, options);
  lines.ask_servers();
  for (Symbolizer::ElfFrames& elf : symbolizer.elf_frames()) lines.read(elf);
  lines.put_into_stacks();
}

}  // namespace callscope
