// SPDX-License-Identifier: Apache-2.0
// The attached probes of the calls object, in groups of functions, so that a few functions can be
// changed while all others go on: the group is attached again without them under the other
// generation, the generation of its functions is flipped, and the old links go. Owns the links;
// destroying it removes every probe. The programs and the control array must outlive it. One
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "bpf/link_reaper.hpp"
#include "bpf/shared_array.hpp"
#include "bpf/uprobe_set.hpp"
#include "callscope/abi/calls.h"
#include "callscope/error.hpp"

struct bpf_program;

namespace callscope {

// A jump to a function whose exits are probed in its stead. When these go, the probe comes here.
struct TailJump {
  Probe probe;
  std::uint32_t callee = 0;  // a function of its own
};

// Where to put the probes, cookies already set (abi/call_cookie.h) but for the generation.
struct CallProbes {
  std::vector<Probe> return_probed;       // entries that get a return probe at the same place
  std::vector<Probe> sites;               // all others: entries, counts, exits
  std::vector<TailJump> tail_jumps = {};  // not attached

  [[nodiscard]] bool empty() const { return return_probed.empty() && sites.empty(); }
  [[nodiscard]] std::size_t size() const { return return_probed.size() + sites.size(); }
};

class CallLinks {
 public:
  struct Programs {
    bpf_program* session = nullptr;  // with kSession; else entry and returned
    bpf_program* entry = nullptr;
    bpf_program* returned = nullptr;
    bpf_program* site = nullptr;
  };

  // controls: one cs_func_ctl for each function, writable.
  CallLinks(const Programs& programs, ProbeMechanism mechanism, const SharedArray& controls)
      : programs_(programs), mechanism_(mechanism), controls_(&controls) {}

  // Adds probes in one process, but for those that are there and those of functions that were
  // removed. kUnsupported: no such mechanism. What the kernel refuses is listed in failures(), the
  // rest is attached.
  Result<void> attach(std::int32_t pid, CallProbes probes);
  // Attaches in `to` what is attached in `from`, whose files it has mapped as well. kIo: it is
  // gone.
  Result<void> copy_process(std::int32_t from, std::int32_t to);
  void remove_process(std::int32_t pid);
  // Removes all probes; returns when no program runs any more.
  void clear();

  using Functions = std::set<std::uint32_t>;
  // Takes all probes of these functions away, in every process, and those of tail callees that no
  // other function jumps to.
  Result<void> remove(const Functions& functions);
  // Leaves of their probes the entries, which count calls and no more; tail callees as above.
  Result<void> count_only(const Functions& functions);
  // Their return probes become these sites, which replace the sites that they had.
  Result<void> replace_return_probes(std::int32_t pid, const Functions& functions,
                                     const CallProbes& sites);

  [[nodiscard]] const std::vector<ProbeFailure>& failures() const { return failures_; }

 private:
  struct Part {  // a group in one process
    std::int32_t pid = 0;
    CallProbes probes;
    std::vector<UprobeSet> links;
  };
  using Group = std::vector<Part>;
  using Numbers = std::set<std::uint32_t>;  // into groups_

  void retire(std::vector<UprobeSet>& sets);
  std::uint32_t group_of(std::uint32_t func, std::size_t functions_per_group);
  std::map<std::uint32_t, CallProbes> by_group(CallProbes probes);
  Result<std::vector<UprobeSet>> link(const Part& part, bool flipped);
  [[nodiscard]] Numbers groups_with(const Functions& functions) const;
  Functions shed(const Numbers& numbers);
  Result<void> shed_all(Functions functions);
  Result<void> relink(const Numbers& numbers);
  void set_takeover(const Numbers& numbers, cs_takeover step);

  Programs programs_;
  ProbeMechanism mechanism_;
  const SharedArray* controls_;
  std::map<std::uint32_t, std::uint32_t> group_of_function_;
  std::size_t last_group_size_ = 0;
  std::vector<Group> groups_;  // 0: probes of no function
  Functions removed_;
  Functions counted_;  // no more than counted
  std::vector<ProbeFailure> failures_;
  LinkReaper reaper_;
};

}  // namespace callscope
