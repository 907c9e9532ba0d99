// SPDX-License-Identifier: Apache-2.0
// Decides where spans are probed: what --span and -f usdt: ask for and the target's modules in,
// probes with their sites (abi/spans.h) and one SpanStats for each row out. Knows nothing of BPF.
// Every exit is a probe on a ret or tail jump, never a return probe, so it is safe in any target.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bpf/uprobe_set.hpp"
#include "callscope/abi/spans.h"
#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "probes/span_spec.hpp"
#include "symbols/symbolizer.hpp"

namespace callscope {

struct SpanPlan {
  std::vector<Probe> probes;  // cookie = index of its site
  std::vector<cs_span_site> sites;
  std::vector<SpanStats> rows;  // spans, then counted markers; those by name come later
  std::uint32_t n_spans = 0;    // of the rows
  bool named = false;           // there are sites of spans by name
  std::uint64_t thread_keyed = 0;
  std::vector<std::string> notes;
};

// The symbolizer must have been refreshed for pid. kUsage when a point is none or several, with the
// candidates; kUnsupported when it cannot be probed, with the reason.
Result<SpanPlan> plan_spans(std::int32_t pid, Symbolizer& symbolizer, const SpanRequest& request);

}  // namespace callscope
