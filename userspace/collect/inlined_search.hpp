// SPDX-License-Identifier: Apache-2.0
// Looks for inlined copies of the functions that -f asks for, whose calls no probe sees, in the
// debug information of the target's modules or their separate debug files. Works in a thread of low
// priority beside the recording; finish() ends it in time and says when it did not get through. The
// thread reads module images that belong to the Symbolizer, which must outlive the search.
#pragma once

#include <cstdint>
#include <future>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "probes/pattern.hpp"
#include "symbols/inlined_functions.hpp"
#include "symbols/symbolizer.hpp"

namespace callscope {

// What one module's debug information says. kNotFound: it has none.
struct ModuleInlines {
  std::string path;  // as the target sees it
  std::string build_id;
  Result<InlinedFunctions> found;
};

class InlinedSearch {
 public:
  // The symbolizer must have been refreshed for pid. Modules that no pattern names are left alone.
  static InlinedSearch start(std::int32_t pid, const Symbolizer& symbolizer,
                             std::span<const FunctionPattern> patterns);

  // Waits no longer than about so long; what was found until then. To be called once.
  std::vector<ModuleInlines> finish(std::uint64_t patience_ns);

 private:
  InlinedSearch(std::future<std::vector<ModuleInlines>> found, std::jthread thread)
      : found_(std::move(found)), thread_(std::move(thread)) {}

  std::future<std::vector<ModuleInlines>> found_;
  std::jthread thread_;  // stopped and joined first
};

}  // namespace callscope
