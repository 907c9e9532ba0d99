// SPDX-License-Identifier: Apache-2.0
// A small recording with every field set to a value of its own, and a folder that cleans up after
// itself. For the tests of store and report only.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "callscope/recording.hpp"
#include "tests/unit/sample_spans.hpp"

namespace callscope::test {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "callscope-test-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline ResourceSnapshot sample_snapshot(std::uint64_t t_ns) {
  const std::uint64_t s = t_ns / 1'000'000'000;
  return {.t_ns = t_ns,
          .rss_bytes = (10 + s) << 20,
          .vms_bytes = (100 + s) << 20,
          .pss_bytes = (8 + s) << 20,
          .swap_bytes = s << 12,
          .minor_faults = 1000 + 7 * s,
          .major_faults = 3 + s,
          .threads = 4,
          .fds = 20 + s,
          .fd_files = 5,
          .fd_sockets = 6 + s,
          .fd_pipes = 4,
          .fd_anon = 3,
          .fd_other = 2,
          .utime_ns = 500'000'000 * s,
          .stime_ns = 100'000'000 * s,
          .voluntary_switches = 50 * s,
          .involuntary_switches = 9 * s,
          .read_bytes = 4096 * s,
          .written_bytes = 8192 * s};
}

inline FunctionStats sample_timed_function() {
  FunctionStats f;
  f.name = "getCommand";
  f.aliases = {"getCommandAlias", "other;name"};
  f.module = 0;
  f.addr = 0x4a210;
  f.size_bytes = 120;
  f.exit = ExitMode::kUretprobe;
  f.calls = 1000;
  f.returns = 997;
  f.unwound = 1;
  f.running = 1;
  f.untimed = 1;
  f.tail_exits = 5;
  f.total_ns = 1'994'000;
  f.self_ns = 1'200'000;
  f.sum_ns = 1'994'000;
  f.min_ns = 900;
  f.max_ns = 61'000;
  f.probe_cost_ns = 1450;
  f.histogram = {{108, 500}, {128, 400}, {160, 90}, {200, 7}};
  return f;
}

inline FunctionStats sample_entry_only_function() {
  FunctionStats f;
  f.name = "_ZN4demo6Server6handleERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE";
  f.module = 1;
  f.addr = 0xffffffff81000000U;
  f.size_bytes = 64;
  f.exit = ExitMode::kEntryOnly;
  f.calls = 250;
  f.untimed = 250;
  f.probe_cost_ns = 800;
  return f;
}

inline Recording sample_recording() {
  Recording r;
  r.tool_version = "0.1.0";
  r.start_unix_ns = 1'763'700'000'000'000'000U;
  r.duration_ns = 5'000'000'000U;
  r.finished = true;
  r.host = {"6.18.0", "x86_64", "box", "Example CPU", 2, 8ULL << 30};
  r.target = {.pid = 4242,
              .comm = "redis-server",
              .exe = "/usr/bin/redis-server",
              .cmdline = "redis-server *:6379",
              .build_id = "0123456789abcdef",
              .start_ticks = 77,
              .launched = true,
              .exit_status = 256,
              .ended_by = "target exit"};
  r.sample_hz = 99;
  r.sample_event = "cpu-clock";
  r.probe_mechanism = "uprobe session";
  r.modules = {{0, ModuleKind::kElf, "/usr/bin/redis-server", "0123456789abcdef"},
               {1, ModuleKind::kElf, "/usr/lib/x86_64-linux-gnu/libc.so.6", "fedcba"},
               {2, ModuleKind::kKernel, "[kernel]", ""},
               {3, ModuleKind::kJit, "[jit]", ""},
               {4, ModuleKind::kVdso, "[vdso]", ""},
               {5, ModuleKind::kUnknown, "[unknown]", ""}};
  r.frames = {{0, 0, 0x1000, "main", 16},
              {1, 1, 0x2000, "__libc_start_call_main", 128},
              {2, 0, 0x1100, "_start", 37},
              {3, 0, 0x4a220, "getCommand", 16},
              {4, 2, 0xffffffff81234567U, "tcp_sendmsg", 7},
              {5, 1, 0x1234, "", 0},
              {6, 3, 0x7f0000001000U, "lua:\nloop;x", 3}};
  r.stacks = {{0, {3, 0, 1, 2}, false},
              {1, {4, 3, 0, 1, 2}, false},
              {2, {5, 0}, true},
              {3, {6, 3, 3, 0, 1, 2}, false}};
  r.threads = {{4242, 4242, "redis-server"}, {4242, 4243, "bio_close_file"}};
  r.cpu = {{0, 4242, 4242, 300},
           {0, 4242, 4243, 11},
           {1, 4242, 4242, 120},
           {2, 4242, 4243, 40},
           {3, 4242, 4242, 24}};
  r.functions = {sample_timed_function(), sample_entry_only_function()};
  r.spans = sample_spans();
  for (std::uint64_t s = 0; s <= 5; ++s) r.snapshots.push_back(sample_snapshot(s * 1'000'000'000));
  r.quality = {{"ring_full", 0, true, "events lost because the ring buffer was full"},
               {"stack_table_full", 0, true, "samples lost because the stack table was full"},
               {"idle_samples", 12, false, "samples of the idle task, not counted"}};
  r.notes = {"probed 2 functions by uprobe session", "libc.so.6: entry counts only: C++ unwinder"};
  return r;
}

}  // namespace callscope::test
