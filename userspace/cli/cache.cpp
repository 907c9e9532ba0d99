// SPDX-License-Identifier: Apache-2.0
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "callscope/time.hpp"
#include "cli/command.hpp"
#include "symbols/module_cache.hpp"
#include "unwind/load_table.hpp"

namespace callscope::cli {
namespace {

struct CacheArguments {
  std::vector<std::string> words;  // stats|clear|warm [FILE...]
  std::uint64_t pid = 0;           // 0: none
  std::string directory;           // empty: the default
  std::uint64_t max_megabytes = UnwindCacheLimits().max_bytes >> 20;
  std::uint64_t max_age_ns =
      static_cast<std::uint64_t>(std::chrono::nanoseconds(UnwindCacheLimits().max_age).count());
  bool json = false;
};

// A module that is to be warmed, and what became of it.
struct Row {
  std::string path;
  const ElfImage* image = nullptr;
  std::string problem;
  bool from_cache = false;
  std::uint64_t took_ns = 0;
  std::uint64_t rows = 0;
  std::uint64_t rules = 0;
  std::uint64_t table_bytes = 0;
  std::uint64_t invalid_rows = 0;
};

// Everything that a row points to.
struct WarmModules {
  std::deque<ModuleImage> files;
  ModuleCache mapped;
  std::vector<Row> rows;
};

void add_files(WarmModules& modules, std::span<const std::string> paths) {
  for (const std::string& path : paths) {
    Row& row = modules.rows.emplace_back();
    row.path = path;
    Result<ModuleImage> image = ModuleImage::open(path);
    if (image)
      row.image = &modules.files.emplace_back(std::move(*image)).image();
    else
      row.problem = image.error().message();
  }
}

Result<void> add_process(WarmModules& modules, std::int32_t pid) {
  const Result<std::vector<Mapping>> mappings = read_maps(pid);
  if (!mappings) return std::unexpected(mappings.error());
  Result<TargetRoot> opened = TargetRoot::of_process(pid);
  if (!opened) return std::unexpected(opened.error());
  // Shared by the modules of the process, which may look for debug files in it.
  const auto root = std::make_shared<const TargetRoot>(std::move(*opened));
  for (const Mapping& mapping : *mappings) {
    const bool is_module = mapping.inode != 0 || mapping.path == "[vdso]";
    if (mapping.executable && is_module) modules.mapped.open(pid, mapping, root);
  }
  for (const std::unique_ptr<CachedModule>& module : modules.mapped.modules()) {
    Row& row = modules.rows.emplace_back();
    row.path = module->path();
    const ModuleImage* const image = module->image();
    if (image != nullptr)
      row.image = &image->image();
    else
      row.problem = module->problem();
  }
  return {};
}

void fill(Row& row, const Result<LoadedTable>& loaded) {
  if (!loaded) {
    row.problem = loaded.error().message();
    return;
  }
  const UnwindTable& table = loaded->table;
  row.from_cache = loaded->from_cache;
  row.took_ns = static_cast<std::uint64_t>(loaded->took.count());
  row.rows = table.rows.size();
  row.rules = table.rules.size();
  row.table_bytes = table.rows.size() * sizeof(cs_unwind_row) +
                    table.rules.size() * sizeof(cs_unwind_rule) +
                    table.pages.size() * sizeof(UnwindPage);
  row.invalid_rows =
      std::accumulate(table.invalid_rows.begin(), table.invalid_rows.end(), std::uint64_t{0});
}

void load_all(std::vector<Row>& rows, UnwindCache& cache) {
  std::vector<TableSource> sources;
  std::vector<Row*> targets;
  for (Row& row : rows) {
    if (row.image == nullptr) continue;
    sources.push_back({row.image});
    targets.push_back(&row);
  }
  load_or_compile_all(sources, &cache, 0, [&](std::size_t i, const Result<LoadedTable>& loaded) {
    fill(*targets[i], loaded);
  });
}

std::string_view source_of(const Row& row) {
  if (row.from_cache) return "cache";
  return row.image->build_id().empty() ? "not cached" : "compiled";
}

void print_text(const std::vector<Row>& rows) {
  fmt::print("{:>8}  {:>8}  {:>6}  {:>8}  {:>7}  {:<10}  {}\n", "TIME ms", "ROWS", "RULES", "BYTES",
             "INVALID", "FROM", "FILE");
  for (const Row& row : rows) {
    if (!row.problem.empty()) continue;
    fmt::print("{:>8.1f}  {:>8}  {:>6}  {:>8}  {:>7}  {:<10}  {}\n",
               static_cast<double>(row.took_ns) / 1e6, row.rows, row.rules, row.table_bytes,
               row.invalid_rows, source_of(row), row.path);
  }
}

void print_json(const std::vector<Row>& rows) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    nlohmann::ordered_json item{{"file", row.path}};
    if (!row.problem.empty()) {
      item["problem"] = row.problem;
    } else {
      item.update({{"from", source_of(row)},
                   {"took_ns", row.took_ns},
                   {"rows", row.rows},
                   {"rules", row.rules},
                   {"bytes", row.table_bytes},
                   {"invalid_rows", row.invalid_rows}});
    }
    list.push_back(std::move(item));
  }
  fmt::print("{}\n", list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

Result<int> warm(const CacheArguments& arguments, UnwindCache& cache) {
  const auto paths = std::span(arguments.words).subspan(1);
  if (paths.empty() && arguments.pid == 0)
    return fail(ErrorCode::kUsage, "nothing to warm", "name ELF files, or a process with -p");
  WarmModules modules;
  add_files(modules, paths);
  if (arguments.pid != 0) CS_TRY(add_process(modules, static_cast<std::int32_t>(arguments.pid)));
  load_all(modules.rows, cache);
  cache.trim();
  if (arguments.json)
    print_json(modules.rows);
  else
    print_text(modules.rows);
  bool complete = cache.problem().empty();
  if (!complete) fmt::print(stderr, "callscope: {}\n", cache.problem());
  for (const Row& row : modules.rows) {
    if (row.problem.empty()) continue;
    fmt::print(stderr, "callscope: {}: {}\n", row.path, row.problem);
    complete = false;
  }
  return complete ? kExitOk : kExitFailure;
}

Result<int> stats(const CacheArguments& arguments, UnwindCache& cache) {
  const UnwindCacheStats sum = cache.stats();
  if (!cache.problem().empty()) return fail(ErrorCode::kIo, cache.problem());
  if (arguments.json) {
    const nlohmann::ordered_json item{{"directory", cache.directory()},
                                      {"files", sum.files},
                                      {"bytes", sum.bytes},
                                      {"oldest_use_s", sum.oldest_use_s}};
    fmt::print("{}\n", item.dump(2));
    return kExitOk;
  }
  fmt::print("{}: {} unwind tables, {:.1f} MB", cache.directory(), sum.files,
             static_cast<double>(sum.bytes) / 1e6);
  if (sum.files != 0)
    fmt::print(", the oldest last used {:%Y-%m-%d %H:%M}", fmt::localtime(sum.oldest_use_s));
  fmt::print("\n");
  return kExitOk;
}

Result<int> clear(UnwindCache& cache) {
  const UnwindCacheStats removed = cache.clear();
  if (!cache.problem().empty()) return fail(ErrorCode::kIo, cache.problem());
  fmt::print("removed {} unwind tables, {:.1f} MB\n", removed.files,
             static_cast<double>(removed.bytes) / 1e6);
  return kExitOk;
}

Result<int> run_cache(const CacheArguments& arguments) {
  if (arguments.words.empty())
    return fail(ErrorCode::kUsage, "nothing to do", "say stats, clear or warm");
  const std::string directory =
      arguments.directory.empty() ? UnwindCache::default_directory() : arguments.directory;
  if (directory.empty())
    return fail(ErrorCode::kUsage, "no place for the cache: HOME is not set", "give --cache-dir");
  const std::string& action = arguments.words.front();
  if (action != "warm" && (arguments.words.size() > 1 || arguments.pid != 0))
    return fail(ErrorCode::kUsage, "'" + action + "' takes neither files nor a process");
  UnwindCache cache(
      directory, {arguments.max_megabytes << 20,
                  std::chrono::duration_cast<std::chrono::seconds>(
                      std::chrono::nanoseconds(static_cast<std::int64_t>(arguments.max_age_ns)))});
  if (action == "stats") return stats(arguments, cache);
  if (action == "clear") return clear(cache);
  if (action == "warm") return warm(arguments, cache);
  return fail(ErrorCode::kUsage, "'" + action + "' is not valid", "expected stats, clear or warm");
}

}  // namespace

Command make_cache_command() {
  auto arguments = std::make_shared<CacheArguments>();
  Command command;
  command.name = "cache";
  command.usage = "cache stats | cache clear | cache warm [FILE...] [-p PID]";
  command.summary = "unwind tables on disk: show, remove, or make them beforehand";
  command.description =
      "To walk stacks without frame pointers, a table is compiled from the .eh_frame of each file "
      "that a process maps, and kept by build-id for all later runs. Large programs take a tenth "
      "of a second. warm makes the tables of files or of all that a process maps, and says for "
      "each: the TIME it took, its ROWS, the RULES that they name, its size in BYTES, how many "
      "rows are INVALID, as no rule can say what they need, and where it is FROM.";
  command.examples = {"sudo callscope cache warm -p 1234",
                      "sudo callscope cache warm /usr/bin/redis-server", "callscope cache stats"};
  command.options = {
      {"ACTION", "ACTION", "stats, clear or warm; behind warm the ELF files whose tables it makes.",
       append_text(arguments->words), true},
      {"-p,--pid", "PID", "warm: all that the process maps.",
       set_number(arguments->pid, 1, 4'194'304)},
      {"--cache-dir", "DIR",
       "Where the tables are. Default: /var/cache/callscope for root, else callscope in "
       "$XDG_CACHE_HOME or ~/.cache.",
       set_text(arguments->directory)},
      {"--max-size", "MB",
       "warm: when there is more, what was not used for the longest time goes. Default: 256.",
       set_number(arguments->max_megabytes, 1, 1 << 20)},
      {"--max-age", "TIME",
       "warm: what was not used for so long goes. Default: 2160h, which is 90 days.",
       set_duration(arguments->max_age_ns, kNsPerSecond, 3650 * 86400 * kNsPerSecond)},
      {"--json", "", "Print JSON instead of text.", set_flag(arguments->json)},
  };
  command.run = [arguments](const std::vector<std::string>&) { return run_cache(*arguments); };
  return command;
}

}  // namespace callscope::cli
