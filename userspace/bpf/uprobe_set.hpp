// SPDX-License-Identifier: Apache-2.0
// The probes of one program: many (file, offset, cookie) triples, attached by the best mechanism
// that the kernel has. Owns the links; destroying it removes the probes. What the kernel refuses is
// listed with its errno, the rest is attached.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "callscope/error.hpp"
#include "sys/fd.hpp"
#include "sys/uprobe_link.hpp"

struct bpf_link;
struct bpf_program;

namespace callscope {

// Best first. kPerfEvent: one perf event a probe, slow to detach, so for few functions only.
enum class ProbeMechanism { kSession, kMulti, kPerfEvent };

std::string_view mechanism_name(ProbeMechanism mechanism);

struct Probe {
  std::string path;            // file to probe, as the kernel shall open it
  std::uint64_t file_off = 0;  // of an instruction
  std::uint64_t cookie = 0;
  // File offset of a 16-bit counter that the kernel raises while the probe is there: the semaphore
  // of a USDT marker. 0: none.
  std::uint64_t semaphore_off = 0;
};

struct ProbeFailure {
  Probe probe;
  int sys_errno = 0;
};

// Between open and load: the program is loaded only if it is wanted, for the link type that will
// carry it; 0: a perf event.
void choose_program(bpf_program* program, bool wanted, int attach_type);

class UprobeSet {
 public:
  explicit UprobeSet(std::int32_t pid) : pid_(pid) {}

  // Attaches all probes to the program. With kSession or kMulti one link for each file; files whose
  // link is refused are tried by halves down to the single probe. A process that has ended gets no
  // probes, and that is no failure. kUnsupported: no such mechanism.
  Result<void> attach(bpf_program* program, UprobeLinkKind kind, ProbeMechanism mechanism,
                      std::span<const Probe> probes);

  // Gives the links up, for who can wait until they are closed. Perf events stay.
  [[nodiscard]] std::vector<Fd> release_links() { return std::move(links_); }

  [[nodiscard]] const std::vector<ProbeFailure>& failures() const { return failures_; }

 private:
  struct LinkDeleter {
    void operator()(bpf_link* link) const;
  };
  Result<void> attach_file(int program_fd, UprobeLinkKind kind, std::span<const Probe> probes);
  void attach_perf_event(bpf_program* program, bool on_return, const Probe& probe);

  std::int32_t pid_;
  std::vector<Fd> links_;
  std::vector<std::unique_ptr<bpf_link, LinkDeleter>> perf_links_;
  std::vector<ProbeFailure> failures_;
};

}  // namespace callscope
