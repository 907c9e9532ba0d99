// SPDX-License-Identifier: Apache-2.0
#include "realistic_recording.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "callscope/abi/histogram.h"
#include "tests/unit/sample_recording.hpp"

namespace callscope::test {
namespace {

constexpr std::uint32_t kSeconds = 60;
constexpr std::int32_t kMain = 7300;
constexpr std::uint64_t kSampleEvery = 16;

// What one function does: its own work, how much of its own time it sleeps, whom it calls.
struct Callee {
  std::size_t function;
  double calls;  // on average
};
struct Behaviour {
  const char* name;
  double self_ns;
  double spread;   // sigma of the logarithm
  double blocked;  // share of self time off CPU, asleep
  std::vector<Callee> callees;
};

enum Function : std::size_t {
  kHandle,
  kParse,
  kRoute,
  kAuth,
  kCacheGet,
  kQuery,
  kAcquire,
  kWait,
  kDecode,
  kRender,
  kTemplate,
  kCompress,
  kRespond,
  kLog,
  kCompact,
  kMerge,
  kSync,
  kHash,
  kCount
};

const std::vector<Behaviour>& behaviours() {
  static const std::vector<Behaviour> kAll = {
      {"http::Server::handle_request",
       9e3,
       0.3,
       0.01,
       {{kParse, 1},
        {kRoute, 1},
        {kAuth, 0.4},
        {kCacheGet, 1},
        {kQuery, 0.35},
        {kRender, 0.6},
        {kRespond, 1},
        {kLog, 1}}},
      {"http::Parser::parse_headers", 6e3, 0.25, 0, {}},
      {"http::Router::match", 2e3, 0.2, 0, {{kHash, 3}}},
      {"auth::verify_token", 45e3, 0.3, 0, {{kHash, 1}}},
      {"cache::LruCache<std::string, Entry>::get", 1.2e3, 0.5, 0.02, {{kHash, 1}}},
      {"db::Connection::query", 30e3, 0.3, 0.02, {{kAcquire, 1}, {kWait, 1.2}, {kDecode, 1}}},
      {"db::Pool::acquire", 2e3, 1.6, 0.6, {}},
      {"db::Socket::wait_readable", 900e3, 0.7, 0.97, {}},
      {"db::Row::decode", 25e3, 0.5, 0, {}},
      {"view::Page::render", 20e3, 0.3, 0, {{kTemplate, 2}, {kCompress, 0.5}}},
      {"view::Template::eval", 14e3, 0.4, 0, {}},
      {"zip::deflate_block", 180e3, 0.3, 0, {}},
      {"http::Connection::respond", 12e3, 0.5, 0.3, {}},
      {"log::Writer::append", 3e3, 0.6, 0.2, {{kSync, 0.004}}},
      {"store::Compactor::run_once", 400e3, 0.3, 0.1, {{kMerge, 6}, {kSync, 1}}},
      {"store::merge_runs", 2.5e6, 0.5, 0.05, {}},
      {"store::File::sync", 9e6, 0.8, 0.98, {}},
      {"util::hash_bytes", 180, 0.3, 0, {}},
  };
  return kAll;
}

class Simulation {
 public:
  explicit Simulation(Recording& recording) : r_(recording) {}

  void run() {
    for (std::uint32_t second = 0; second < kSeconds; ++second) {
      second_ = second;
      // In the middle the database gets slow.
      load_ = second >= 25 && second < 38 ? 6 : 1;
      for (int i = 0; i < 220; ++i) call(kHandle, CallNode::kNoParent, kMain + 1 + i % 3);
      if (second % 7 == 3) call(kCompact, CallNode::kNoParent, kMain + 9);
    }
    finish();
  }

 private:
  struct Times {
    std::uint64_t all = 0, blocked = 0, runq = 0;
  };

  std::uint32_t node_of(std::size_t function, std::uint32_t parent, std::int32_t tid) {
    const auto next = static_cast<std::uint32_t>(r_.call_nodes.size());
    const auto [known, added] = nodes_.try_emplace({function, parent, tid}, next);
    if (added) {
      r_.call_nodes.push_back({.id = next,
                               .parent = parent,
                               .function = static_cast<std::uint32_t>(function),
                               .tid = tid});
    }
    return known->second;
  }

  double noise(double spread) {
    return std::exp(std::normal_distribution<double>(0, spread)(random_));
  }

