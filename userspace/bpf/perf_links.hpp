// SPDX-License-Identifier: Apache-2.0
// A program attached to a perf event on every CPU that is online. The links own the events.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "callscope/error.hpp"
#include "sys/fd.hpp"

struct bpf_link;
struct bpf_program;

namespace callscope {

struct PerfLinkDeleter {
  void operator()(bpf_link* link) const;
};
using PerfLinks = std::vector<std::unique_ptr<bpf_link, PerfLinkDeleter>>;

// Fails as open_event does.
Result<PerfLinks> attach_on_cpus(const bpf_program* program,
                                 const std::function<Result<Fd>(int cpu)>& open_event);

}  // namespace callscope
