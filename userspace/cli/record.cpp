// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <memory>

#include "cli/command.hpp"
#include "cli/invoking_user.hpp"
#include "cli/record_loop.hpp"
#include "cli/summary.hpp"
#include "cli/version.hpp"
#include "collect/recorder.hpp"
#include "store/recording_writer.hpp"
#include "sys/clock.hpp"
#include "sys/parse_number.hpp"
#include "target/launcher.hpp"

namespace callscope::cli {
namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kDay = 86'400'000'000'000;

struct RecordArguments {
  std::vector<std::string> pids;
  std::vector<std::string> functions;
  std::string choose_functions = "auto";
  std::vector<std::string> slow;
  double budget_percent = 5;
  std::vector<std::string> spans;
  std::uint64_t hz = 99;
  std::uint64_t duration_ns = 0;  // 0: until a signal or the end of the target
  std::uint64_t interval_ns = 1000 * kMillisecond;
  std::uint64_t max_snapshots = 1000;
  std::string output;
  std::string event = "cpu-clock";
  std::string unwind = "auto";
  std::string python = "auto";
  std::string cache_dir;
  std::string mechanism = "auto";
  std::string exit_mode = "auto";
  bool off_cpu = false;
  bool page_faults = false;
  bool unsafe = false;
  bool by_thread = false;
  bool follow_children = true;
  bool inlined_frames = true;
  bool as_root = false;
  bool quiet = false;
  bool strict = false;
};

Result<RecordOptions> record_options(const RecordArguments& arguments) {
  RecordOptions options;
  for (const std::string& text : arguments.spans) CS_TRY(add_span(options.spans, text));
  for (const std::string& text : arguments.functions) {
    if (UsdtPattern::is_one(text)) {
      Result<UsdtPattern> marker = UsdtPattern::parse(text);
      if (!marker) return std::unexpected(marker.error());
      options.spans.counted.push_back(std::move(*marker));
      continue;
    }
    Result<FunctionPattern> pattern = FunctionPattern::parse(text);
    if (!pattern) return std::unexpected(pattern.error());
    options.patterns.push_back(std::move(*pattern));
  }
  for (const std::string& text : arguments.slow) {
    Result<SlowRule> rule = SlowRule::parse(text);
    if (!rule) return std::unexpected(rule.error());
    // What is to be watched is to be probed.
    if (std::ranges::find(options.patterns, rule->pattern.text(), &FunctionPattern::text) ==
        options.patterns.end())
      options.patterns.push_back(rule->pattern);
    options.slow_rules.push_back(std::move(*rule));
  }
  options.auto_functions = arguments.choose_functions == "auto";
  options.budget_percent = arguments.budget_percent;
  options.unsafe = arguments.unsafe;
  options.by_thread = arguments.by_thread;
  if (arguments.mechanism == "session") options.mechanism = ProbeMechanism::kSession;
  if (arguments.mechanism == "multi") options.mechanism = ProbeMechanism::kMulti;
  if (arguments.mechanism == "perf-event") options.mechanism = ProbeMechanism::kPerfEvent;
  if (arguments.exit_mode == "uretprobe") options.exit_mode = ExitMode::kUretprobe;
  if (arguments.exit_mode == "ret-site") options.exit_mode = ExitMode::kRetSite;
  if (arguments.exit_mode == "entry-only") options.exit_mode = ExitMode::kEntryOnly;
  options.sample_hz = arguments.hz;
  options.clock = arguments.event == "cycles" ? SampleClock::kCycles : SampleClock::kCpuClock;
  options.off_cpu = arguments.off_cpu;
  options.page_faults = arguments.page_faults;
  options.cache_dir = arguments.cache_dir;
  if (arguments.unwind == "fp") options.unwind = UnwindMode::kFramePointer;
  if (arguments.unwind == "eh-frame") options.unwind = UnwindMode::kEhFrame;
  options.python = arguments.python == "auto";
  options.follow_children = arguments.follow_children;
  options.inlined_frames = arguments.inlined_frames;
  options.interval_ns = arguments.interval_ns;
  options.max_snapshots = arguments.max_snapshots;
  options.tool_version = kVersion;
  return options;
}

// "callscope-redis-server-1234-20261121-153000.cscope"
std::string default_output(const Target& target) {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  std::string comm;
  for (const char c : target.comm) comm += (c == '/' || c == ' ') ? '_' : c;
  return fmt::format("callscope-{}-{}-{:04}{:02}{:02}-{:02}{:02}{:02}.cscope", comm, target.pid,
                     local.tm_year + 1900, local.tm_mon + 1, local.tm_mday, local.tm_hour,
                     local.tm_min, local.tm_sec);
}

std::optional<Credentials> command_user(const RecordArguments& arguments) {
  if (arguments.as_root || ::geteuid() != 0) return std::nullopt;
  const auto text = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string_view(value == nullptr ? "" : value);
  };
  return sudo_caller(text("SUDO_UID"), text("SUDO_GID"), text("SUDO_USER"));
}

