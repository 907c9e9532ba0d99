// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"
#include "cli/doctor_check.hpp"
#include "cli/terminal.hpp"

namespace callscope::cli {
namespace {

struct DoctorArguments {
  std::uint64_t pid = 0;  // 0: the machine only
  bool json = false;
};

struct StatusLook {
  std::string_view name;
  std::string_view color;  // terminal escape
};

StatusLook look_of(CheckStatus status) {
  constexpr std::array<StatusLook, 3> kLooks{
      {{"ok", "\x1b[32m"}, {"warn", "\x1b[33m"}, {"fail", "\x1b[31m"}}};
  return kLooks[static_cast<std::size_t>(status)];
}

// A space-separated title instead of the key of the JSON output.
std::string title_of(std::string name) {
  for (char& c : name)
    if (c == '_') c = ' ';
  return name;
}

void print_checks(const std::vector<Check>& checks, bool color) {
  for (const Check& check : checks) {
    const StatusLook look = look_of(check.status);
    const std::string advice = check.advice.empty() ? "" : " -> " + check.advice;
    fmt::print("  {}{:<4}{}  {:<21} {}{}\n", color ? look.color : "", look.name,
               color ? "\x1b[0m" : "", title_of(check.name), check.finding, advice);
  }
}

nlohmann::ordered_json checks_as_json(const std::vector<Check>& checks) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Check& check : checks) {
    list.push_back({{"name", check.name},
                    {"status", look_of(check.status).name},
                    {"finding", check.finding},
                    {"advice", check.advice}});
  }
  return list;
}

void print_json(const MachineChecks& machine, const std::vector<Check>& target) {
  nlohmann::ordered_json document{{"schema", "callscope.doctor/1"},
                                  {"can_record", machine.can_record},
                                  {"machine", checks_as_json(machine.checks)}};
  if (!target.empty()) document["target"] = checks_as_json(target);
  // A path of the target may hold bytes that are not UTF-8.
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
  fmt::print("{}\n", document.dump(2, ' ', false, kReplace));
}

Result<int> run_doctor(const DoctorArguments& arguments) {
  std::vector<Check> target;
  if (arguments.pid != 0) {
    Result<std::vector<Check>> checks = check_target(static_cast<std::int32_t>(arguments.pid));
    if (!checks) return std::unexpected(checks.error());
    target = std::move(*checks);
  }
  const MachineChecks machine = check_machine();
  const int code = machine.can_record ? kExitOk : kExitNotPermitted;
  if (arguments.json) {
    print_json(machine, target);
    return code;
  }
  const bool color = use_color(STDOUT_FILENO);
  fmt::print("This machine\n");
  print_checks(machine.checks, color);
  if (!target.empty()) {
    fmt::print("\nProcess {}\n", arguments.pid);
    print_checks(target, color);
  }
  fmt::print("\n{}\n", machine.can_record ? "callscope can record here."
                       : ::geteuid() == 0 ? "callscope cannot record here: see what failed."
                                          : "callscope cannot record as this user: try sudo.");
  return code;
}

}  // namespace

Command make_doctor_command() {
  const auto arguments = std::make_shared<DoctorArguments>();  // shared by the setters and run
  Command command;
  command.name = "doctor";
  command.usage = "doctor [-p PID] [--json]";
  command.summary = "say what works on this machine, and what is safe in a process";
  command.description =
      "Tries each kernel mechanism that callscope uses and shows what works, what is missing and "
      "what to do. With -p also what was found in that process (exceptions, Go, fibers, seccomp, "
      "symbols, frame pointers) and what it means for a recording. Changes nothing; needs no "
      "root, but without it shows what root would add. Exit code 0: recording is possible; 3: it "
      "is not; 4: no such process.";
  command.examples = {"sudo callscope doctor", "sudo callscope doctor -p $(pidof redis-server)",
                      "callscope doctor --json | jq '.machine[] | select(.status != \"ok\")'"};
  command.options = {
      {.names = "-p,--pid",
       .value = "PID",
       .help = "Also inspect this process. Default: the machine only.",
       .set = set_number(arguments->pid, 1, std::numeric_limits<std::int32_t>::max())},
      {.names = "--json",
       .value = "",
       .help = "Write one JSON object instead of text.",
       .set = set_flag(arguments->json)},
  };
  command.run = [arguments](const std::vector<std::string>&) { return run_doctor(*arguments); };
  return command;
}

}  // namespace callscope::cli
