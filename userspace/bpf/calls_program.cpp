// SPDX-License-Identifier: Apache-2.0
#include "bpf/calls_program.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstring>
#include <mutex>

#include "bpf/libbpf_error.hpp"
#include "calls.skel.h"
#include "sys/clock.hpp"

namespace callscope {
namespace {

// Shards keep CPUs off each other's cache lines; histograms and nodes dominate the memory.
constexpr std::uint64_t kShardedBytes = 64U << 20;
constexpr std::uint32_t kMaxShards = 16;
constexpr std::uint64_t kAliveNs = 3'000'000'000;  // without a heartbeat
constexpr std::uint32_t kBurstNs = 20'000'000;     // user space takes a few ms to do better

std::uint32_t choose_shards(const CallsProgram::Options& options) {
  std::uint32_t shards = std::min(std::bit_ceil(std::max(options.cpus, 1U)), kMaxShards);
  const std::uint64_t bytes =
      std::uint64_t{options.max_functions} * sizeof(cs_call_hist) +
      (std::uint64_t{options.max_functions} + options.max_contexts) * sizeof(cs_call_stats);
  while (shards > 1 && shards * bytes > kShardedBytes) shards /= 2;
  return shards;
}

void choose_programs(calls_bpf& skeleton, ProbeMechanism mechanism) {
  const bool session = mechanism == ProbeMechanism::kSession;
  const int single = mechanism == ProbeMechanism::kPerfEvent ? 0 : kAttachTraceUprobeMulti;
  choose_program(skeleton.progs.cs_call_session, session, kAttachTraceUprobeSession);
  choose_program(skeleton.progs.cs_call_return, !session, single);
  choose_program(skeleton.progs.cs_call_entry, !session, single);
  choose_program(skeleton.progs.cs_call_site, true, single);
}

// BPF made the records, so their sizes are what their kinds say.
int on_record(void* context, void* data, std::size_t size) {
  const auto& handlers = *static_cast<const CallsProgram::Handlers*>(context);
  std::uint32_t kind = 0;
  if (size < sizeof(cs_call_event)) return 0;
  std::memcpy(&kind, data, sizeof(kind));
  if (kind == CS_CALL_RECORD_SLOW) {
    if (!handlers.slow || size < offsetof(cs_slow_record, frames)) return 0;
    cs_slow_record record{};  // only the used frames were sent
    std::memcpy(&record, data, std::min(size, sizeof(record)));
    handlers.slow(record);
  } else if (kind >= CS_RECORD_FORK) {
    if (handlers.process) handlers.process(*static_cast<const cs_process_record*>(data));
  } else if (handlers.event) {
    handlers.event(*static_cast<const cs_call_event*>(data));
  }
  return 0;
}

struct LinkDeleter {
  void operator()(bpf_link* link) const { ::bpf_link__destroy(link); }
};

}  // namespace

void CallsProgram::SkeletonDeleter::operator()(calls_bpf* skeleton) const {
  calls_bpf__destroy(skeleton);
}
void CallsProgram::RingDeleter::operator()(ring_buffer* ring) const { ::ring_buffer__free(ring); }

CallsProgram::CallsProgram(const Options& options)
    : options_(options), shards_(choose_shards(options)) {}
CallsProgram::CallsProgram(CallsProgram&&) noexcept = default;
CallsProgram& CallsProgram::operator=(CallsProgram&&) noexcept = default;
CallsProgram::~CallsProgram() = default;

Result<CallsProgram> CallsProgram::load(const Options& options, Handlers handlers) {
  silence_libbpf();
  CallsProgram program(options);
  program.handlers_ = std::make_unique<Handlers>(std::move(handlers));
  program.skeleton_.reset(calls_bpf__open());
  if (!program.skeleton_)
    return std::unexpected(libbpf_error("cannot open the calls BPF object", errno));
  calls_bpf& skeleton = *program.skeleton_;
  choose_programs(skeleton, options.mechanism);
  skeleton.rodata->cs_config = {.max_functions = options.max_functions,
                                .max_nodes = program.max_nodes(),
                                .n_shards = program.shards_,
                                .by_thread = options.by_thread ? 1U : 0U,
                                .budget_1024 = static_cast<std::uint32_t>(options.budget * 1024),
                                .burst_ns = kBurstNs,
                                .log_slow = options.log_slow ? 1U : 0U,
                                .follow_children = options.follow_children ? 1U : 0U};
  skeleton.bss->cs_first_target = options.tgid;
  ::bpf_map__set_max_entries(skeleton.maps.cs_func_ctls, options.max_functions);
  ::bpf_map__set_max_entries(skeleton.maps.cs_func_loads, options.max_functions * program.shards_);
  ::bpf_map__set_max_entries(skeleton.maps.cs_call_nodes_info, program.max_nodes());
  ::bpf_map__set_max_entries(skeleton.maps.cs_call_edges, program.max_nodes());
  ::bpf_map__set_max_entries(skeleton.maps.cs_call_stats, program.max_nodes() * program.shards_);
  ::bpf_map__set_max_entries(skeleton.maps.cs_call_hist, options.max_functions * program.shards_);
  ::bpf_map__set_max_entries(skeleton.maps.cs_call_ring, options.ring_bytes);
  if (options.unwind != nullptr) CS_TRY(options.unwind->give_to(skeleton.obj));
  const int error = calls_bpf__load(&skeleton);
  if (error != 0)
    return std::unexpected(libbpf_error(
        "cannot load the calls BPF object for " + std::string(mechanism_name(options.mechanism)),
        -error));
  CS_TRY(program.map_arrays());
  program.ring_.reset(::ring_buffer__new(::bpf_map__fd(skeleton.maps.cs_call_ring), on_record,
                                         program.handlers_.get(), nullptr));
  if (!program.ring_) return std::unexpected(libbpf_error("cannot map the ring buffer", errno));
  program.links_ = program.separate_links();
  if (calls_bpf__attach(&skeleton) != 0)  // the tracepoints; uprobes are not auto-attachable
    return std::unexpected(libbpf_error("cannot attach to the scheduler's tracepoints", errno));
  return program;
}

CallLinks::Programs CallsProgram::programs() const {
  return {
      .session = skeleton_->progs.cs_call_session,
      .entry = skeleton_->progs.cs_call_entry,
      .returned = skeleton_->progs.cs_call_return,
      .site = skeleton_->progs.cs_call_site,
  };
}

std::set<std::uint32_t> CallsProgram::program_ids() const {
  std::set<std::uint32_t> ids;
  const CallLinks::Programs all = programs();
  for (const bpf_program* program : {all.session, all.entry, all.returned, all.site}) {
    bpf_prog_info info{};
    std::uint32_t bytes = sizeof(info);
    if (::bpf_obj_get_info_by_fd(::bpf_program__fd(program), &info, &bytes) == 0)
      ids.insert(info.id);  // the mechanism needs it: it is loaded
  }
  return ids;
}

std::unique_ptr<CallLinks> CallsProgram::separate_links() const {
  return std::make_unique<CallLinks>(programs(), options_.mechanism, *controls_);
}

Result<void> CallsProgram::map_arrays() {
  const auto view = [&](SharedArray& array, const bpf_map* map, std::size_t element_bytes,
                        std::size_t elements, bool writable) -> Result<void> {
    Result<SharedArray> mapped =
        SharedArray::map(::bpf_map__fd(map), element_bytes, elements, writable);
    if (!mapped) return std::unexpected(mapped.error());
    array = std::move(*mapped);
    return {};
  };
  const auto& maps = skeleton_->maps;
  controls_ = std::make_unique<SharedArray>();
  CS_TRY(view(*controls_, maps.cs_func_ctls, sizeof(cs_func_ctl), options_.max_functions, true));
  CS_TRY(view(nodes_info_, maps.cs_call_nodes_info, sizeof(cs_call_node_info), max_nodes(), false));
  CS_TRY(view(stats_, maps.cs_call_stats, sizeof(cs_call_stats), std::size_t{max_nodes()} * shards_,
              false));
  return view(histograms_, maps.cs_call_hist, sizeof(cs_call_hist),
              std::size_t{options_.max_functions} * shards_, false);
}

void CallsProgram::begin_trial(std::uint32_t tgid) {
  skeleton_->bss->cs_first_target = tgid;
  skeleton_->bss->cs_alive_until_ns = monotonic_ns() + kAliveNs;
  skeleton_->bss->cs_enabled = 1;
}

void CallsProgram::end_trial() {
  skeleton_->bss->cs_enabled = 0;
  skeleton_->bss->cs_alive_until_ns = 0;
  skeleton_->bss->cs_first_target = options_.tgid;
  const std::uint64_t none = 0;
  for (std::uint32_t reason = 0; reason < CS_STAT_COUNT; ++reason)
    ::bpf_map__update_elem(skeleton_->maps.cs_stats, &reason, sizeof(reason), &none, sizeof(none),
                           BPF_ANY);
}

void CallsProgram::enable() {
  static constexpr std::chrono::milliseconds kBeat{500};
  volatile __u64* const until = &skeleton_->bss->cs_alive_until_ns;
  *until = monotonic_ns() + kAliveNs;
  heartbeat_ = std::jthread([until](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    while (!stopped.wait_for(lock, stop, kBeat, [] { return false; }) && !stop.stop_requested())
      *until = monotonic_ns() + kAliveNs;
  });
  skeleton_->bss->cs_enabled = 1;
}

Result<void> CallsProgram::stop() {
  skeleton_->bss->cs_enabled = 0;
  links_->clear();  // returns when no probe program runs any more
  drain();
  return count_running();
}

int CallsProgram::ring_fd() const { return ::ring_buffer__epoll_fd(ring_.get()); }

void CallsProgram::drain() { ::ring_buffer__consume(ring_.get()); }

Result<void> CallsProgram::add_target(std::uint32_t tgid) {
  const std::uint8_t present = 1;
  if (::bpf_map__update_elem(skeleton_->maps.cs_targets, &tgid, sizeof(tgid), &present,
                             sizeof(present), BPF_ANY) != 0)
    return std::unexpected(libbpf_error("cannot add a target process", errno));
  return {};
}

std::uint32_t CallsProgram::code_changes() const { return skeleton_->bss->cs_code_changes; }

void CallsProgram::judged(std::uint32_t changes) { skeleton_->bss->cs_code_judged = changes; }

std::uint32_t CallsProgram::held_since(std::uint32_t tgid) const {
  std::uint32_t change = 0;
  ::bpf_map__lookup_elem(skeleton_->maps.cs_held, &tgid, sizeof(tgid), &change, sizeof(change), 0);
  return change;
}

void CallsProgram::release(std::uint32_t tgid, std::uint32_t change) {
  if (change != 0 && held_since(tgid) == change)
    ::bpf_map__delete_elem(skeleton_->maps.cs_held, &tgid, sizeof(tgid), 0);
}

Result<void> CallsProgram::count_running() {
  const std::unique_ptr<bpf_link, LinkDeleter> link(
      ::bpf_program__attach_iter(skeleton_->progs.cs_count_running, nullptr));
  if (!link) return std::unexpected(libbpf_error("cannot attach the task iterator", errno));
  const Fd iterator(::bpf_iter_create(::bpf_link__fd(link.get())));
  if (!iterator.valid())
    return std::unexpected(libbpf_error("cannot create the task iterator", errno));
  skeleton_->bss->cs_counting_open = 1;
  std::array<char, 64> nothing{};  // the program writes no output; reading runs it
  while (::read(iterator.get(), nothing.data(), nothing.size()) > 0) {
  }
  return {};
}

std::uint32_t CallsProgram::contexts() const {
  return std::min(skeleton_->bss->cs_nodes_used, options_.max_contexts);
}

const cs_call_node_info& CallsProgram::node_info(std::uint32_t node) const {
  return nodes_info_.at<cs_call_node_info>(node);
}

cs_call_stats CallsProgram::stats(std::uint32_t node) const {
  static_assert(sizeof(cs_call_stats) % sizeof(std::uint64_t) == 0);
  constexpr std::size_t kFields = sizeof(cs_call_stats) / sizeof(std::uint64_t);
  std::array<std::uint64_t, kFields> sum{};
  cs_call_stats result{};
  for (std::uint32_t shard = 0; shard < shards_; ++shard) {
    const auto& part = stats_.at<cs_call_stats>(node + std::size_t{shard} * max_nodes());
    std::array<std::uint64_t, kFields> fields{};
    std::memcpy(fields.data(), &part, sizeof(part));
    for (std::size_t i = 0; i < kFields; ++i) sum[i] += fields[i];
    result.min_inv = std::max(result.min_inv, part.min_inv);
    result.max_ns = std::max(result.max_ns, part.max_ns);
  }
  const std::uint64_t min_inv = result.min_inv;
  const std::uint64_t max_ns = result.max_ns;
  std::memcpy(&result, sum.data(), sizeof(result));
  result.min_inv = min_inv;  // the two that are no sums
  result.max_ns = max_ns;
  return result;
}

std::vector<std::pair<std::uint32_t, std::uint64_t>> CallsProgram::histogram(
    std::uint32_t func) const {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> used;
  for (std::uint32_t slot = 0; slot < CS_HIST_SLOTS; ++slot) {
    std::uint64_t count = 0;
    for (std::uint32_t shard = 0; shard < shards_; ++shard)
      count += histograms_.at<cs_call_hist>(func + std::size_t{shard} * options_.max_functions)
                   .slots[slot];
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