void announce(const Recording& recording, const std::string& output) {
  const Target& target = recording.target;
  std::string what;
  if (!recording.functions.empty())
    what +=
        fmt::format("{} functions by {}, ", recording.functions.size(), recording.probe_mechanism);
  if (!recording.spans.empty()) what += fmt::format("{} spans, ", recording.spans.size());
  if (recording.sample_hz != 0) what += fmt::format("CPU stacks at {} Hz, ", recording.sample_hz);
  if (recording.off_cpu) what += "waits by stack, ";
  if (recording.page_faults) what += "page faults by stack, ";
  fmt::print(stderr, "callscope: recording {} ({}) into {}: {}memory and files; Ctrl-C ends it\n",
             target.comm, target.pid, output, what);
  for (const std::string& note : recording.notes) fmt::print(stderr, "callscope: {}\n", note);
}

// What the command left behind, as a shell would say it.
int command_exit_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// After the recording: the exit code is the command's, once it has ended.
Result<int> pass_on_exit_code(LaunchedTarget& launched, RecordEnd end) {
  std::optional<int> status = launched.poll_status();
  if (!status && end == RecordEnd::kSignal) return kExitOk;
  if (!status) {
    fmt::print(stderr, "callscope: waiting for the command to end; Ctrl-C leaves it running\n");
    const Result<int> waited = launched.wait_status();
    if (!waited) return std::unexpected(waited.error());
    status = *waited;
  }
  return command_exit_code(*status);
}

// Numbers of -p, each once.
Result<std::vector<std::int32_t>> parse_pids(const std::vector<std::string>& texts) {
  std::vector<std::int32_t> pids;
  for (const std::string& text : texts) {
    const auto pid = parse_number<std::int32_t>(text, 1, 4'194'304);
    if (!pid)
      return fail(ErrorCode::kUsage, "-p,--pid: '" + text + "' is not allowed",
                  "a whole number from 1 to 4194304");
    if (std::ranges::find(pids, *pid) == pids.end()) pids.push_back(*pid);
  }
  return pids;
}

Result<int> record(const RecordArguments& arguments, const std::vector<std::string>& command) {
  if (arguments.pids.empty() && command.empty())
    return fail(ErrorCode::kUsage, "nothing to record", "give -p PID or -- COMMAND");
  if (!arguments.pids.empty() && !command.empty())
    return fail(ErrorCode::kUsage, "both -p and a command were given", "give one of them");
  Result<RecordOptions> options = record_options(arguments);
  if (!options) return std::unexpected(options.error());
  Result<std::vector<std::int32_t>> pids = parse_pids(arguments.pids);
  if (!pids) return std::unexpected(pids.error());
  RecordSignals signals;  // from here on a signal ends the recording, not us
  std::optional<LaunchedTarget> launched;
  std::int32_t pid = 0;
  if (command.empty()) {
    pid = pids->front();
    options->more_pids.assign(pids->begin() + 1, pids->end());
  } else {
    Result<LaunchedTarget> started = LaunchedTarget::start({command, command_user(arguments)});
    if (!started) return std::unexpected(started.error());
    launched.emplace(std::move(*started));
    pid = launched->pid();
    options->await_libraries = true;
    options->stands_in_loader = launched->stopped_at() == LoaderStop::kLibrariesMapped;
  }
  Result<std::unique_ptr<Recorder>> recorder = Recorder::create(pid, *options);
  if (!recorder) return std::unexpected(recorder.error());
  Recording& recording = (*recorder)->recording();
  recording.target.launched = launched.has_value();
  const std::string output =
      arguments.output.empty() ? default_output(recording.target) : arguments.output;
  Result<RecordingWriter> writer = RecordingWriter::create(output, invoking_user());
  if (!writer) return std::unexpected(writer.error());
  (*recorder)->enable();
  if (launched) CS_TRY(launched->resume());
  // From the first word on, a killed recorder leaves a readable file.
  if (const Result<void> flushed = writer->flush(recording); !flushed)
    fmt::print(stderr, "callscope: {}\n", flushed.error().message());
  if (!arguments.quiet) announce(recording, output);

  RecordLoop loop(**recorder, *writer, signals,
                  {arguments.duration_ns, arguments.interval_ns, !arguments.quiet});
  const RecordEnd end = loop.run();
  if (launched && end == RecordEnd::kTargetExit) {
    const Result<int> status = launched->wait_status();
    if (status) recording.target.exit_status = *status;
  }
  const std::vector<Error> failures = loop.finish(end);
  signals.restore();
  if (!arguments.quiet) print_summary(recording);
  for (const Error& failure : failures) fmt::print(stderr, "callscope: {}\n", failure.message());
  if (!failures.empty()) return kExitFailure;
  fmt::print(stderr, "callscope: wrote {}\n", output);
  if (arguments.strict && report_incomplete(recording)) return kExitIncomplete;
  if (launched) return pass_on_exit_code(*launched, end);
  return kExitOk;
}

