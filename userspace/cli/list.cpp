// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>

#include "callscope/names.hpp"
#include "cli/command.hpp"
#include "cli/list_markers.hpp"
#include "collect/calibration.hpp"
#include "collect/exit_policy.hpp"
#include "collect/host.hpp"
#include "collect/probe_plan.hpp"
#include "probes/function_plan.hpp"
#include "probes/probe_cost.hpp"
#include "probes/usdt.hpp"
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
  std::uint64_t site_off_bytes = 0;  // of the entry probe, from the function's start
  bool emulated_entry = false;
  std::string exit;                 // "uretprobe", "ret-site", "entry-only"
  std::string why_not_better;       // empty: no reason of the function's own
  std::size_t exit_sites = 0;       // of ret-site
  std::size_t emulated_exits = 0;   // of these
  std::uint64_t probe_cost_ns = 0;  // 0: not measured
  std::string refused;
};

std::string_view class_name(bool emulated) { return emulated ? "emulated" : "stepped"; }

Row make_row(const FoundFunction& function, ModuleCode& module, const PlanRules& rules,
             const ProbeCosts& costs) {
  const FunctionPlan plan = plan_function(function, module, rules);
  FunctionStats stats;
  stats.exit = plan.exit;
  stats.emulated_entry = plan.entry.emulated;
  stats.emulated_exits = exits_are_emulated(plan);
  Row row;
  row.name = demangle(function.name, DemangleLevel::kSimple);
  row.module = module.module().path;
  row.size_bytes = function.size_bytes;
  row.site_off_bytes = plan.entry.addr - function.addr;
  row.emulated_entry = plan.entry.emulated;
  row.exit = name_of(plan.exit);
  row.why_not_better = plan.why_not_better;
  row.exit_sites = plan.exits.size();
  row.emulated_exits =
      static_cast<std::size_t>(std::ranges::count(plan.exits, true, &ExitSite::emulated));
  row.probe_cost_ns = predicted_cost_ns(costs, stats);
  return row;
}

std::vector<Row> make_rows(std::span<const ProbeModule> modules, const FunctionPattern& pattern,
                           const PlanRules& rules, const ProbeCosts& costs) {
  std::vector<Row> rows;
  const FindResult found = find_functions(modules, {&pattern, 1});
  std::deque<ModuleCode> codes(modules.begin(), modules.end());
  for (const FoundFunction& function : found.functions)
    rows.push_back(make_row(function, codes[function.module], rules, costs));
  for (const RefusedFunction& function : found.refused) {
    Row row;
    row.name = demangle(function.name, DemangleLevel::kSimple);
    row.module = modules[function.module].path;
    row.refused = function.reason;
    rows.push_back(std::move(row));
  }
  std::ranges::stable_sort(rows, {}, &Row::name);
  return rows;
}

// "emulated", "stepped", "2 of 3 emulated"; "-" when exits have no probes of their own.
std::string exits_text(const Row& row) {
  if (row.exit_sites == 0) return "-";
  if (row.emulated_exits == row.exit_sites || row.emulated_exits == 0)
    return std::string(class_name(row.emulated_exits != 0));
  return fmt::format("{} of {} emulated", row.emulated_exits, row.exit_sites);
}

void print_refused(const std::vector<Row>& rows) {
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

void print_text(const std::vector<Row>& rows) {
  fmt::print("{:>8}  {:>5}  {:<8}  {:<10}  {:<8}  {:>8}  {:<24}  {}\n", "SIZE", "SITE", "ENTRY",
             "EXIT", "EXITS", "COST ns", "MODULE", "FUNCTION");
  bool any_refused = false;
  for (const Row& row : rows) {
    any_refused = any_refused || !row.refused.empty();
    if (!row.refused.empty()) continue;
    fmt::print("{:>8}  {:>5}  {:<8}  {:<10}  {:<8}  {:>8}  {:<24}  {}{}\n", row.size_bytes,
               fmt::format("+{}", row.site_off_bytes), class_name(row.emulated_entry), row.exit,
               exits_text(row), row.probe_cost_ns == 0 ? "-" : fmt::format("{}", row.probe_cost_ns),
               row.module.substr(row.module.rfind('/') + 1), row.name,
               row.why_not_better.empty() ? "" : fmt::format("  ({})", row.why_not_better));
  }
  if (any_refused) print_refused(rows);
}

nlohmann::ordered_json to_json(const Row& row) {
  nlohmann::ordered_json item{{"name", row.name}, {"module", row.module}};
  if (!row.refused.empty()) {
    item["refused"] = row.refused;
    return item;
  }
  item["size_bytes"] = row.size_bytes;
  item["site_off_bytes"] = row.site_off_bytes;
  item["entry"] = class_name(row.emulated_entry);
  item["exit"] = row.exit;
  if (!row.why_not_better.empty()) item["why_not_better"] = row.why_not_better;
  item["exit_sites"] = {{"emulated", row.emulated_exits},
                        {"stepped", row.exit_sites - row.emulated_exits}};
  item["probe_cost_ns"] =
      row.probe_cost_ns == 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(row.probe_cost_ns);
  return item;
}

void print_json(const std::vector<Row>& rows) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Row& row : rows) list.push_back(to_json(row));
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
  const ExitPolicy policy = choose_exit_policy(*facts, describe_host().kernel, true);
  if (!policy.reason.empty()) fmt::print(stderr, "callscope: {}\n", policy.reason);
  const std::vector<ProbeModule> modules = probe_modules(pid, symbolizer, {&pattern, 1});
  PlanRules rules;
  rules.best = policy.best;
  rules.proof_allows_return_probe = policy.return_probes_where_proven;
  rules.shadow_stack = policy.shadow_stack;
  return print_rows(make_rows(modules, pattern, rules, measured_costs()), pattern, arguments);
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
  if (has_glob && UsdtPattern::is_one(arguments.words.back()))
    return arguments.pid != 0
               ? list_markers(static_cast<std::int32_t>(arguments.pid), arguments.words.back(),
                              arguments.json)
               : list_markers(arguments.words.front(), arguments.words.back(), arguments.json);
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
      "Lists functions of a process or of an ELF file: SIZE in bytes; SITE, where the entry probe "
      "stands, in bytes from the function's start; ENTRY, how the instruction there fares under a "
      "probe (emulated is cheap, stepped is dear); EXIT, how the end of a call would be seen; "
      "EXITS, the same as ENTRY of the probes there, if it has any; and the COST of all probes "
      "that "
      "one call meets, measured on this machine. In brackets: why the function gets no better exit "
      "than that. For a BINARY the exits are what a plain C program gets. A glob "
      "usdt:PROVIDER:NAME lists USDT markers.";
  command.examples = {
      "sudo callscope list -p 1234 'process*'", "sudo callscope list -p 1234 'libc.so.6:*alloc'",
      "callscope list /usr/bin/redis-server '*Command'", "sudo callscope list -p 1234 'usdt:*:*'"};
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
