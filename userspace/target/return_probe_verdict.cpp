// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <compare>
#include <optional>
#include <string>
#include <utility>

#include "sys/parse_number.hpp"
#include "target/safety.hpp"

namespace callscope {
namespace {

struct KernelVersion {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  auto operator<=>(const KernelVersion&) const = default;
};

// "6.18.44-amd64" to 6.18.
std::optional<KernelVersion> parse_release(std::string_view release) {
  const std::size_t dot = release.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view rest = release.substr(dot + 1);
  const auto major = parse_number<std::uint32_t>(release.substr(0, dot));
  const auto minor =
      parse_number<std::uint32_t>(rest.substr(0, rest.find_first_not_of("0123456789")));
  if (!major || !minor) return std::nullopt;
  return KernelVersion{*major, *minor};
}

std::string first_of(const std::vector<std::string>& paths) {
  const std::string name(file_name(paths.front()));
  if (paths.size() == 1) return name;
  return fmt::format("{} and {} more", name, paths.size() - 1);
}

std::string unwinder_evidence(const SafetyFacts& facts) {
  if (facts.unwinders.empty()) return "an unwinder can be loaded";
  if (facts.unwinders.front() == facts.throwers.front()) return "its unwinder is linked in";
  return fmt::format("{} is mapped", file_name(facts.unwinders.front()));
}

// "" when exceptions are no danger.
std::string exception_danger(const SafetyFacts& facts) {
  if (facts.throwers.empty()) return {};
  const std::string unwinder = unwinder_evidence(facts);
  const bool guessed = facts.statically_linked && facts.symbols != SymbolSource::kSymtab;
  return fmt::format(
      "{} {}use exceptions ({}), and a throw through a return probe kills the process",
      first_of(facts.throwers), guessed ? "is static and stripped and may " : "can ",
      guessed ? "its unwinder cannot be excluded" : unwinder);
}

// A return probe is a system call from 6.11 on; filters let it pass from 6.14 on.
std::string kernel_danger(const SafetyFacts& facts, std::string_view release) {
  constexpr KernelVersion kSyscallSince{6, 11};
  constexpr KernelVersion kFilterFixed{6, 14};
  const std::optional<KernelVersion> kernel = parse_release(release);
  const bool kills = !kernel || (*kernel >= kSyscallSince && *kernel < kFilterFixed);
  if (facts.seccomp_mode != 0 && kills) {
    return fmt::format(
        "the target has a seccomp filter, and kernel {} may kill it at the system "
        "call behind a return probe",
        release);
  }
  if (facts.shadow_stack && (!kernel || *kernel < kSyscallSince)) {
    return fmt::format("the target has a shadow stack, and return probes of kernel {} break it",
                       release);
  }
  return {};
}

std::string danger(const SafetyFacts& facts, std::string_view release) {
  if (facts.program_class == ProgramClass::kElf32)
    return "32-bit programs are not supported by return probes";
  if (facts.program_class == ProgramClass::kUnknown)
    return "the executable could not be read, so nothing proves return probes safe";
  if (!facts.go_modules.empty()) {
    return fmt::format("{} is Go, which moves its stacks: a return probe crashes it",
                       first_of(facts.go_modules));
  }
  if (std::string text = exception_danger(facts); !text.empty()) return text;
  if (!facts.fibers.empty()) {
    return fmt::format("{} switches stacks (fibers), and return probes expect one stack a thread",
                       facts.fibers.front());
  }
  if (!facts.unreadable.empty()) {
    return fmt::format("{} could not be inspected, so nothing proves return probes safe",
                       first_of(facts.unreadable));
  }
  return kernel_danger(facts, release);
}

}  // namespace

ReturnProbeVerdict return_probe_verdict(const SafetyFacts& facts, std::string_view kernel_release) {
  std::string why = danger(facts, kernel_release);
  const bool kernel = !kernel_danger(facts, kernel_release).empty();
  if (!why.empty()) return {.safe = false, .kernel_danger = kernel, .reason = std::move(why)};
  if (facts.unwinders.empty())
    return {.safe = true,
            .kernel_danger = false,
            .reason = "no unwinder, no Go and no fibers in the target"};
  return {.safe = true,
          .kernel_danger = false,
          .reason = fmt::format("{} is mapped, but no module throws or catches through others",
                                file_name(facts.unwinders.front()))};
}

}  // namespace callscope