std::vector<Option> record_option_table(RecordArguments& a) {
  return {
      {"-p,--pid", "PID",
       "Process to record. Repeatable, and comma-separated: further ones are recorded with the "
       "first, which the recording is named after and ends with.",
       append_list(a.pids), true},
      {"-f,--function", "GLOB",
       "Functions to time: a glob on names in the executable, or LIB:GLOB for a library "
       "(libc.so.6:malloc, 'libssl*:SSL_*'). C++ names match with and without parameters. "
       "usdt:PROVIDER:NAME counts the hits of a marker. "
       "Repeatable, and comma-separated. Default: see --functions.",
       append_list(a.functions), true},
      {"--functions", "NAME",
       "Without -f: auto probes the functions of the executable that are on hot stacks in the "
       "first second, and their callers; none probes no function. Default: auto.",
       set_choice(a.choose_functions, {"auto", "none"})},
      {"--budget", "PERCENT",
       "What all probes together may take of one CPU. Beyond it the hottest functions are timed "
       "one call in N, then only counted, then left alone, each marked in the report. 0: no "
       "limit. Default: 5.",
       set_decimal(a.budget_percent, 0, 100)},
      {"--slow", "GLOB>TIME",
       "Log each call of these functions that takes longer, with its arguments, its callers and "
       "its time on CPU and blocked; --only-slow of report shows the CPU stacks inside them. "
       "They are probed even if -f does not name them. Without a library it is about every "
       "probed function of that name. Repeatable.",
       append_text(a.slow), true},
      {"--per-thread", "", "Keep the call tree of each thread apart.", set_flag(a.by_thread)},
      {"--span", "SPAN",
       "Time from one point of the program to another: NAME=FROM..TO, where a point is a function "
       "as for -f or a marker usdt:PROVIDER:NAME. FROM is where the function is entered, TO where "
       "it is left, unless @entry or @exit stands behind it. Both are paired by thread; with :argN "
       "at the end by the value of their argument N, for work that changes threads. A glob without "
       "'=' asks for the spans that the program marks itself by callscope/span.hpp. Repeatable.",
       append_text(a.spans), true},
      {"-F,--freq,--rate", "HZ",
       "CPU samples a second on each CPU; 0 switches sampling off. Default: 99.",
       set_number(a.hz, 0, 20'000)},
      {"--off-cpu", "",
       "Waits too: the stack of a thread whenever it leaves its CPU, and for how long, asleep or "
       "ready without a CPU. report --weight off-cpu draws them.",
       set_flag(a.off_cpu)},
      {"--page-faults", "",
       "Where memory grows: the stack of each page fault, when a thread touches memory that is "
       "not there yet. report --weight page-faults draws them.",
       set_flag(a.page_faults)},
      {"-d,--duration", "TIME",
       "Stop after this time: 10s, 500ms, 2m; a bare number is seconds. Default: until Ctrl-C, "
       "SIGTERM or the end of the target.",
       set_duration(a.duration_ns, kMillisecond, 365 * kDay)},
      {"-o,--output", "FILE",
       "Recording to write. Default: callscope-NAME-PID-DATE-TIME.cscope in this folder.",
       set_text(a.output)},
      {"-i,--interval", "TIME", "Time between snapshots of memory and files. Default: 1s.",
       set_duration(a.interval_ns, 10 * kMillisecond, kDay)},
      {"--max-snapshots", "N", "Snapshots to keep; older ones are thinned out. Default: 1000.",
       set_number(a.max_snapshots, 2, 1'000'000)},
      {"--no-children", "", "Do not follow the processes that the target forks.",
       set_flag(a.follow_children, false)},
      {"--no-inlines", "",
       "Leave functions that the compiler inlined out of the stacks. They are found by debug "
       "information, where there is any.",
       set_flag(a.inlined_frames, false)},
      {"--event", "NAME",
       "What drives the samples: cpu-clock, or cycles where the hardware counts them. Default: "
       "cpu-clock.",
       set_choice(a.event, {"cpu-clock", "cycles"})},
      {"--unwind", "HOW",
       "How stacks are walked: auto (unwind tables where a file has one, frame pointers "
       "elsewhere), "
       "fp (frame pointers only) or eh-frame (unwind tables only). Default: auto.",
       set_choice(a.unwind, {"auto", "fp", "eh-frame"})},
      {"--python", "HOW",
       "auto: show the functions of CPython 3.11 to 3.13 in stacks, with file and line, in the "
       "place of the interpreter's evaluation loop; off: show the loop. Default: auto. A probe "
       "where the interpreter frees code objects (kernel 6.6 and later) saves reading them in each "
       "sample; off places none.",
       set_choice(a.python, {"auto", "off"})},
      {"--cache-dir", "DIR",
       "Where unwind tables are kept, see 'callscope cache'. Default: /var/cache/callscope for "
       "root.",
       set_text(a.cache_dir)},
      {"--probe-mechanism", "NAME",
       "How functions are probed: auto, session, multi or perf-event. Default: auto, the best that "
       "this kernel has.",
       set_choice(a.mechanism, {"auto", "session", "multi", "perf-event"})},
      {"--exit-mode", "NAME",
       "How the end of a call is seen: uretprobe (a return probe), ret-site (probes on the "
       "function's ret instructions) or entry-only (calls are counted, not timed). What is not "
       "safe in the target is refused. Default: auto, the first of them that is safe.",
       set_choice(a.exit_mode, {"auto", "uretprobe", "ret-site", "entry-only"})},
      {"--unsafe", "",
       "Allow an --exit-mode that is not safe in the target: a return probe in a program that "
       "throws, moves or switches stacks ends it with std::terminate or a crash.",
       set_flag(a.unsafe)},
      {"--as-root", "", "Run the command as root, not as the user who called sudo.",
       set_flag(a.as_root)},
      {"-q,--quiet", "", "No progress and no summary; errors are still printed.",
       set_flag(a.quiet)},
      {"--strict", "", "Exit with 5 when the data is incomplete.", set_flag(a.strict)},
  };
}

}  // namespace

Command make_record_command() {
  auto arguments = std::make_shared<RecordArguments>();
  Command command;
  command.name = "record";
  command.usage = "record -p PID|-- COMMAND [OPTIONS]";
  command.summary = "record a process: function latency, CPU stacks, memory and files";
  command.description =
      "Records a running process, or a command that is started stopped so that no early call is "
      "missed. Ends with -d, Ctrl-C, SIGTERM or the end of the target, each with a complete "
      "recording, and prints its summary.";
  command.examples = {"sudo callscope record -p 1234 -f 'process*' -d 10s",
                      "sudo callscope record -f 'libc.so.6:malloc' -- ./program --its-option",
                      "sudo callscope record -p 1234 --span 'job=enqueue..finish:arg1' -d 10s",
                      "sudo callscope record -p 1234 --span "
                      "'catch=usdt:libstdcxx:throw..usdt:libstdcxx:catch'"};
  command.options = record_option_table(*arguments);
  command.takes_command = true;
  command.run = [arguments](const std::vector<std::string>& program) {
    return record(*arguments, program);
  };
  return command;
}

}  // namespace callscope::cli
