// SPDX-License-Identifier: Apache-2.0
#include "bpf/call_links.hpp"

#include <algorithm>

#include "callscope/abi/call_cookie.h"
#include "callscope/abi/calls.h"

namespace callscope {
namespace {

// A link takes time to close, a group is lost for its open calls when it changes: a few functions
// get one link each, many share them.
constexpr std::size_t kGroups = 16;

std::uint32_t func_of(const Probe& probe) { return cs_cookie_func(probe.cookie); }

std::size_t count_functions(const CallProbes& probes) {
  std::set<std::uint32_t> functions;
  for (const auto* list : {&probes.return_probed, &probes.sites})
    for (const Probe& probe : *list) functions.insert(func_of(probe));
  return functions.size();
}

bool is_entry(const Probe& probe) {
  const std::uint32_t kind = cs_cookie_kind(probe.cookie);
  return kind == CS_PROBE_ENTRY || kind == CS_PROBE_COUNT;
}

// An entry probe that only counts stands wherever the timed one stood.
Probe counted(Probe probe) {
  constexpr std::uint64_t kKindMask = 0xfULL << 24;
  probe.cookie = (probe.cookie & ~kKindMask) | cs_cookie(CS_PROBE_COUNT, 0, 0);
  return probe;
}

}  // namespace

std::uint32_t CallLinks::group_of(std::uint32_t func, std::size_t functions_per_group) {
  if (func == CS_NO_FUNCTION) return 0;
  const auto [known, added] = group_of_function_.try_emplace(func, 0);
  if (!added) return known->second;
  if (groups_.size() < 2 || last_group_size_ >= functions_per_group) {
    groups_.emplace_back();
    last_group_size_ = 0;
  }
  ++last_group_size_;
  return known->second = static_cast<std::uint32_t>(groups_.size() - 1);
}

Result<void> CallLinks::attach(std::int32_t pid, CallProbes probes) {
  if (groups_.empty()) groups_.emplace_back();
  last_group_size_ = SIZE_MAX;  // functions that come later change apart from earlier ones
  const std::size_t per_group = (count_functions(probes) + kGroups - 1) / kGroups;
  std::map<std::uint32_t, CallProbes> split;
  for (Probe& probe : probes.return_probed)
    split[group_of(func_of(probe), per_group)].return_probed.push_back(std::move(probe));
  for (Probe& probe : probes.sites)
    split[group_of(func_of(probe), per_group)].sites.push_back(std::move(probe));
  for (auto& [number, part_probes] : split) {
    Part part{pid, std::move(part_probes), {}};
    Result<std::vector<UprobeSet>> links = link(part, false);
    if (!links) return std::unexpected(links.error());
    part.links = std::move(*links);
    groups_[number].push_back(std::move(part));
  }
  return {};
}

// flipped: with the generation that its functions do not have yet.
Result<std::vector<UprobeSet>> CallLinks::link(const Part& part, bool flipped) {
  const auto with_generation = [&](const std::vector<Probe>& probes) {
    std::vector<Probe> list = probes;
    for (Probe& probe : list) {
      if (func_of(probe) == CS_NO_FUNCTION) continue;
      const bool set = controls_->at<cs_func_ctl>(func_of(probe)).generation != 0;
      if (set != flipped) probe.cookie |= CS_COOKIE_GENERATION;
    }
    return list;
  };
  std::vector<UprobeSet> links;
  const auto add = [&](bpf_program* program, UprobeLinkKind kind,
                       const std::vector<Probe>& probes) -> Result<void> {
    if (probes.empty()) return {};
    CS_TRY(links.emplace_back(part.pid).attach(program, kind, mechanism_, probes));
    const std::vector<ProbeFailure>& refused = links.back().failures();
    failures_.insert(failures_.end(), refused.begin(), refused.end());
    return {};
  };
  CS_TRY(add(programs_.site, UprobeLinkKind::kEntry, with_generation(part.probes.sites)));
  const std::vector<Probe> returned = with_generation(part.probes.return_probed);
  if (mechanism_ == ProbeMechanism::kSession) {
    CS_TRY(add(programs_.session, UprobeLinkKind::kSession, returned));
  } else {
    CS_TRY(add(programs_.returned, UprobeLinkKind::kReturn, returned));
    CS_TRY(add(programs_.entry, UprobeLinkKind::kEntry, returned));
  }
  return links;
}

Result<void> CallLinks::copy_process(std::int32_t from, std::int32_t to) {
  for (Group& group : groups_) {
    const auto original = std::ranges::find(group, from, &Part::pid);
    if (original == group.end()) continue;
    Part part{to, original->probes, {}};
    Result<std::vector<UprobeSet>> links = link(part, false);
    if (!links) return std::unexpected(links.error());
    part.links = std::move(*links);
    group.push_back(std::move(part));
  }
  return {};
}

// The breakpoints go at once, the links when the kernel lets them.
void CallLinks::retire(std::vector<UprobeSet>& sets) {
  std::vector<Fd> links;
  for (UprobeSet& set : sets)
    for (Fd& link : set.release_links()) links.push_back(std::move(link));
  sets.clear();
  reaper_.close(std::move(links));
}

void CallLinks::remove_process(std::int32_t pid) {
  for (Group& group : groups_) {
    for (Part& part : group)
      if (part.pid == pid) retire(part.links);
    std::erase_if(group, [&](const Part& part) { return part.pid == pid; });
  }
}

void CallLinks::clear() {
  std::vector<UprobeSet> all;
  for (Group& group : groups_)
    for (Part& part : group)
      for (UprobeSet& set : part.links) all.push_back(std::move(set));
  groups_.clear();
  retire(all);
  reaper_.wait();
}

Result<void> CallLinks::change(const Functions& functions, const Change& change) {
  std::set<std::uint32_t> numbers;
  for (const std::uint32_t func : functions)
    if (const auto known = group_of_function_.find(func); known != group_of_function_.end())
      numbers.insert(known->second);
  for (const std::uint32_t number : numbers) {
    Group& group = groups_[number];
    std::vector<std::vector<UprobeSet>> fresh;
    for (Part& part : group) {
      change(part);
      Result<std::vector<UprobeSet>> links = link(part, true);
      if (!links) return std::unexpected(links.error());
      fresh.push_back(std::move(*links));
    }
    for (const auto& [func, its_group] : group_of_function_)
      if (its_group == number) controls_->writable_at<cs_func_ctl>(func).generation ^= 1;
    for (std::size_t i = 0; i < group.size(); ++i) {
      retire(group[i].links);
      group[i].links = std::move(fresh[i]);
    }
  }
  return {};
}

Result<void> CallLinks::remove(const Functions& functions) {
  return change(functions, [&](Part& part) {
    const auto is_one = [&](const Probe& probe) { return functions.contains(func_of(probe)); };
    std::erase_if(part.probes.return_probed, is_one);
    std::erase_if(part.probes.sites, is_one);
  });
}

Result<void> CallLinks::count_only(const Functions& functions) {
  return change(functions, [&](Part& part) {
    const auto is_one = [&](const Probe& probe) { return functions.contains(func_of(probe)); };
    std::erase_if(part.probes.sites,
                  [&](const Probe& probe) { return is_one(probe) && !is_entry(probe); });
    for (Probe& probe : part.probes.sites)
      if (is_one(probe)) probe = counted(std::move(probe));
    for (const Probe& probe : part.probes.return_probed)
      if (is_one(probe)) part.probes.sites.push_back(counted(probe));
    std::erase_if(part.probes.return_probed, is_one);
  });
}

Result<void> CallLinks::replace_return_probes(std::int32_t pid, const Functions& functions,
                                              std::span<const Probe> sites) {
  return change(functions, [&](Part& part) {
    const auto is_one = [&](const Probe& probe) { return functions.contains(func_of(probe)); };
    if (part.pid != pid) return;
    std::set<std::uint32_t> here;
    for (const Probe& probe : part.probes.return_probed)
      if (is_one(probe)) here.insert(func_of(probe));
    std::erase_if(part.probes.return_probed, is_one);
    for (const Probe& probe : sites)
      if (here.contains(func_of(probe))) part.probes.sites.push_back(probe);
  });
}

}  // namespace callscope
