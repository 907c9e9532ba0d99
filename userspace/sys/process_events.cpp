// SPDX-License-Identifier: Apache-2.0
#include "sys/process_events.hpp"

#include <linux/perf_event.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "sys/page.hpp"
#include "sys/perf_event.hpp"

namespace callscope {
namespace {

constexpr std::size_t kDataBytes = 64 * kPageBytes;  // thousands of records; a power of two

// size bytes at a position of the ring, which may wrap around.
void copy_out(const void* memory, std::uint64_t position, void* to, std::size_t size) {
  const auto* const data = static_cast<const std::byte*>(memory) + kPageBytes;
  const std::size_t at = position % kDataBytes;
  const std::size_t first = std::min(size, kDataBytes - at);
  std::memcpy(to, data + at, first);
  std::memcpy(static_cast<std::byte*>(to) + first, data, size - first);
}

// Behind the header of a record; PERF_SAMPLE_TIME is at the end of each.
struct TaskFields {
  std::int32_t pid, parent_pid, tid, parent_tid;
};

// Behind the process and the thread of a record of mapped memory; a path follows, padded by zeros.
struct MappedFields {
  std::uint64_t start, size, file_off;
  std::uint32_t dev_major, dev_minor;
  std::uint64_t inode, inode_generation;
  std::uint32_t protection, flags;
};

void add_mapping(const void* memory, std::uint64_t at, const perf_event_header& header,
                 ProcessEvent& event) {
  constexpr std::size_t kFieldsAt = sizeof(perf_event_header) + 2 * sizeof(std::uint32_t);
  constexpr std::size_t kPathAt = kFieldsAt + sizeof(MappedFields);
  if (header.size < kPathAt + sizeof(event.t_ns)) return;  // never
  MappedFields fields{};
  copy_out(memory, at + kFieldsAt, &fields, sizeof(fields));
  event.start = fields.start;
  event.end = fields.start + fields.size;
  event.file_off = fields.file_off;
  event.dev_major = fields.dev_major;
  event.dev_minor = fields.dev_minor;
  event.inode = fields.inode;
  event.protection = fields.protection;
  event.shared = (fields.flags & MAP_SHARED) != 0;
  event.path.resize(header.size - kPathAt - sizeof(event.t_ns));
  copy_out(memory, at + kPathAt, event.path.data(), event.path.size());
  event.path.resize(std::min(event.path.find('\0'), event.path.size()));
}

// Nothing for a record that is of no interest.
std::optional<ProcessEvent> event_of(const void* memory, std::uint64_t at,
                                     const perf_event_header& header) {
  using enum ProcessEvent::Kind;
  TaskFields fields{};  // all records begin with the process
  copy_out(memory, at + sizeof(header), &fields,
           std::min(sizeof(fields), header.size - sizeof(header)));
  ProcessEvent event;
  event.pid = fields.pid;
  switch (header.type) {
    case PERF_RECORD_MMAP2:
      event.kind = kMapped;
      add_mapping(memory, at, header, event);
      break;
    case PERF_RECORD_COMM:
      if ((header.misc & PERF_RECORD_MISC_COMM_EXEC) == 0) return std::nullopt;
      event.kind = kExec;
      break;
    case PERF_RECORD_FORK:
      if (fields.pid == fields.parent_pid) return std::nullopt;  // a thread
      event.kind = kFork;
      event.other = fields.parent_pid;
      break;
    case PERF_RECORD_EXIT:
      if (fields.pid != fields.tid) return std::nullopt;
      event.kind = kExit;
      break;
    case PERF_RECORD_LOST:
      return ProcessEvent{};
    default:
      return std::nullopt;
  }
  copy_out(memory, at + header.size - sizeof(event.t_ns), &event.t_ns, sizeof(event.t_ns));
  return event;
}

}  // namespace

Result<ProcessEvents::Ring> ProcessEvents::Ring::open(int cpu) {
  perf_event_attr attr{};
  attr.size = sizeof(attr);
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_DUMMY;
  attr.mmap = 1;  // of executable memory
  attr.mmap2 = 1;
  attr.task = 1;
  attr.comm = 1;
  attr.comm_exec = 1;
  attr.sample_id_all = 1;
  attr.sample_type = PERF_SAMPLE_TIME;
  attr.watermark = 1;
  attr.wakeup_watermark = 1;  // bytes: at once
  Ring ring;
  ring.event_.reset(
      static_cast<int>(::syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)));
  if (!ring.event_.valid()) {
    const int err = errno;
    const bool denied = err == EACCES || err == EPERM;
    return fail(denied ? ErrorCode::kNotPermitted : ErrorCode::kUnsupported,
                "cannot watch what processes map", denied ? "run with sudo" : "", err);
  }
  void* const memory = ::mmap(nullptr, kPageBytes + kDataBytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                              ring.event_.get(), 0);
  if (memory == MAP_FAILED)
    return fail(ErrorCode::kUnsupported, "cannot map the ring of an event", {}, errno);
  ring.memory_ = memory;
  return ring;
}

ProcessEvents::Ring::Ring(Ring&& other) noexcept
    : event_(std::move(other.event_)), memory_(std::exchange(other.memory_, nullptr)) {}

ProcessEvents::Ring& ProcessEvents::Ring::operator=(Ring&& other) noexcept {
  std::swap(event_, other.event_);
  std::swap(memory_, other.memory_);
  return *this;
}

ProcessEvents::Ring::~Ring() {
  if (memory_ != nullptr) ::munmap(memory_, kPageBytes + kDataBytes);
}

void ProcessEvents::Ring::drain(std::vector<ProcessEvent>& events) {
  auto* const page = static_cast<perf_event_mmap_page*>(memory_);
  const std::uint64_t head = std::atomic_ref(page->data_head).load(std::memory_order_acquire);
  std::uint64_t tail = page->data_tail;
  while (tail + sizeof(perf_event_header) <= head) {
    perf_event_header header{};
    copy_out(memory_, tail, &header, sizeof(header));
    if (header.size < sizeof(header)) break;  // never
    if (auto event = event_of(memory_, tail, header)) events.push_back(std::move(*event));
    tail += header.size;
  }
  std::atomic_ref(page->data_tail).store(tail, std::memory_order_release);
}

Result<ProcessEvents> ProcessEvents::open() {
  const Result<std::vector<int>> cpus = online_cpus();
  if (!cpus) return std::unexpected(cpus.error());
  ProcessEvents events;
  events.epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!events.epoll_.valid())
    return fail(ErrorCode::kInternal, "cannot create an epoll", {}, errno);
  for (const int cpu : *cpus) {
    Result<Ring> ring = Ring::open(cpu);
    if (!ring) return std::unexpected(ring.error());
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    if (::epoll_ctl(events.epoll_.get(), EPOLL_CTL_ADD, ring->fd(), &wanted) != 0)
      return fail(ErrorCode::kInternal, "cannot watch an event", {}, errno);
    events.rings_.push_back(std::move(*ring));
  }
  return events;
}

std::vector<ProcessEvent> ProcessEvents::drain() {
  constexpr int kMostPasses = 8;  // on a machine that does nothing else
  std::vector<ProcessEvent> events;
  // A ring that is read later may hold what followed on what came to an earlier one meanwhile.
  for (int pass = 0; pass < kMostPasses; ++pass) {
    const std::size_t before = events.size();
    for (Ring& ring : rings_) ring.drain(events);
    if (events.size() == before) break;
  }
  std::ranges::stable_sort(events, {}, &ProcessEvent::t_ns);
  return events;
}

}  // namespace callscope
