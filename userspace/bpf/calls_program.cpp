// SPDX-License-Identifier: Apache-2.0
#include "bpf/calls_program.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>

#include "bpf/libbpf_error.hpp"
#include "calls.skel.h"

namespace callscope {
namespace {

// Shards keep CPUs off each other's cache lines; histograms dominate the memory.
constexpr std::uint64_t kHistogramBudgetBytes = 64U << 20;
constexpr std::uint32_t kMaxShards = 16;

std::uint32_t choose_shards(std::uint32_t cpus, std::uint32_t n_functions) {
  std::uint32_t shards = std::min(std::bit_ceil(std::max(cpus, 1U)), kMaxShards);
  while (shards > 1 &&
         std::uint64_t{shards} * n_functions * sizeof(cs_call_hist) > kHistogramBudgetBytes)
    shards /= 2;
  return shards;
}

// Loads a program only if it is wanted, for the link type that will carry it.
void prepare(bpf_program* program, bool wanted, ProbeMechanism mechanism) {
  ::bpf_program__set_autoload(program, wanted);
  if (mechanism == ProbeMechanism::kPerfEvent) return;
  const int type =
      mechanism == ProbeMechanism::kSession ? kAttachTraceUprobeSession : kAttachTraceUprobeMulti;
  ::bpf_program__set_expected_attach_type(program, static_cast<bpf_attach_type>(type));
}

void choose_programs(calls_bpf& skeleton, const CallsProgram::Options& options) {
  const bool session = options.mechanism == ProbeMechanism::kSession;
  const ProbeMechanism single = session ? ProbeMechanism::kMulti : options.mechanism;
  prepare(skeleton.progs.cs_call_session, session && options.has_return_probes,
          ProbeMechanism::kSession);
  prepare(skeleton.progs.cs_call_return, !session && options.has_return_probes, single);
  prepare(skeleton.progs.cs_call_entry,
          options.has_exit_sites || (!session && options.has_return_probes), single);
  prepare(skeleton.progs.cs_call_exit_site, options.has_exit_sites, single);
  prepare(skeleton.progs.cs_call_entry_only, options.has_counted, single);
}

}  // namespace

void CallsProgram::SkeletonDeleter::operator()(calls_bpf* skeleton) const {
  calls_bpf__destroy(skeleton);
}

CallsProgram::CallsProgram(const Options& options)
    : options_(options), shards_(choose_shards(options.cpus, options.n_functions)) {}
CallsProgram::CallsProgram(CallsProgram&&) noexcept = default;
CallsProgram& CallsProgram::operator=(CallsProgram&&) noexcept = default;
CallsProgram::~CallsProgram() = default;

Result<CallsProgram> CallsProgram::load(const Options& options) {
  silence_libbpf();
  CallsProgram program(options);
  program.skeleton_.reset(calls_bpf__open());
  if (!program.skeleton_)
    return std::unexpected(libbpf_error("cannot open the calls BPF object", errno));
  calls_bpf& skeleton = *program.skeleton_;
  choose_programs(skeleton, options);
  skeleton.rodata->cs_config = {options.tgid, options.n_functions, program.shards_, 0};
  const std::uint32_t elements = options.n_functions * program.shards_;
  ::bpf_map__set_max_entries(skeleton.maps.cs_call_stats, elements);
  ::bpf_map__set_max_entries(skeleton.maps.cs_call_hist, elements);
  const int error = calls_bpf__load(&skeleton);
  if (error != 0)
    return std::unexpected(libbpf_error(
        "cannot load the calls BPF object for " + std::string(mechanism_name(options.mechanism)),
        -error));
  Result<SharedArray> stats =
      SharedArray::map(::bpf_map__fd(skeleton.maps.cs_call_stats), sizeof(cs_call_stats), elements);
  if (!stats) return std::unexpected(stats.error());
  Result<SharedArray> histograms =
      SharedArray::map(::bpf_map__fd(skeleton.maps.cs_call_hist), sizeof(cs_call_hist), elements);
  if (!histograms) return std::unexpected(histograms.error());
  program.stats_ = std::move(*stats);
  program.histograms_ = std::move(*histograms);
  if (calls_bpf__attach(&skeleton) != 0)  // the tracepoint; uprobes are not auto-attachable
    return std::unexpected(libbpf_error("cannot attach to sched_process_exit", errno));
  return program;
}

Result<void> CallsProgram::attach(const CallProbes& probes) {
  const auto pid = static_cast<std::int32_t>(options_.tgid);
  const auto add = [&](std::vector<UprobeSet>& sets, bpf_program* program, UprobeLinkKind kind,
                       const std::vector<Probe>& list) -> Result<void> {
    if (list.empty()) return {};
    return sets.emplace_back(pid).attach(program, kind, options_.mechanism, list);
  };
  // Exits first: an entry whose exit is not yet probed would look unwound.
  CS_TRY(
      add(probes_, skeleton_->progs.cs_call_exit_site, UprobeLinkKind::kEntry, probes.exit_sites));
  CS_TRY(add(probes_, skeleton_->progs.cs_call_entry, UprobeLinkKind::kEntry, probes.site_entries));
  CS_TRY(add(probes_, skeleton_->progs.cs_call_entry_only, UprobeLinkKind::kEntry, probes.counted));
  if (options_.mechanism == ProbeMechanism::kSession)
    return add(return_probes_, skeleton_->progs.cs_call_session, UprobeLinkKind::kSession,
               probes.return_probed);
  CS_TRY(add(return_probes_, skeleton_->progs.cs_call_return, UprobeLinkKind::kReturn,
             probes.return_probed));
  return add(return_probes_, skeleton_->progs.cs_call_entry, UprobeLinkKind::kEntry,
             probes.return_probed);
}

std::vector<ProbeFailure> CallsProgram::failures() const {
  std::vector<ProbeFailure> all;
  for (const std::vector<UprobeSet>* sets : {&return_probes_, &probes_})
    for (const UprobeSet& set : *sets)
      all.insert(all.end(), set.failures().begin(), set.failures().end());
  return all;
}

void CallsProgram::enable() { skeleton_->bss->cs_enabled = 1; }

void CallsProgram::detach_return_probes() { return_probes_.clear(); }

Result<void> CallsProgram::stop() {
  skeleton_->bss->cs_enabled = 0;
  return_probes_.clear();
  probes_.clear();  // returns when no probe program runs any more
  return count_running();
}

Result<void> CallsProgram::count_running() {
  struct LinkDeleter {
    void operator()(bpf_link* link) const { ::bpf_link__destroy(link); }
  };
  const std::unique_ptr<bpf_link, LinkDeleter> link(
      ::bpf_program__attach_iter(skeleton_->progs.cs_count_running, nullptr));
  if (!link) return std::unexpected(libbpf_error("cannot attach the task iterator", errno));
  const Fd iterator(::bpf_iter_create(::bpf_link__fd(link.get())));
  if (!iterator.valid())
    return std::unexpected(libbpf_error("cannot create the task iterator", errno));
  std::array<char, 64> nothing{};  // the program writes no output; reading runs it
  while (::read(iterator.get(), nothing.data(), nothing.size()) > 0) {
  }
  return {};
}

cs_call_stats CallsProgram::stats(std::uint32_t func) const {
  cs_call_stats sum{};
  for (std::uint32_t shard = 0; shard < shards_; ++shard) {
    const auto& part = stats_.at<cs_call_stats>(func + shard * options_.n_functions);
    sum.sum_ns += part.sum_ns;
    sum.child_ns += part.child_ns;
    sum.nested_ns += part.nested_ns;
    sum.unwound_ns += part.unwound_ns;
    sum.unwound += part.unwound;
    sum.untimed += part.untimed;
    sum.tail_exits += part.tail_exits;
    sum.running += part.running;
    sum.min_inv = std::max(sum.min_inv, part.min_inv);
    sum.max_ns = std::max(sum.max_ns, part.max_ns);
  }
  return sum;
}

std::vector<std::pair<std::uint32_t, std::uint64_t>> CallsProgram::histogram(
    std::uint32_t func) const {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> used;
  for (std::uint32_t slot = 0; slot < CS_HIST_SLOTS; ++slot) {
    std::uint64_t count = 0;
    for (std::uint32_t shard = 0; shard < shards_; ++shard)
      count += histograms_.at<cs_call_hist>(func + shard * options_.n_functions).slots[slot];
    if (count != 0) used.emplace_back(slot, count);
  }
  return used;
}

std::uint64_t CallsProgram::counter(cs_stat reason) const {
  const auto key = static_cast<std::uint32_t>(reason);
  std::uint64_t value = 0;
  ::bpf_map__lookup_elem(skeleton_->maps.cs_stats, &key, sizeof(key), &value, sizeof(value), 0);
  return value;
}

}  // namespace callscope
