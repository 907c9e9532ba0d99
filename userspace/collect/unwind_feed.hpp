// SPDX-License-Identifier: Apache-2.0
// Keeps what the stack walker knows of the target processes up to date: which code each has mapped,
// and the unwind tables of it. Owns the maps, which the BPF objects share. One thread. A process
// that has ended is no error.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bpf/unwind_maps.hpp"
#include "callscope/error.hpp"
#include "collect/unwind_modules.hpp"
#include "unwind/unwind_cache.hpp"

namespace callscope {

enum class UnwindMode {
  kAuto,          // tables where there is one, frame pointers elsewhere
  kFramePointer,  // frame pointers only
  kEhFrame,       // tables only
};

class UnwindFeed {
 public:
  // cache_directory: of unwind tables on disk; empty: the default one.
  static Result<std::unique_ptr<UnwindFeed>> create(UnwindMode mode, std::string cache_directory);
  UnwindFeed(const UnwindFeed&) = delete;
  UnwindFeed& operator=(const UnwindFeed&) = delete;

  [[nodiscard]] const UnwindMaps& maps() const { return maps_; }

  // Reads the maps of the process; the tables of its code are in the kernel when this returns.
  // Cheap when nothing changed.
  enum class Refreshed : std::uint8_t { kUnchanged, kChanged, kEnded };
  Refreshed refresh(std::int32_t pid);
  [[nodiscard]] bool knows(std::int32_t pid) const { return processes_.contains(pid); }
  [[nodiscard]] std::vector<std::int32_t> processes() const;
  // Text of /proc/PID/maps at the last refresh; empty: not known.
  [[nodiscard]] std::string maps_text(std::int32_t pid) const;
  // BPF may have given the child its parent's code already. kChanged: it has code of its own.
  Refreshed forked(std::int32_t child, std::int32_t parent);
  void exited(std::int32_t pid);

  // Why tables cannot be kept on disk; empty: they can.
  [[nodiscard]] std::string cache_problem() { return cache_.problem(); }

  struct Counts {
    std::uint64_t tables_without_room = 0;
    std::uint64_t ranges_without_room = 0;
  };
  [[nodiscard]] Counts counts() const {
    return {modules_.counts().without_room, ranges_without_room_};
  }

 private:
  // What one or several processes have mapped: a forked child shares its parent's.
  struct Code {
    Code(UnwindFeed& its_feed, Run its_ranges, std::vector<UnwindModule*> its_modules,
         std::string text)
        : feed(its_feed),
          ranges(its_ranges),
          modules(std::move(its_modules)),
          maps_text(std::move(text)) {}
    Code(const Code&) = delete;
    Code& operator=(const Code&) = delete;
    ~Code();

    UnwindFeed& feed;
    Run ranges;
    std::vector<UnwindModule*> modules;
    std::string maps_text;
  };
  UnwindFeed(UnwindMode mode, std::string cache_directory, UnwindMaps maps)
      : mode_(mode),
        maps_(std::move(maps)),
        cache_(std::move(cache_directory)),
        modules_(maps_, cache_) {}
  std::shared_ptr<Code> publish(std::int32_t pid, std::string maps_text);

  UnwindMode mode_;
  UnwindMaps maps_;
  UnwindCache cache_;
  UnwindModules modules_;
  std::map<std::int32_t, std::shared_ptr<Code>> processes_;
  std::uint64_t ranges_without_room_ = 0;
};

}  // namespace callscope
