// SPDX-License-Identifier: Apache-2.0
#include "bpf/mechanism_trial.hpp"

#include <bpf/bpf.h>

#include <array>
#include <cerrno>

#include "bpf/libbpf_error.hpp"
#include "sys/uprobe_link.hpp"

namespace callscope {
namespace {

// r0 = 0; exit
constexpr std::array<bpf_insn, 2> kNothing{
    {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}}};

Result<Fd> load_nothing(int attach_type) {
  bpf_prog_load_opts options{};
  options.sz = sizeof(options);
  options.expected_attach_type = static_cast<bpf_attach_type>(attach_type);
  Fd program(::bpf_prog_load(BPF_PROG_TYPE_KPROBE, "cs_trial", "GPL", kNothing.data(),
                             kNothing.size(), &options));
  const int err = errno;
  if (!program.valid()) return std::unexpected(libbpf_error("cannot load a BPF program", err));
  return program;
}

}  // namespace

Result<void> try_mechanism(ProbeMechanism mechanism) {
  if (mechanism == ProbeMechanism::kPerfEvent) return {};
  const bool session = mechanism == ProbeMechanism::kSession;
  const Result<Fd> program =
      load_nothing(session ? kAttachTraceUprobeSession : kAttachTraceUprobeMulti);
  if (!program) return std::unexpected(program.error());
  const std::array<std::uint64_t, 1> zero{};
  const Result<Fd> link =
      link_uprobes({program->get(), session ? UprobeLinkKind::kSession : UprobeLinkKind::kEntry,
                    "/", zero, zero});
  // A kernel that has such links looks at the path, and finds a folder.
  if (link || link.error().sys_errno == EBADF) return {};
  if (link.error().sys_errno == EPERM) return std::unexpected(link.error());
  return fail(ErrorCode::kUnsupported,
              "this kernel has no links by " + std::string(mechanism_name(mechanism)), {},
              link.error().sys_errno);
}

}  // namespace callscope
