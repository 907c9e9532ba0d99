// SPDX-License-Identifier: Apache-2.0
#include "bpf/call_links.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>

#include "callscope/abi/call_cookie.h"

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

// Takes out the probes of removed functions, and of the counted ones all but the entries. A jump to
// a removed tail callee is probed itself from now on.
void apply_shedding(CallProbes& probes, const CallLinks::Functions& removed,
                    const CallLinks::Functions& counted_only) {
  const auto is_removed = [&](const Probe& probe) { return removed.contains(func_of(probe)); };
  const auto is_counted = [&](const Probe& probe) { return counted_only.contains(func_of(probe)); };
  std::erase_if(probes.return_probed, is_removed);
  std::erase_if(probes.sites, [&](const Probe& probe) {
    return is_removed(probe) || (is_counted(probe) && !is_entry(probe));
  });
  std::erase_if(probes.tail_jumps, [&](const TailJump& jump) {
    return is_removed(jump.probe) || is_counted(jump.probe);
  });
  for (Probe& probe : probes.sites)
    if (is_counted(probe)) probe = counted(std::move(probe));
  for (const Probe& probe : probes.return_probed)
    if (is_counted(probe)) probes.sites.push_back(counted(probe));
  std::erase_if(probes.return_probed, is_counted);
  // In front, as exits stand before entries: both may be on one instruction.
  for (const TailJump& jump : probes.tail_jumps)
    if (removed.contains(jump.callee)) probes.sites.insert(probes.sites.begin(), jump.probe);
  std::erase_if(probes.tail_jumps,
                [&](const TailJump& jump) { return removed.contains(jump.callee); });
}

CallLinks::Functions callees_of(const CallProbes& probes) {
  CallLinks::Functions callees;
  for (const TailJump& jump : probes.tail_jumps) callees.insert(jump.callee);
  return callees;
}

