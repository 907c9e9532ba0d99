// SPDX-License-Identifier: Apache-2.0
#include "target_run.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "model/quality.hpp"
#include "symbols/demangle.hpp"

namespace callscope::test {
namespace {

struct Fewer {
  std::string_view target;  // and its variants
  std::vector<std::string> arguments;
};

// For emulated machines (tests/vm): enough calls for every path, without minutes of waiting.
void ask_for_fewer_calls(std::vector<std::string>& argv) {
  static const std::vector<Fewer> all{{"t_known", {"--calls", "100", "--sleeps", "20"}},
                                      {"t_recursive", {"--tails", "5000"}},
                                      {"t_hot", {"--calls", "100000"}}};
  for (const Fewer& fewer : all)
    if (argv[0].starts_with(fewer.target))
      argv.insert(argv.end(), fewer.arguments.begin(), fewer.arguments.end());
}

}  // namespace

Child::Child(std::vector<std::string> argv) {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  REQUIRE(::pipe2(in.data(), O_CLOEXEC) == 0);
  REQUIRE(::pipe2(out.data(), O_CLOEXEC) == 0);
  std::vector<char*> args;
  for (std::string& arg : argv) args.push_back(arg.data());
  args.push_back(nullptr);
  pid_ = ::fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    ::dup2(in[0], STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::execv(args[0], args.data());
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  input_.reset(in[1]);
  output_.reset(out[0]);
}

Child::~Child() {
  if (reaped_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Child::receive() {
  std::array<char, 4096> chunk{};
  const ssize_t got = ::read(output_.get(), chunk.data(), chunk.size());
  REQUIRE(got > 0);
  buffer_.append(chunk.data(), static_cast<std::size_t>(got));
}

std::optional<std::string> Child::next_line() {
  const std::size_t end = buffer_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return line;
}

std::vector<std::string> Child::read_until(const std::string& line) {
  std::vector<std::string> lines;
  do {
    std::optional<std::string> next = next_line();
    while (!next) {
      pollfd waiting{output_.get(), POLLIN, 0};
      REQUIRE(::poll(&waiting, 1, 60'000) == 1);
      receive();
      next = next_line();
    }
    lines.push_back(std::move(*next));
  } while (lines.back() != line);
  return lines;
}

void Child::send(const std::string& text) {
  REQUIRE(::write(input_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

int Child::wait_status() {
  if (!reaped_) REQUIRE(::waitpid(pid_, &status_, 0) == pid_);
  reaped_ = true;
  return status_;
}

std::string target_path(const std::string& name) {
  return name.starts_with('/') ? name : CALLSCOPE_TARGETS "/" + name;
}

const FunctionStats& TargetRun::function(const std::string& name) const {
  for (const FunctionStats& function : recording.functions) {
    if (function.name == name) return function;
    for (const std::string& alias : function.aliases)
      if (alias == name) return function;
  }
  FAIL("not probed: " << name);
  throw std::logic_error("unreachable");
}

std::uint64_t TargetRun::quality(const std::string& key) const {
  for (const QualityItem& item : quality_items(recording))
    if (item.key == key) return item.value;
  FAIL("no quality item " << key);
  return 0;
}

std::vector<std::string> target_command(std::vector<std::string> argv) {
  if (std::getenv("CALLSCOPE_FEWER_CALLS") != nullptr) ask_for_fewer_calls(argv);
  argv[0] = target_path(argv[0]);
  argv.insert(argv.end(), {"--wait", "--hold"});
  return argv;
}

std::vector<FunctionPattern> parse_patterns(const std::vector<std::string>& texts) {
  std::vector<FunctionPattern> patterns;
  for (const std::string& text : texts) {
    const Result<FunctionPattern> pattern = FunctionPattern::parse(text);
    REQUIRE(pattern);
    patterns.push_back(*pattern);
  }
  return patterns;
}

std::map<std::string, std::uint64_t> parse_truth(const std::vector<std::string>& lines) {
  std::map<std::string, std::uint64_t> truth;
  for (const std::string& line : lines) {
    const std::size_t blank = line.rfind(' ');
    std::uint64_t value = 0;
    const char* const end = line.data() + line.size();
    if (blank != std::string::npos &&
        std::from_chars(line.data() + blank + 1, end, value).ptr == end)
      truth[line.substr(0, blank)] = value;
  }
  return truth;
}

TargetRun end_run(Recorder& recorder, Child& child, std::vector<std::string> lines) {
  const Result<void> stopped = recorder.stop("test");
  if (!stopped) FAIL(stopped.error().message());
  TargetRun run;
  run.recording = recorder.recording();
  demangle_names(run.recording, DemangleLevel::kSimple);
  child.close_input();
  run.status = child.wait_status();
  run.truth = parse_truth(lines);
  run.lines = std::move(lines);
  return run;
}

bool has_note(const Recording& recording, const std::string& text) {
  for (const std::string& note : recording.notes) UNSCOPED_INFO(note);
  return std::ranges::any_of(recording.notes, [&](const std::string& note) {
    return note.find(text) != std::string::npos;
  });
}

TargetRun record_command(std::vector<std::string> argv, const RecordOptions& options) {
  Child child(std::move(argv));
  child.read_until("ready");
  Result<std::unique_ptr<Recorder>> recorder = Recorder::create(child.pid(), options);
  if (!recorder) FAIL(recorder.error().message());
  (*recorder)->enable();
  child.send("\n");
  std::vector<std::string> lines = child.read_until("done");
  (*recorder)->drain();
  return end_run(**recorder, child, std::move(lines));
}

TargetRun record_target(std::vector<std::string> argv, RecordOptions options,
                        const std::vector<std::string>& patterns) {
  options.patterns = parse_patterns(patterns);
  return record_command(target_command(std::move(argv)), options);
}

void check_truth(const TargetRun& run) {
  CHECK(run.status == 0);
  std::size_t compared = 0;
  for (const auto& [key, value] : run.truth) {
    const std::string word = key.substr(0, key.find(' '));
    const std::string name = key.substr(key.find(' ') + 1);
    if (word != "calls" && word != "rets" && word != "unwound" && word != "running") continue;
    INFO(key);
    const FunctionStats& function = run.function(name);
    ++compared;
    if (word == "calls") CHECK(function.calls == value);
    if (function.exit == ExitMode::kEntryOnly) continue;
    // A tail jump ends the call that makes it, though no ret instruction runs.
    const bool leaves_by_jump =
        name.starts_with("tail_") || (name == "exit_inside" && function.exit == ExitMode::kRetSite);
    if (word == "rets" && leaves_by_jump)
      CHECK(function.returns == function.calls);
    else if (word == "unwound" && leaves_by_jump)
      CHECK(function.unwound == 0);
    else if (word == "rets")
      CHECK(function.returns + function.untimed == value);
    if (word == "unwound") CHECK(function.unwound == value);
    if (word == "running") CHECK(function.running == value);
  }
  CHECK(compared > 0);
  CHECK(run.quality("unmatched_returns") == 0);
  for (const FunctionStats& function : run.recording.functions) {
    INFO(function.name);
    CHECK(function.calls ==
          function.returns + function.unwound + function.running + function.untimed);
    CHECK(function.max_ns <= run.recording.duration_ns);
    CHECK(function.min_ns <= function.max_ns);
    std::uint64_t in_histogram = 0;
    for (const auto& [slot, count] : function.histogram) in_histogram += count;
    CHECK(in_histogram == function.returns);
  }
}

}  // namespace callscope::test