  Times call(std::size_t function, std::uint32_t parent, std::int32_t tid) {
    const Behaviour& b = behaviours()[function];
    const std::uint32_t id = node_of(function, parent, tid);
    const double slower = function == kWait || function == kAcquire ? load_ : 1;
    Times self;
    self.all = static_cast<std::uint64_t>(b.self_ns * slower * noise(b.spread)) + 1;
    self.blocked = static_cast<std::uint64_t>(static_cast<double>(self.all) * b.blocked);
    if (random_() % 50 == 0) {
      self.runq = 1 + random_() % 40'000;
      self.all += self.runq;
    }
    Times whole = self;
    const bool threw = function == kAuth && random_() % 16 == 0;
    for (const Callee& callee : b.callees) {
      auto times = static_cast<int>(callee.calls);
      if (std::uniform_real_distribution<double>(0, 1)(random_) < callee.calls - times) ++times;
      for (; times > 0; --times) {
        const Times below = call(callee.function, id, tid);
        whole.all += below.all;
        whole.blocked += below.blocked;
        whole.runq += below.runq;
      }
    }
    add(r_.call_nodes[id], self, whole, threw);
    add(r_.functions[function], self, whole, threw);
    if (threw) return whole;
    const std::uint32_t slot = cs_hist_slot(whole.all);
    ++histograms_[function][slot];
    ++columns_[{second_, function}][slot];
    if (function == kQuery && whole.all > 14'000'000) log_slow(whole, tid);
    return whole;
  }

  static void add(CallNode& n, const Times& self, const Times& whole, bool threw) {
    ++(threw ? n.unwound : n.calls);
    n.total_ns += whole.all;
    n.self_ns += self.all;
    n.max_ns = std::max(n.max_ns, whole.all);
    n.blocked_ns += whole.blocked;
    n.runq_ns += whole.runq;
    n.self_blocked_ns += self.blocked;
    n.self_runq_ns += self.runq;
  }

  static void add(FunctionStats& f, const Times& self, const Times& whole, bool threw) {
    ++f.calls;
    f.total_ns += whole.all;
    f.self_ns += self.all;
    f.blocked_ns += whole.blocked;
    f.runq_ns += whole.runq;
    f.self_blocked_ns += self.blocked;
    f.self_runq_ns += self.runq;
    if (threw) {
      ++f.unwound;
      ++f.threw;
      return;
    }
    ++f.returns;
    f.sum_ns += whole.all;
    f.min_ns = f.min_ns == 0 ? whole.all : std::min(f.min_ns, whole.all);
    f.max_ns = std::max(f.max_ns, whole.all);
  }

  void log_slow(const Times& whole, std::int32_t tid) {
    r_.slow_calls.push_back(
        {.function = kQuery,
         .pid = kMain,
         .tid = tid,
         .t_ns = std::uint64_t{second_} * 1'000'000'000 + random_() % 900'000'000,
         .duration_ns = whole.all,
         .blocked_ns = whole.blocked,
         .runq_ns = whole.runq,
         .stack = 0,
         .args = {0x7f3a10000000U + random_() % 4096 * 64, 0x55d0c0ffee00U, random_() % 5000}});
  }

  void finish() {
    for (auto& [function, slots] : histograms_)
      r_.functions[function].histogram.assign(slots.begin(), slots.end());
    for (auto& [key, slots] : columns_)
      r_.latency_columns.push_back(
          {static_cast<std::uint32_t>(key.second), key.first, {slots.begin(), slots.end()}});
    // The hash was called too often to time every call of it.
    FunctionStats& hash = r_.functions[kHash];
    hash.skipped = hash.returns * (kSampleEvery - 1);
    hash.calls = hash.returns * kSampleEvery;
    hash.sample_every = kSampleEvery;
    for (auto& [slot, count] : hash.histogram) count *= kSampleEvery;
    for (std::uint64_t* const ns :
         {&hash.total_ns, &hash.self_ns, &hash.sum_ns, &hash.runq_ns, &hash.self_runq_ns})
      *ns *= kSampleEvery;
  }

