// SPDX-License-Identifier: Apache-2.0
#include "bpf/uprobe_set.hpp"

#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "bpf/own_code.hpp"

namespace callscope {

std::string_view mechanism_name(ProbeMechanism mechanism) {
  switch (mechanism) {
    case ProbeMechanism::kSession:
      return "uprobe session";
    case ProbeMechanism::kMulti:
      return "uprobe_multi";
    case ProbeMechanism::kPerfEvent:
      return "perf-event uprobe";
  }
  return "unknown";
}

void choose_program(bpf_program* program, bool wanted, int attach_type) {
  ::bpf_program__set_autoload(program, wanted);
  if (attach_type != 0)
    ::bpf_program__set_expected_attach_type(program, static_cast<bpf_attach_type>(attach_type));
}

namespace {

// Tries the program on our own code, for a moment.
bool links_work(int program_fd, UprobeLinkKind kind) {
  const Result<Probe> probe = probe_own_code(reinterpret_cast<const void*>(&mechanism_name), 0);
  if (!probe) return false;
  const Result<Fd> link = link_uprobes(
      {program_fd, kind, probe->path, {&probe->file_off, 1}, {&probe->cookie, 1}, ::getpid()});
  return link.has_value();
}

}  // namespace

void UprobeSet::LinkDeleter::operator()(bpf_link* link) const { ::bpf_link__destroy(link); }

Result<void> UprobeSet::attach(bpf_program* program, UprobeLinkKind kind, ProbeMechanism mechanism,
                               std::span<const Probe> probes) {
  if (mechanism == ProbeMechanism::kPerfEvent) {
    for (const Probe& probe : probes)
      attach_perf_event(program, kind == UprobeLinkKind::kReturn, probe);
    return {};
  }
  std::vector<Probe> by_file(probes.begin(), probes.end());
  std::ranges::stable_sort(by_file, {}, &Probe::path);
  std::span<const Probe> rest = by_file;
  while (!rest.empty()) {
    const auto other_file = std::ranges::find_if(
        rest, [&](const Probe& probe) { return probe.path != rest.front().path; });
    const auto count = static_cast<std::size_t>(other_file - rest.begin());
    CS_TRY(attach_file(::bpf_program__fd(program), kind, rest.first(count)));
    rest = rest.subspan(count);
  }
  return {};
}

Result<void> UprobeSet::attach_file(int program_fd, UprobeLinkKind kind,
                                    std::span<const Probe> probes) {
  std::vector<std::uint64_t> offsets;
  std::vector<std::uint64_t> cookies;
  std::vector<std::uint64_t> semaphores;
  for (const Probe& probe : probes) {
    offsets.push_back(probe.file_off);
    cookies.push_back(probe.cookie);
    semaphores.push_back(probe.semaphore_off);
  }
  if (std::ranges::count(semaphores, 0U) == std::ssize(semaphores)) semaphores.clear();
  Result<Fd> link =
      link_uprobes({program_fd, kind, probes.front().path, offsets, cookies, pid_, semaphores});
  if (link) {
    links_.push_back(std::move(*link));
    return {};
  }
  if (link.error().sys_errno == ESRCH) return {};  // the process has ended
  if (link.error().code == ErrorCode::kUnsupported || link.error().sys_errno == EPERM)
    return std::unexpected(link.error());
  // Kernels before 6.6 say EINVAL to every such link, as all kernels do to a bad probe.
  if (link.error().sys_errno == EINVAL && !links_work(program_fd, kind))
    return fail(ErrorCode::kUnsupported, "this kernel has no uprobe_multi links");
  if (probes.size() == 1) {
    failures_.push_back({probes.front(), link.error().sys_errno});
    return {};
  }
  const std::size_t half = probes.size() / 2;
  CS_TRY(attach_file(program_fd, kind, probes.first(half)));
  return attach_file(program_fd, kind, probes.subspan(half));
}

void UprobeSet::attach_perf_event(bpf_program* program, bool on_return, const Probe& probe) {
  bpf_uprobe_opts options{};
  options.sz = sizeof(options);
  options.retprobe = on_return;
  options.bpf_cookie = probe.cookie;
  options.ref_ctr_offset = probe.semaphore_off;
  bpf_link* const link = ::bpf_program__attach_uprobe_opts(program, pid_, probe.path.c_str(),
                                                           probe.file_off, &options);
  const int err = errno;
  if (link == nullptr) {
    if (err != ESRCH) failures_.push_back({probe, err});
    return;
  }
  perf_links_.emplace_back(link);
}

}  // namespace callscope
