// SPDX-License-Identifier: Apache-2.0
// Owns the calls BPF object: load, attach, enable, control, read, stop. Members are destroyed in
// the order heartbeat, probes, ring, views, skeleton, as the kernel needs it. One thread calls.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "bpf/call_links.hpp"
#include "bpf/shared_array.hpp"
#include "bpf/unwind_maps.hpp"
#include "bpf/uprobe_set.hpp"
#include "callscope/abi/call_records.h"
#include "callscope/abi/calls.h"
#include "callscope/abi/histogram.h"
#include "callscope/abi/process.h"
#include "callscope/abi/stats.h"
#include "callscope/error.hpp"

struct calls_bpf;
struct ring_buffer;

namespace callscope {

class CallsProgram {
 public:
  struct Options {
    std::uint32_t tgid = 0;
    std::uint32_t max_functions = 1;
    std::uint32_t max_contexts = 0;  // nodes of the call tree beyond one for each function
    std::uint32_t cpus = 1;
    ProbeMechanism mechanism = ProbeMechanism::kSession;
    bool by_thread = false;
    bool follow_children = true;
    bool log_slow = false;  // else no threshold of a function has an effect
    double budget = 0;      // share of a CPU that one function's probes may take in a burst; 0: all
    std::uint32_t ring_bytes = 256U << 10;  // power of two, at least a page
    // For the callers of slow calls, read by load() only; null: none is found but the first.
    const UnwindMaps* unwind = nullptr;
  };
  // Both views are valid during the call only. Empty functions: such records are ignored.
  struct Handlers {
    std::function<void(const cs_call_event&)> event;
    std::function<void(const cs_slow_record&)> slow;
    std::function<void(const cs_process_record&)> process;
  };

  // Loads the programs that the mechanism needs; kUnsupported: try the next mechanism.
  static Result<CallsProgram> load(const Options& options, Handlers handlers = {});
  CallsProgram(CallsProgram&&) noexcept;
  CallsProgram& operator=(CallsProgram&&) noexcept;
  ~CallsProgram();

  // Replaces those of load().
  void set_handlers(Handlers handlers) { *handlers_ = std::move(handlers); }

  // Before enable(): counts one process that is no target, until end_trial(), which forgets what
  // was lost meanwhile. Its functions must be numbers that no target's function has.
  void begin_trial(std::uint32_t tgid);
  void end_trial();
  // As BPF_LINK_GET_NEXT_ID and the like tell them.
  [[nodiscard]] std::set<std::uint32_t> program_ids() const;
  // Links that somebody else owns. The program must outlive their attach(), not them.
  [[nodiscard]] std::unique_ptr<CallLinks> separate_links() const;

  void enable();
  // Stops counting, removes the probes, then counts the calls that are still open.
  Result<void> stop();

  [[nodiscard]] int ring_fd() const;  // readable (epoll) when records wait
  void drain();                       // calls the handlers for all waiting records

  // Processes beside the first one whose events count. kInternal: too many.
  Result<void> add_target(std::uint32_t tgid);

  [[nodiscard]] CallLinks& links() { return *links_; }
  // func < max_functions.
  [[nodiscard]] cs_func_ctl& control(std::uint32_t func) const {
    return controls_->writable_at<cs_func_ctl>(func);
  }

  // Changes of the targets' code so far. Each process that changed gets no return probe until
  // release() says that it was judged as it was at that change, 0 if it is not held.
  [[nodiscard]] std::uint32_t code_changes() const;
  [[nodiscard]] std::uint32_t held_since(std::uint32_t tgid) const;
  void release(std::uint32_t tgid, std::uint32_t change);
  // All up to this one were looked at.
  void judged(std::uint32_t changes);

  // Nodes of the call tree: 0 .. max_functions-1 and max_functions .. max_functions+contexts()-1.
  [[nodiscard]] std::uint32_t contexts() const;
  [[nodiscard]] const cs_call_node_info& node_info(std::uint32_t node) const;
  // Sums over all shards.
  [[nodiscard]] cs_call_stats stats(std::uint32_t node) const;
  [[nodiscard]] std::vector<std::pair<std::uint32_t, std::uint64_t>> histogram(
      std::uint32_t func) const;
  [[nodiscard]] std::uint64_t counter(cs_stat reason) const;
  [[nodiscard]] const Options& options() const { return options_; }

 private:
  struct SkeletonDeleter {
    void operator()(calls_bpf* skeleton) const;
  };
  struct RingDeleter {
    void operator()(ring_buffer* ring) const;
  };
  explicit CallsProgram(const Options& options);
  [[nodiscard]] std::uint32_t max_nodes() const {
    return options_.max_functions + options_.max_contexts;
  }
  [[nodiscard]] CallLinks::Programs programs() const;
  Result<void> map_arrays();
  Result<void> count_running();

  Options options_;
  std::uint32_t shards_ = 1;
  std::unique_ptr<Handlers> handlers_;  // the ring keeps its address
  std::unique_ptr<calls_bpf, SkeletonDeleter> skeleton_;
  SharedArray stats_;
  SharedArray histograms_;
  SharedArray nodes_info_;
  std::unique_ptr<SharedArray> controls_;  // links_ keeps its address
  std::unique_ptr<ring_buffer, RingDeleter> ring_;
  std::unique_ptr<CallLinks> links_;
  std::jthread heartbeat_;  // tells BPF that we live; stopped and joined first
};

}  // namespace callscope
