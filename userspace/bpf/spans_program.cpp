// SPDX-License-Identifier: Apache-2.0
#include "bpf/spans_program.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>

#include "bpf/libbpf_error.hpp"
#include "spans.skel.h"

namespace callscope {
namespace {

// Open frames of the few functions whose argument is kept up to their exit, and what throws leave.
constexpr std::uint32_t kKeptFrames = 16384;

}  // namespace

void SpansProgram::SkeletonDeleter::operator()(spans_bpf* skeleton) const {
  spans_bpf__destroy(skeleton);
}

SpansProgram::SpansProgram(const Options& options)
    : options_(options),
      n_rows_(options.n_spans + options.n_counted + (options.named ? CS_SPAN_NAMES_MAX : 0)),
      probes_(static_cast<std::int32_t>(options.tgid)),
      reaper_(std::make_unique<LinkReaper>()) {}
SpansProgram::SpansProgram(SpansProgram&&) noexcept = default;
SpansProgram& SpansProgram::operator=(SpansProgram&&) noexcept = default;
SpansProgram::~SpansProgram() = default;

Result<SpansProgram> SpansProgram::load(const Options& options,
                                        std::span<const cs_span_site> sites) {
  silence_libbpf();
  SpansProgram program(options);
  program.skeleton_.reset(spans_bpf__open());
  if (!program.skeleton_)
    return std::unexpected(libbpf_error("cannot open the spans BPF object", errno));
  CS_TRY(program.configure(sites));
  const int error = spans_bpf__load(program.skeleton_.get());
  if (error != 0)
    return std::unexpected(libbpf_error(
        "cannot load the spans BPF object for " + std::string(mechanism_name(options.mechanism)),
        -error));
  CS_TRY(program.fill(sites));
  if (spans_bpf__attach(program.skeleton_.get()) != 0)  // the tracepoint only
    return std::unexpected(libbpf_error("cannot attach to sched_process_exit", errno));
  return program;
}

Result<void> SpansProgram::configure(std::span<const cs_span_site> sites) {
  spans_bpf& skeleton = *skeleton_;
  const auto n_sites = static_cast<std::uint32_t>(sites.size());
  const bool single = options_.mechanism == ProbeMechanism::kPerfEvent;
  choose_program(skeleton.progs.cs_span_event, true, single ? 0 : kAttachTraceUprobeMulti);
  skeleton.rodata->cs_config = {.tgid = options_.tgid,
                                .n_spans = options_.n_spans,
                                .first_named = options_.n_spans + options_.n_counted,
                                .n_rows = n_rows_,
                                .n_sites = n_sites,
                                .pad = 0,
                                .thread_keyed = options_.thread_keyed};
  const bool kept = std::ranges::any_of(
      sites, [](const cs_span_site& site) { return (site.actions & CS_SPAN_KEEP) != 0; });
  const bool spans = options_.n_spans > 0 || options_.named;  // else markers are only counted
  const auto set = [](bpf_map* map, std::uint32_t entries) {
    return ::bpf_map__set_max_entries(map, entries) == 0;
  };
  if (!set(skeleton.maps.cs_span_sites, n_sites) || !set(skeleton.maps.cs_span_stats, n_rows_) ||
      !set(skeleton.maps.cs_span_hist, n_rows_) ||
      !set(skeleton.maps.cs_span_open, spans ? options_.max_open : 1) ||
      !set(skeleton.maps.cs_span_kept, kept ? kKeptFrames : 1))
    return std::unexpected(libbpf_error("cannot size the maps of the spans BPF object", errno));
  return {};
}

Result<void> SpansProgram::fill(std::span<const cs_span_site> sites) {
  for (std::uint32_t i = 0; i < sites.size(); ++i)
    if (::bpf_map__update_elem(skeleton_->maps.cs_span_sites, &i, sizeof(i), &sites[i],
                               sizeof(sites[i]), BPF_ANY) != 0)
      return std::unexpected(libbpf_error("cannot tell the kernel where spans begin", errno));
  Result<SharedArray> stats = SharedArray::map(::bpf_map__fd(skeleton_->maps.cs_span_stats),
                                               sizeof(cs_span_stats), n_rows_);
  if (!stats) return std::unexpected(stats.error());
  Result<SharedArray> histograms =
      SharedArray::map(::bpf_map__fd(skeleton_->maps.cs_span_hist), sizeof(cs_call_hist), n_rows_);
  if (!histograms) return std::unexpected(histograms.error());
  stats_ = std::move(*stats);
  histograms_ = std::move(*histograms);
  return {};
}

Result<void> SpansProgram::attach(std::vector<Probe> probes) {
  attached_ = std::move(probes);
  return probes_.attach(skeleton_->progs.cs_span_event, UprobeLinkKind::kEntry, options_.mechanism,
                        attached_);
}

Result<void> SpansProgram::add_process(std::int32_t pid) {
  const auto tgid = static_cast<std::uint32_t>(pid);
  const std::uint8_t present = 1;
  if (tgid == options_.tgid || further_.contains(pid)) return {};
  UprobeSet probes(pid);
  CS_TRY(probes.attach(skeleton_->progs.cs_span_event, UprobeLinkKind::kEntry, options_.mechanism,
                       attached_));
  if (!probes.failures().empty())
    return fail(ErrorCode::kNotPermitted, "the kernel refuses a probe", {},
                probes.failures().front().sys_errno);
  if (::bpf_map__update_elem(skeleton_->maps.cs_targets, &tgid, sizeof(tgid), &present,
                             sizeof(present), BPF_ANY) != 0)
    return std::unexpected(libbpf_error("cannot add a process to the spans", errno));
  further_.emplace(pid, std::move(probes));
  return {};
}

void SpansProgram::remove_process(std::int32_t pid) {
  const auto tgid = static_cast<std::uint32_t>(pid);
  const auto known = further_.find(pid);
  if (known == further_.end()) return;
  ::bpf_map__delete_elem(skeleton_->maps.cs_targets, &tgid, sizeof(tgid), 0);
  reaper_->close(known->second.release_links());
  further_.erase(known);
}

void SpansProgram::enable() { skeleton_->bss->cs_enabled = 1; }

void SpansProgram::stop() {
  skeleton_->bss->cs_enabled = 0;
  probes_ = UprobeSet(static_cast<std::int32_t>(options_.tgid));
  further_.clear();
  reaper_->wait();
}

cs_span_stats SpansProgram::stats(std::uint32_t row) const { return stats_.at<cs_span_stats>(row); }

std::vector<std::pair<std::uint32_t, std::uint64_t>> SpansProgram::histogram(
    std::uint32_t row) const {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> used;
  const auto& slots = histograms_.at<cs_call_hist>(row).slots;
  for (std::uint32_t slot = 0; slot < CS_HIST_SLOTS; ++slot)
    if (slots[slot] != 0) used.emplace_back(slot, slots[slot]);
  return used;
}

std::vector<std::pair<std::string, std::uint32_t>> SpansProgram::names() const {
  std::vector<std::pair<std::string, std::uint32_t>> all;
  if (!options_.named) return all;
  cs_span_name name{};
  const cs_span_name* last = nullptr;
  while (::bpf_map__get_next_key(skeleton_->maps.cs_span_names, last, &name, sizeof(name)) == 0) {
    std::uint32_t row = 0;
    last = &name;
    if (::bpf_map__lookup_elem(skeleton_->maps.cs_span_names, &name, sizeof(name), &row,
                               sizeof(row), 0) != 0)
      continue;
    name.text[CS_SPAN_NAME_LEN - 1] = '\0';
    if (row < n_rows_) all.emplace_back(name.text, row);
  }
  return all;
}

std::uint64_t SpansProgram::counter(cs_stat reason) const {
  const auto key = static_cast<std::uint32_t>(reason);
  std::uint64_t value = 0;
  ::bpf_map__lookup_elem(skeleton_->maps.cs_stats, &key, sizeof(key), &value, sizeof(value), 0);
  return value;
}

}  // namespace callscope
