// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "collect/calibration.hpp"
#include "collect/exit_policy.hpp"
#include "collect/host.hpp"
#include "collect/probe_plan.hpp"
#include "probes/probe_cost.hpp"
#include "report/exit_mode.hpp"
#include "symbols/demangle.hpp"
#include "target/process.hpp"

namespace callscope::cli {
namespace {

struct ListArguments {
  std::uint64_t pid = 0;
  std::vector<std::string> words;  // [BINARY] [GLOB]
  bool json = false;
};

// One function that can be probed, or the reason why not.
struct Row {
  std::string name;
  std::string module;
  std::uint64_t size_bytes = 0;
  bool emulated = false;
  std::string exit;           // "uretprobe", "ret-site", "entry-only"
  std::uint64_t cost_ns = 0;  // 0: not measured
  std::string refused;
};

ExitMode exit_of(const FoundFunction& function, const ProbeModule& module,
                 const ExitPolicy& policy) {
  const ExitMode best = safest_exit(function, module, policy.best);
  if (best != ExitMode::kRetSite) return best;
  return exit_sites_of(function, module) ? ExitMode::kRetSite : ExitMode::kEntryOnly;
}

std::vector<Row> make_rows(std::span<const ProbeModule> modules, const FunctionPattern& pattern,
                           const ExitPolicy& policy, const ProbeCosts& costs) {
  std::vector<Row> rows;
  const FindResult found = find_functions(modules, {&pattern, 1});
  for (const FoundFunction& function : found.functions) {
    const ProbeModule& module = modules[function.module];
    FunctionStats stats;  // what the cost depends on
    stats.exit = exit_of(function, module, policy);
    stats.emulated_entry = function.emulated_entry;
    rows.push_back({demangle(function.name, DemangleLevel::kSimple), module.path,
                    function.size_bytes, function.emulated_entry,
                    std::string(exit_mode_name(stats.exit)), predicted_cost_ns(costs, stats), ""});
  }
  for (const RefusedFunction& function : found.refused)
    rows.push_back({demangle(function.name, DemangleLevel::kSimple), modules[function.module].path,
                    0, false, "", 0, function.reason});
  std::ranges::stable_sort(rows, {}, &Row::name);
  return rows;
}

void print_text(const std::vector<Row>& rows) {
  fmt::print("{:>8}  {:<8}  {:<10}  {:>8}  {:<24}  {}\n", "SIZE", "ENTRY", "EXIT", "COST ns",
             "MODULE", "FUNCTION");
  std::size_t refused = 0;
  for (const Row& row : rows) {
    if (!row.refused.empty()) {
      ++refused;
      continue;
    }
    fmt::print("{:>8}  {:<8}  {:<10}  {:>8}  {:<24}  {}\n", row.size_bytes,
               row.emulated ? "emulated" : "stepped", row.exit,
               row.cost_ns == 0 ? "-" : fmt::format("{}", row.cost_ns),
               row.module.substr(row.module.rfind('/') + 1), row.name);
  }
  if (refused == 0) return;
  fmt::print("\ncannot be probed:\n");
  std::size_t stubs = 0;  // one for each function that is called in a library: no news for a reader
  for (const Row& row : rows) {
    if (row.name.ends_with("@plt"))
      ++stubs;
    else if (!row.refused.empty())
      fmt::print("  {}: {}\n", row.name, row.refused);
  }
  if (stubs != 0)
    fmt::print("  {} names NAME@plt: jumps into libraries; probe the function itself, LIB:NAME\n",
               stubs);
}

void print_json(const std::vector<Row>& rows) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    nlohmann::ordered_json item{{"name", row.name}, {"module", row.module}};
    if (!row.refused.empty()) {
      item["refused"] = row.refused;
    } else {
      item["size_bytes"] = row.size_bytes;
      item["entry"] = row.emulated ? "emulated" : "stepped";
      item["exit"] = row.exit;
      item["probe_cost_ns"] =
          row.cost_ns == 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(row.cost_ns);
    }
    list.push_back(std::move(item));
  }
  fmt::print("{}\n", list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

Result<int> print_rows(const std::vector<Row>& rows, const FunctionPattern& pattern,
                       const ListArguments& arguments) {
  if (rows.empty())
    return fail(ErrorCode::kUsage, "'" + pattern.text() + "' matches no function",
                "globs need quotes; libraries are named as LIB:GLOB");
  if (arguments.json)
    print_json(rows);
  else
    print_text(rows);
  return kExitOk;
}

// Costs are measured where we may load BPF; elsewhere the column stays empty.
ProbeCosts measured_costs() {
  const Result<ProbeCosts> costs = Calibration::start(std::nullopt).wait();
  if (costs) return *costs;
  fmt::print(stderr, "callscope: costs are not shown: {}\n", costs.error().message());
  return {};
}

Result<int> list_process(const ListArguments& arguments, const FunctionPattern& pattern) {
  const auto pid = static_cast<std::int32_t>(arguments.pid);
  const Result<Process> process = Process::open(pid);
  if (!process) return std::unexpected(process.error());
  Recording recording;
  Symbolizer symbolizer(recording);
  CS_TRY(symbolizer.refresh(pid));
  const Result<SafetyFacts> facts = inspect_target(pid);
  if (!facts) return std::unexpected(facts.error());
  const ExitPolicy policy = choose_exit_policy(*facts, describe_host().kernel);
  if (!policy.reason.empty()) fmt::print(stderr, "callscope: {}\n", policy.reason);
  const std::vector<ProbeModule> modules = probe_modules(pid, symbolizer, {&pattern, 1});
  return print_rows(make_rows(modules, pattern, policy, measured_costs()), pattern, arguments);
}

Result<int> list_binary(const ListArguments& arguments, const std::string& path,
                        const FunctionPattern& pattern) {
  const Result<ModuleImage> image = ModuleImage::open(path);
  if (!image) return std::unexpected(image.error());
  Result<TargetRoot> root = TargetRoot::host();
  if (!root) return std::unexpected(root.error());
  const TargetRoot* const roots[] = {&*root};
  const ModuleSymbols symbols = ModuleSymbols::load(*image, path, roots);
  for (const std::string& problem : symbols.problems())
    fmt::print(stderr, "callscope: {}\n", problem);
  ProbeModule module{path, path, image->build_id(), true, &image->image(), &symbols.table()};
  module.index_cold_parts();
  return print_rows(make_rows({&module, 1}, pattern, {}, measured_costs()), pattern, arguments);
}

Result<int> list(const ListArguments& arguments) {
  const std::size_t binary_words = arguments.pid == 0 ? 1 : 0;
  if (arguments.words.size() < binary_words)
    return fail(ErrorCode::kUsage, "nothing to list", "give -p PID or a BINARY");
  if (arguments.words.size() > binary_words + 1)
    return fail(ErrorCode::kUsage, "unexpected argument '" + arguments.words.back() + "'",
                "a glob needs quotes, or the shell replaces it by file names");
  const bool has_glob = arguments.words.size() > binary_words;
  Result<FunctionPattern> pattern = FunctionPattern::parse(has_glob ? arguments.words.back() : "*");
  if (!pattern) return std::unexpected(pattern.error());
  if (arguments.pid != 0) return list_process(arguments, *pattern);
  return list_binary(arguments, arguments.words.front(), *pattern);
}

}  // namespace

Command make_list_command() {
  auto arguments = std::make_shared<ListArguments>();
  Command command;
  command.name = "list";
  command.usage = "list -p PID [GLOB] | list BINARY [GLOB]";
  command.summary = "list the functions that can be probed, and what a probe costs";
  command.description =
      "Lists functions of a process or of an ELF file with their size, how their first instruction "
      "fares under a probe (emulated is cheap, stepped is dear), how the end of a call would be "
      "seen, and the cost of both probes for one call, measured on this machine. For a BINARY the "
      "exit shown is what a plain C program gets.";
  command.examples = {"sudo callscope list -p 1234 'process*'",
                      "sudo callscope list -p 1234 'libc.so.6:*alloc'",
                      "callscope list /usr/bin/redis-server '*Command'"};
  command.options = {
      {"-p,--pid", "PID", "Process to look at.", set_number(arguments->pid, 1, 4'194'304)},
      {"--json", "", "Print an array of objects instead of a table.", set_flag(arguments->json)},
      {"NAMES", "[BINARY] [GLOB]",
       "The ELF file (without -p) and a glob as for record -f. Default: all functions.",
       append_text(arguments->words), true},
  };
  command.run = [arguments](const std::vector<std::string>&) { return list(*arguments); };
  return command;
}

}  // namespace callscope::cli
