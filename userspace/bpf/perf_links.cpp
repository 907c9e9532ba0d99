// SPDX-License-Identifier: Apache-2.0
#include "bpf/perf_links.hpp"

#include <bpf/libbpf.h>

#include <cerrno>

#include "bpf/libbpf_error.hpp"
#include "sys/perf_event.hpp"

namespace callscope {

void PerfLinkDeleter::operator()(bpf_link* link) const { ::bpf_link__destroy(link); }

Result<PerfLinks> attach_on_cpus(const bpf_program* program,
                                 const std::function<Result<Fd>(int cpu)>& open_event) {
  const Result<std::vector<int>> cpus = online_cpus();
  if (!cpus) return std::unexpected(cpus.error());
  PerfLinks links;
  for (const int cpu : *cpus) {
    Result<Fd> event = open_event(cpu);
    if (!event) return std::unexpected(event.error());
    // The link takes the event over on success; libbpf closes it with the link.
    bpf_link* const link = ::bpf_program__attach_perf_event(program, event->get());
    if (link == nullptr)
      return std::unexpected(libbpf_error("cannot attach to a perf event", errno));
    event->release();
    links.emplace_back(link);
  }
  return links;
}

}  // namespace callscope