  Recording& r_;
  std::mt19937 random_{42};
  std::uint32_t second_ = 0;
  double load_ = 1;
  std::map<std::tuple<std::size_t, std::uint32_t, std::int32_t>, std::uint32_t> nodes_;
  std::map<std::size_t, std::map<std::uint32_t, std::uint64_t>> histograms_;
  std::map<std::pair<std::uint32_t, std::size_t>, std::map<std::uint32_t, std::uint64_t>> columns_;
};

void add_functions(Recording& r) {
  for (std::size_t i = 0; i < kCount; ++i) {
    FunctionStats& f = r.functions.emplace_back();
    f.name = behaviours()[i].name;
    f.addr = 0x10000 + 0x1000 * i;
    f.size_bytes = 0x800;
    f.site_addr = f.addr + 4;
    f.emulated_entry = i != kSync;
    f.emulated_exits = i % 3 == 0;
    f.exit = ExitMode::kRetSite;
    f.probe_cost_ns = f.emulated_exits ? 1350 : 5200;
  }
  r.functions[kDecode].inlined_copies = 3;
  const std::array<std::pair<const char*, std::uint64_t>, 6> others = {
      {{"malloc", 812'331},
       {"free", 811'902},
       {"read", 40'112},
       {"EVP_DigestUpdate", 9211},
       {"co_switch_stacks", 52'000},
       {"never_called", 0}}};
  for (const auto& [name, calls] : others) {
    FunctionStats& f = r.functions.emplace_back();
    f.name = name;
    f.module = f.name == "co_switch_stacks" || f.name == "never_called" ? 0 : 1;
    f.addr = 0x90000 + 0x1000 * r.functions.size();
    f.size_bytes = 0x900;
    f.site_addr = f.addr;
    f.emulated_entry = true;
    f.probe_cost_ns = 820;
    f.calls = calls;
    if (f.name == "malloc" || f.name == "free") {
      f.exit = ExitMode::kRetSite;
      f.returns = calls / 64;
      f.skipped = calls - f.returns;
      f.sample_every = 64;
      f.untimed_ns = 1'200'000'000;
      f.detached_ns = f.name == "free" ? 3'400'000'000 : 0;
      f.total_ns = f.self_ns = f.sum_ns = calls * 78;
      f.min_ns = 31;
      f.max_ns = 48'000;
      f.histogram = {{40, calls / 2}, {52, calls - calls / 2 - 64}, {190, 64}};
    } else if (calls > 0) {
      f.exit = ExitMode::kEntryOnly;
      f.untimed = calls;
    }
  }
}

void add_samples(Recording& r) {
  const auto frame = [&](std::uint32_t module, std::uint64_t addr, const std::string& name) {
    const auto id = static_cast<std::uint32_t>(r.frames.size());
    r.frames.push_back({id, module, addr, name, 8});
    return id;
  };
  std::vector<std::uint32_t> of;
  for (const FunctionStats& f : r.functions) of.push_back(frame(f.module, f.addr + 8, f.name));
  const std::uint32_t start = frame(1, 0x2000, "start_thread");
  const std::uint32_t loop = frame(0, 0x3000, "http::Worker::loop");
  const std::uint32_t recv = frame(2, 0xffffffff81000100U, "tcp_recvmsg");
  struct Line {
    std::vector<std::uint32_t> frames;
    std::uint64_t count, slow;
  };
  const std::uint32_t handle = of[kHandle];
  const std::vector<Line> lines = {
      {{of[kQuery], handle, loop, start}, 55, 30},
      {{of[kCompress], of[kRender], handle, loop, start}, 720, 0},
      {{of[kTemplate], of[kRender], handle, loop, start}, 210, 0},
      {{of[kCount + 3], of[kAuth], handle, loop, start}, 190, 0},
      {{of[kCount], of[kDecode], of[kQuery], handle, loop, start}, 130, 41},
      {{recv, of[kWait], of[kQuery], handle, loop, start}, 88, 60},
      {{of[kMerge], of[kCompact], start}, 160, 0},
      {{of[kHash], of[kRoute], handle, loop, start}, 35, 0}};
  for (const Line& line : lines) {
    const auto id = static_cast<std::uint32_t>(r.stacks.size());
    r.stacks.push_back({id, line.frames, false});
    r.cpu.push_back({id, kMain, kMain + 1, line.count, line.slow});
  }
}

}  // namespace

Recording realistic_recording() {
  Recording r = sample_recording();
  r.functions.clear();
  r.call_nodes.clear();
  r.latency_columns.clear();
  r.slow_calls.clear();
  r.frames.clear();
  r.stacks.clear();
  r.cpu.clear();
  r.duration_ns = std::uint64_t{kSeconds} * 1'000'000'000;
  r.target = {.pid = kMain,
              .comm = "webshop",
              .exe = "/usr/bin/redis-server",
              .cmdline = "/srv/webshop/bin/webshop --port 8080",
              .build_id = "5f0cc1",
              .exit_status = {},
              .ended_by = "duration"};
  r.processes = {{.pid = kMain, .comm = "webshop", .timed = true}};
  r.threads = {{kMain, kMain + 1, "worker-1"},
               {kMain, kMain + 2, "worker-2"},
               {kMain, kMain + 3, "worker-3"},
               {kMain, kMain + 9, "compactor"}};
  r.budget_percent = 5;
  r.notes = {"the program unwinds its stack: calls end at ret instructions, not by return probes",
             "free: its probes alone would take 7.1 % of a CPU: detached after 3.4 s"};
  r.quality = {{"ring_full", 0, true, "events lost because the ring buffer was full"}};
  add_functions(r);
  Simulation(r).run();
  add_samples(r);
  return r;
}

}  // namespace callscope::test
