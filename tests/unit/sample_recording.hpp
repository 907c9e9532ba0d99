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
  f.file = "/src/t_string.c";
  f.line = 82;
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
  f.site_addr = 0x4a214;
  f.emulated_entry = true;
  f.inlined_copies = 2;
  f.threw = 1;
  f.blocked_ns = 500'000;
  f.runq_ns = 94'000;
  f.self_blocked_ns = 300'000;
  f.self_runq_ns = 60'000;
  return f;
}

// One call in four was timed, until the budget ended that and then took its probes away.
inline FunctionStats sample_sampled_function() {
  FunctionStats f;
  f.name = "setCommand";
  f.module = 0;
  f.addr = 0x4b000;
  f.size_bytes = 256;
  f.exit = ExitMode::kRetSite;
  f.site_addr = 0x4b001;
  f.emulated_entry = f.emulated_exits = true;
  f.calls = 8000;
  f.returns = 1990;
  f.unwound = 10;
  f.threw = 8;
  f.untimed = 10;
  f.skipped = 5990;
  f.sample_every = 4;
  f.untimed_ns = 3'900'000'000;
  f.attached_ns = 400'000'000;
  f.detached_ns = 4'300'000'000;
  f.total_ns = 1'990'000;
  f.self_ns = 1'296'000;
  f.sum_ns = 1'990'000;
  f.min_ns = 112;
  f.max_ns = 2200;
  f.probe_cost_ns = 1100;
  f.runq_ns = 190'000;
  f.self_runq_ns = 150'000;
  f.histogram = {{60, 7900}, {129, 60}};
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

// getCommand called by setCommand, by nobody that is probed, in two threads, and by itself.
inline void add_sample_calls(Recording& r) {
  r.calls_by_thread = true;
  r.call_nodes = {{.id = 0,
                   .function = 2,
                   .tid = 4242,
                   .calls = 1990,
                   .unwound = 10,
                   .total_ns = 1'990'000,
                   .self_ns = 1'296'000,
                   .max_ns = 2200,
                   .runq_ns = 190'000,
                   .self_runq_ns = 150'000},
                  {.id = 1,
                   .parent = 0,
                   .function = 0,
                   .tid = 4242,
                   .calls = 397,
                   .total_ns = 694'000,
                   .self_ns = 400'000,
                   .max_ns = 61'000,
                   .blocked_ns = 200'000,
                   .runq_ns = 40'000,
                   .self_blocked_ns = 100'000,
                   .self_runq_ns = 40'000},
                  {.id = 2,
                   .function = 0,
                   .tid = 4242,
                   .calls = 500,
                   .unwound = 1,
                   .total_ns = 1'000'000,
                   .self_ns = 500'000,
                   .max_ns = 40'000,
                   .blocked_ns = 300'000,
                   .runq_ns = 54'000,
                   .self_blocked_ns = 200'000,
                   .self_runq_ns = 20'000},
                  {.id = 3,
                   .function = 0,
                   .tid = 4243,
                   .calls = 90,
                   .total_ns = 300'000,
                   .self_ns = 250'000,
                   .max_ns = 9000},
                  {.id = 4,
                   .parent = 2,
                   .function = 0,
                   .tid = 4242,
                   .recursive = true,
                   .calls = 10,
                   .self_ns = 50'000,
                   .max_ns = 8000}};
  r.latency_columns = {{0, 0, {{108, 300}, {128, 200}, {200, 3}}},
                       {2, 0, {{60, 7900}}},
                       {0, 1, {{108, 150}, {128, 100}}},
                       {2, 1, {{129, 60}}},
                       {0, 4, {{108, 50}, {128, 100}, {160, 90}, {200, 4}}}};
  r.slow_calls = {{.function = 0,
                   .pid = 4242,
                   .tid = 4243,
                   .t_ns = 250'000'000,
                   .duration_ns = 45'000,
                   .blocked_ns = 30'000,
                   .runq_ns = 5000,
                   .stack = 0,
                   .args = {0x7f00deadbeefU, std::nullopt, ~std::uint64_t{0}}},
                  {.function = 2,
                   .pid = 4242,
                   .tid = 4242,
                   .t_ns = 1'500'000'000,
                   .duration_ns = 2200,
                   .stack = std::nullopt,
                   .args = {}},
                  {.function = 0,
                   .pid = 4242,
                   .tid = 4242,
                   .t_ns = 4'100'000'000U,
                   .duration_ns = 61'000,
                   .blocked_ns = 20'000,
                   .stack = 0,
                   .args = {0, 1, 2, 3, 4, std::nullopt}}};
}

// getCommand of the first stack was interrupted in lookupKey, which is inlined there.
inline void add_inlined_frame(Recording& recording) {
  recording.stacks[0].frames = {7, 3, 0, 1, 2};
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
  r.probe_costs = {400, 4200, 300, 350, 4100, 280};
  r.budget_percent = 5.5;
  r.processes = {{.pid = 4242, .comm = "redis-server", .timed = true},
                 {.pid = 4250,
                  .parent_pid = 4242,
                  .comm = "redis-rdb-bgsave",
                  .since_ns = 2'500'000'000U,
                  .timed = false}};
  r.modules = {{0, ModuleKind::kElf, "/usr/bin/redis-server", "0123456789abcdef"},
               {1, ModuleKind::kElf, "/usr/lib/x86_64-linux-gnu/libc.so.6", "fedcba"},
               {2, ModuleKind::kKernel, "[kernel]", ""},
               {3, ModuleKind::kJit, "[jit]", ""},
               {4, ModuleKind::kVdso, "[vdso]", ""},
               {5, ModuleKind::kUnknown, "[unknown]", ""},
               {6, ModuleKind::kPython, "/srv/app.py", ""}};
  r.frames = {{0, 0, 0x1000, "main", 16},
              {1, 1, 0x2000, "__libc_start_call_main", 128},
              {2, 0, 0x1100, "_start", 37},
              {3, 0, 0x4a220, "getCommand", 16},
              {4, 2, 0xffffffff81234567U, "tcp_sendmsg", 7},
              {5, 1, 0x1234, "", 0},
              {6, 3, 0x7f0000001000U, "lua:\nloop;x", 3}};
  r.frames[0].file = "/src/server.c";
  r.frames[0].line = 7000;
  r.frames[3].file = "/src/t_string.c";
  r.frames[3].line = 96;
  // Inlined at getCommand's address, but in no stack: add_inlined_frame puts it there.
  r.frames.push_back({7, 0, 0x4a220, "lookupKey", 0, "/src/db.c", 77, 1});
  r.stacks = {{0, {3, 0, 1, 2}, false},
              {1, {4, 3, 0, 1, 2}, false},
              {2, {5, 0}, true, StackEnd::kReadFault},
              {3, {6, 3, 3, 0, 1, 2}, false}};
  r.threads = {{4242, 4242, "redis-server"}, {4242, 4243, "bio_close_file"}};
  r.cpu = {{0, 4242, 4242, 300, 30},
           {0, 4242, 4243, 11, 0},
           {1, 4242, 4242, 120, 5},
           {2, 4242, 4243, 40, 0},
           {3, 4242, 4242, 24, 0}};
  r.off_cpu = true;
  r.waits = {{0, 4242, 4242, 7, 3'000'000'000U, 20'000'000},
             {1, 4242, 4242, 2, 0, 5'000'000},
             {2, 4242, 4243, 1, 1'500'000'000U, 0}};
  r.page_faults = true;
  r.faults = {{0, 4242, 4242, 2048}, {2, 4242, 4243, 16}};
  r.functions = {sample_timed_function(), sample_entry_only_function(), sample_sampled_function()};
  add_sample_calls(r);
  r.spans = sample_spans();
  for (std::uint64_t s = 0; s <= 5; ++s) r.snapshots.push_back(sample_snapshot(s * 1'000'000'000));
  r.quality = {{"ring_full", 0, true, "events lost because the ring buffer was full"},
               {"stack_table_full", 0, true, "samples lost because the stack table was full"},
               {"idle_samples", 12, false, "samples of the idle task, not counted"}};
  r.notes = {"probed 2 functions by uprobe session", "libc.so.6: entry counts only: C++ unwinder"};
  return r;
}

}  // namespace callscope::test
