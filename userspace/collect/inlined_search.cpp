// SPDX-License-Identifier: Apache-2.0
#include "collect/inlined_search.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <set>

#include "collect/probe_plan.hpp"
#include "symbols/debug_info.hpp"
#include "sys/clock.hpp"

namespace callscope {
namespace {

// Enough for some GB of debug information; ends a search that damaged bytes lead in circles.
constexpr std::uint64_t kMaxSearchNs = 30'000'000'000;
constexpr int kNiceness = 10;  // the target goes first

struct Job {
  std::string path;
  const ModuleImage* image = nullptr;     // owned by the symbolizer's cache, where it stays
  std::vector<FunctionPattern> patterns;  // those that name this module
};

struct Search {
  std::vector<Job> jobs;
  std::vector<TargetRoot> roots;  // of the target and ours: where debug files are looked for
};

Result<InlinedFunctions> search_module(const Search& search, const Job& job,
                                       const InlinedLimits& limits) {
  std::vector<const TargetRoot*> roots;
  for (const TargetRoot& root : search.roots) roots.push_back(&root);
  const Result<std::optional<DebugInfo>> debug = DebugInfo::open(*job.image, job.path, roots);
  if (!debug) return std::unexpected(debug.error());
  if (!*debug) return fail(ErrorCode::kNotFound, "there is no debug information");
  const NameFilter wanted = [&job](std::string_view name) {
    return std::ranges::any_of(job.patterns, [name](const FunctionPattern& pattern) {
      return pattern.matches_name(name);
    });
  };
  return find_inlined((*debug)->dwarf(), wanted, limits);
}

std::vector<ModuleInlines> run(const Search& search, const std::stop_token& stop) {
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness);
  const InlinedLimits limits{.deadline_ns = monotonic_ns() + kMaxSearchNs, .stop = stop};
  std::vector<ModuleInlines> results;
  for (const Job& job : search.jobs) {
    if (stop.stop_requested()) {
      InlinedFunctions nothing;
      nothing.complete = false;
      results.push_back({job.path, job.image->build_id(), std::move(nothing)});
      continue;
    }
    results.push_back({job.path, job.image->build_id(), search_module(search, job, limits)});
  }
  return results;
}

}  // namespace

InlinedSearch InlinedSearch::start(std::int32_t pid, const Symbolizer& symbolizer,
                                   std::span<const FunctionPattern> patterns) {
  Search search;
  std::set<const CachedModule*> seen;
  const CachedModule* const exe = executable_module(pid, symbolizer);
  if (const ProcessMaps* const process = symbolizer.process(pid))
    for (const CodeMapping& code : process->mappings()) {
      CachedModule* const module = code.module;
      if (module == nullptr || code.mapping.inode == 0 || !seen.insert(module).second) continue;
      Job job{module->path(), nullptr, {}};
      std::ranges::copy_if(patterns, std::back_inserter(job.patterns),
                           [&](const FunctionPattern& pattern) {
                             return pattern.matches_module(module->path(), module == exe);
                           });
      if (job.patterns.empty()) continue;
      job.image = module->image();
      if (job.image != nullptr) search.jobs.push_back(std::move(job));
    }
  if (Result<TargetRoot> root = TargetRoot::of_process(pid))
    search.roots.push_back(std::move(*root));
  if (Result<TargetRoot> root = TargetRoot::host()) search.roots.push_back(std::move(*root));

  std::promise<std::vector<ModuleInlines>> promise;
  std::future<std::vector<ModuleInlines>> found = promise.get_future();
  std::jthread thread([search = std::move(search),
                       promise = std::move(promise)](const std::stop_token& stop) mutable {
    promise.set_value(run(search, stop));
  });
  return {std::move(found), std::move(thread)};
}

std::vector<ModuleInlines> InlinedSearch::finish(std::uint64_t patience_ns) {
  if (found_.wait_for(std::chrono::nanoseconds(patience_ns)) != std::future_status::ready)
    thread_.request_stop();
  return found_.get();
}

}  // namespace callscope