// Several attached groups of functions may share a tail callee.
void drop_known(std::vector<Probe>& probes, const std::vector<Probe>& known) {
  const auto key = [](const Probe& probe) {
    return std::tuple(probe.cookie, probe.file_off, std::string_view(probe.path));
  };
  std::set<decltype(key(Probe{}))> there;
  for (const Probe& probe : known) there.insert(key(probe));
  std::erase_if(probes, [&](const Probe& probe) { return there.contains(key(probe)); });
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

std::map<std::uint32_t, CallProbes> CallLinks::by_group(CallProbes probes) {
  const std::size_t per_group = (count_functions(probes) + kGroups - 1) / kGroups;
  std::map<std::uint32_t, CallProbes> split;
  for (Probe& probe : probes.return_probed)
    split[group_of(func_of(probe), per_group)].return_probed.push_back(std::move(probe));
  for (Probe& probe : probes.sites)
    split[group_of(func_of(probe), per_group)].sites.push_back(std::move(probe));
  for (TailJump& jump : probes.tail_jumps)
    split[group_of(func_of(jump.probe), per_group)].tail_jumps.push_back(std::move(jump));
  return split;
}

Result<void> CallLinks::attach(std::int32_t pid, CallProbes probes) {
  if (groups_.empty()) groups_.emplace_back();
  last_group_size_ = SIZE_MAX;  // functions that come later change apart from earlier ones
  for (auto& [number, part_probes] : by_group(std::move(probes))) {
    apply_shedding(part_probes, removed_, counted_);
    for (const Part& there : groups_[number])
      if (there.pid == pid) drop_known(part_probes.sites, there.probes.sites);
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
      const bool set = controls_->at<cs_func_ctl>(func_of(probe)).generation == 1;
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

CallLinks::Numbers CallLinks::groups_with(const Functions& functions) const {
  Numbers numbers;
  for (const std::uint32_t func : functions)
    if (const auto known = group_of_function_.find(func); known != group_of_function_.end())
      numbers.insert(known->second);
  for (std::uint32_t number = 0; number < groups_.size(); ++number)
    for (const Part& part : groups_[number])
      for (const TailJump& jump : part.probes.tail_jumps)
        if (functions.contains(jump.callee)) numbers.insert(number);
  return numbers;
}

// Applies what was removed or is only counted now to these groups. The tail callees that nothing
// jumps to any more.
CallLinks::Functions CallLinks::shed(const Numbers& numbers) {
  Functions left_alone;
  for (const std::uint32_t number : numbers)
    for (Part& part : groups_[number]) {
      const Functions before = callees_of(part.probes);
      apply_shedding(part.probes, removed_, counted_);
      left_alone.insert(before.begin(), before.end());
    }
  for (const Group& group : groups_)
    for (const Part& part : group)
      for (const TailJump& jump : part.probes.tail_jumps) left_alone.erase(jump.callee);
  for (const std::uint32_t func : removed_) left_alone.erase(func);
  return left_alone;
}

Result<void> CallLinks::shed_all(Functions functions) {
  Numbers changed;
  while (!functions.empty()) {
    const Numbers numbers = groups_with(functions);
    changed.insert(numbers.begin(), numbers.end());
    functions = shed(numbers);
    removed_.insert(functions.begin(), functions.end());
  }
  return relink(changed);
}

Result<void> CallLinks::relink(const Numbers& numbers) {
  // A hit may be between the old and the new probe of a place for as long as this.
  constexpr auto kLongestHit = std::chrono::milliseconds(2);
  std::vector<std::pair<Part*, std::vector<UprobeSet>>> fresh;
  for (const std::uint32_t number : numbers)
    for (Part& part : groups_[number]) {
      Result<std::vector<UprobeSet>> links = link(part, true);
      if (!links) return std::unexpected(links.error());
      fresh.emplace_back(&part, std::move(*links));
    }
  for (const cs_takeover step : {CS_TAKEOVER_BEGINS, CS_TAKEOVER_BOTH, CS_TAKEOVER_ENDS}) {
    set_takeover(numbers, step);
    std::this_thread::sleep_for(kLongestHit);
  }
  set_takeover(numbers, CS_TAKEOVER_NONE);
  for (auto& [part, links] : fresh) {
    retire(part->links);
    part->links = std::move(links);
  }
  return {};
}

void CallLinks::set_takeover(const Numbers& numbers, cs_takeover step) {
  for (const auto& [func, group] : group_of_function_) {
    if (!numbers.contains(group)) continue;
    std::uint8_t& generation = controls_->writable_at<cs_func_ctl>(func).generation;
    const std::uint32_t flip = step == CS_TAKEOVER_ENDS ? 1 : 0;
    const std::uint32_t counting = cs_counting_generation(generation) ^ flip;
    generation = static_cast<std::uint8_t>(cs_takeover_bits(step) | counting);
  }
}

Result<void> CallLinks::remove(const Functions& functions) {
  removed_.insert(functions.begin(), functions.end());
  return shed_all(functions);
}

Result<void> CallLinks::count_only(const Functions& functions) {
  counted_.insert(functions.begin(), functions.end());
  return shed_all(functions);
}

Result<void> CallLinks::replace_return_probes(std::int32_t pid, const Functions& functions,
                                              const CallProbes& sites) {
  const Numbers numbers = groups_with(functions);
  for (const std::uint32_t number : numbers)
    for (Part& part : groups_[number]) {
      if (part.pid != pid) continue;
      Functions here;
      for (const Probe& probe : part.probes.return_probed)
        if (functions.contains(func_of(probe))) here.insert(func_of(probe));
      const auto is_here = [&](const Probe& probe) { return here.contains(func_of(probe)); };
      std::erase_if(part.probes.return_probed, is_here);
      std::ranges::copy_if(sites.sites, std::back_inserter(part.probes.sites), is_here);
      std::ranges::copy_if(sites.tail_jumps, std::back_inserter(part.probes.tail_jumps), is_here,
                           &TailJump::probe);
      apply_shedding(part.probes, removed_, counted_);
    }
  return relink(numbers);
}

}  // namespace callscope
