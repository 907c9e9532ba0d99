// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/capability.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <set>
#include <string_view>

#include "bpf/mechanisms.hpp"
#include "bpf/uprobe_links.hpp"
#include "cli/doctor_check.hpp"
#include "sys/parse_number.hpp"
#include "sys/read_file.hpp"
#include "target/proc_text.hpp"

namespace callscope::cli {
namespace {

std::string first_line(const std::string& path) {
  std::string text = read_file(path).value_or("");
  return text.substr(0, text.find('\n'));
}

Check check_kernel() {
  utsname name{};
  ::uname(&name);
  return {.name = "kernel",
          .finding = fmt::format("{} {} on {}; what it can do is tried below", name.sysname,
                                 name.release, name.machine)};
}

Check check_btf() {
  const std::string path = "/sys/kernel/btf/vmlinux";
  if (::access(path.c_str(), R_OK) == 0)
    return {.name = "btf", .finding = path + " is readable: programs adapt to this kernel"};
  return {.name = "btf",
          .status = CheckStatus::kFail,
          .finding = path + " cannot be read: BPF programs cannot be adapted to this kernel",
          .advice = "use a kernel with CONFIG_DEBUG_INFO_BTF=y (every Debian kernel since 11)"};
}

struct NeededCapability {
  unsigned bit;
  std::string_view name;
  std::string_view use;
};

constexpr std::array<NeededCapability, 6> kCapabilities{{
    {CAP_BPF, "BPF", "load programs"},
    {CAP_PERFMON, "PERFMON", "attach them, sample CPUs"},
    {CAP_SYS_PTRACE, "SYS_PTRACE", "read other users' processes"},
    {CAP_DAC_READ_SEARCH, "DAC_READ_SEARCH", "read their programs and descriptors"},
    {CAP_SYSLOG, "SYSLOG", "kernel function names"},
    {CAP_SYS_ADMIN, "SYS_ADMIN", "perf-event uprobes on older kernels"},
}};

Check check_capabilities(std::string_view status) {
  const std::uint64_t effective = status_number(status, "CapEff", 16).value_or(0);
  const auto has = [&](unsigned bit) { return (effective >> bit & 1U) != 0; };
  std::vector<std::string> missing;
  for (const NeededCapability& needed : kCapabilities) {
    const bool implied = (needed.bit == CAP_BPF || needed.bit == CAP_PERFMON) && has(CAP_SYS_ADMIN);
    if (!has(needed.bit) && !implied)
      missing.push_back(fmt::format("{} ({})", needed.name, needed.use));
  }
  if (missing.empty())
    return {.name = "capabilities", .finding = "all that callscope uses are there"};
  return {.name = "capabilities",
          .status = CheckStatus::kWarn,
          .finding = fmt::format("missing: {}", fmt::join(missing, ", ")),
          .advice = "run with sudo, or grant what is missing"};
}

// The active mode stands in brackets: "none [integrity] confidentiality".
Check check_lockdown() {
  const std::string modes = first_line("/sys/kernel/security/lockdown");
  const std::size_t open = modes.find('[');
  const std::size_t close = modes.find(']');
  if (open == std::string::npos || close == std::string::npos || close < open)
    return {.name = "lockdown", .finding = "not visible; it restricts nothing that we could see"};
  const std::string mode = modes.substr(open + 1, close - open - 1);
  if (mode != "confidentiality")
    return {.name = "lockdown", .finding = mode + ": does not restrict callscope"};
  return {.name = "lockdown",
          .status = CheckStatus::kFail,
          .finding = "confidentiality: BPF programs may not read kernel memory",
          .advice = "boot with lockdown=integrity"};
}

Check check_paranoid(std::string_view status) {
  const std::string level = first_line("/proc/sys/kernel/perf_event_paranoid");
  const std::uint64_t effective = status_number(status, "CapEff", 16).value_or(0);
  const bool exempt =
      (effective >> CAP_PERFMON & 1U) != 0 || (effective >> CAP_SYS_ADMIN & 1U) != 0;
  if (exempt || level.empty())
    return {.name = "perf_event_paranoid",
            .finding = fmt::format("{}: does not apply with our capabilities", level)};
  return {.name = "perf_event_paranoid",
          .status = CheckStatus::kWarn,
          .finding = level + ": without CAP_PERFMON all CPUs cannot be sampled",
          .advice = "run with sudo"};
}

// With kptr_restrict the file can be read, but every address in it is 0.
Check check_kernel_symbols() {
  std::ifstream file("/proc/kallsyms");
  std::string line;
  constexpr int kLines = 100;
  bool readable = false;
  for (int i = 0; i < kLines && !readable && std::getline(file, line); ++i)
    readable = line.substr(0, line.find(' ')).find_first_not_of('0') != std::string::npos;
  const std::string restrict = first_line("/proc/sys/kernel/kptr_restrict");
  if (readable)
    return {.name = "kernel_symbols",
            .finding = fmt::format("/proc/kallsyms shows addresses (kptr_restrict {})", restrict)};
  return {.name = "kernel_symbols",
          .status = CheckStatus::kWarn,
          .finding = fmt::format("/proc/kallsyms hides addresses (kptr_restrict {}): kernel frames "
                                 "stay without names",
                                 restrict),
          .advice = restrict == "2" ? "sysctl kernel.kptr_restrict=1, and run with sudo"
                                    : "run with sudo"};
}

Check check_own_seccomp(std::string_view status) {
  if (status_number(status, "Seccomp").value_or(0) == 0)
    return {.name = "own_seccomp", .finding = "callscope itself runs under no filter"};
  return {.name = "own_seccomp",
          .status = CheckStatus::kWarn,
          .finding =
              "callscope itself runs under a seccomp filter, which may refuse bpf() and "
              "perf_event_open()",
          .advice = "in a container: --privileged, or --security-opt seccomp=unconfined"};
}

// Not needed, but people look for it first when something fails.
// Probes of others for one process: where a recording needs the same instruction it keeps clear.
Check check_other_uprobes() {
  std::size_t probes = 0;
  std::set<std::int32_t> pids;
  for (const UprobeLink& link : list_uprobe_links()) {
    if (link.pid == 0) continue;
    probes += link.offsets.size();
    pids.insert(link.pid);
  }
  if (pids.empty()) return {.name = "other_uprobes", .finding = "no other tool probes a process"};
  return {.name = "other_uprobes",
          .status = CheckStatus::kWarn,
          .finding = fmt::format("other tools have {} uprobes for process {}: two return probes on "
                                 "one instruction meddle across processes",
                                 probes, fmt::join(pids, ", ")),
          .advice =
              "callscope keeps clear of those that stand when it starts; start no other tool "
              "with return probes on the same files while it records"};
}

Check check_tracefs() {
  const bool mounted = ::access("/sys/kernel/tracing/events", F_OK) == 0;
  return {.name = "tracefs",
          .finding = mounted ? "mounted; callscope does not need it"
                             : "not mounted or not readable; callscope does not need it"};
}

Check mechanism_check(const Mechanism& mechanism, bool any_probe) {
  std::string name = mechanism.name;
  std::ranges::replace_if(name, [](char c) { return c == ' ' || c == '-'; }, '_');
  Check check{.name = name, .finding = mechanism.detail};
  if (mechanism.available) return check;
  const bool probe = mechanism.name.contains("uprobe");
  const bool optional = mechanism.name.contains("hardware") || (probe && any_probe);
  check.status = optional ? CheckStatus::kWarn : CheckStatus::kFail;
  if (!optional) {
    check.advice =
        ::geteuid() == 0 ? "see the reason; in a container, give it --privileged" : "run with sudo";
  }
  return check;
}

}  // namespace

MachineChecks check_machine() {
  const std::string status = read_file("/proc/self/status").value_or("");
  MachineChecks result;
  result.checks = {check_kernel(),
                   check_btf(),
                   check_capabilities(status),
                   check_lockdown(),
                   check_paranoid(status),
                   check_kernel_symbols(),
                   check_own_seccomp(status),
                   check_tracefs(),
                   check_other_uprobes()};
  const std::vector<Mechanism> mechanisms = probe_mechanisms();
  const auto works = [](const Mechanism& mechanism, std::string_view part) {
    return mechanism.available && mechanism.name.contains(part);
  };
  const bool any_probe = std::ranges::any_of(
      mechanisms, [&](const Mechanism& mechanism) { return works(mechanism, "uprobe"); });
  const bool sampling = std::ranges::any_of(
      mechanisms, [&](const Mechanism& mechanism) { return works(mechanism, "CPU sampling"); });
  for (const Mechanism& mechanism : mechanisms)
    result.checks.push_back(mechanism_check(mechanism, any_probe));
  result.can_record = any_probe || sampling;
  return result;
}

}  // namespace callscope::cli
