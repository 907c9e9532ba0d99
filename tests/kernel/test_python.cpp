// SPDX-License-Identifier: Apache-2.0
// Python functions in CPU stacks, against what the interpreter says of its own frames
// (tests/targets/t_python.py): each stack has the right functions at the right lines, however they
// were called. Debian's python3 and, beside it, those that CALLSCOPE_PYTHONS names, separated by
// colons.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "bpf/cpu_program.hpp"
#include "bpf/mechanism_trial.hpp"
#include "bpf/own_code.hpp"
#include "bpf/uprobe_links.hpp"
#include "callscope/abi/python.h"
#include "live_run.hpp"
#include "target_run.hpp"

using namespace callscope;
using test::TargetRun;

namespace {

constexpr const char* kDebianPython = "/usr/bin/python3";
constexpr const char* kScript = CALLSCOPE_SOURCES "/tests/targets/t_python.py";
constexpr const char* kLoop = "_PyEval_EvalFrameDefault";

std::vector<std::string> pythons() {
  const char* const more = std::getenv("CALLSCOPE_PYTHONS");
  std::stringstream texts(std::string(kDebianPython) + ":" + (more == nullptr ? "" : more));
  std::vector<std::string> paths;
  for (std::string path; std::getline(texts, path, ':');)
    if (std::filesystem::exists(path)) paths.push_back(path);
  return paths;
}

TargetRun record_python(const std::string& python, RecordOptions options,
                        std::vector<std::string> arguments = {}) {
  options.sample_hz = 997;
  std::vector<std::string> argv{python, kScript};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return test::record_command(argv, options);
}

bool is_python(const Recording& recording, const Frame& frame) {
  return recording.modules[frame.module].kind == ModuleKind::kPython;
}

// "main:176;all_ways:156;down:42;burn": as t_python.py prints it, with the leaf.
std::string chain(const Recording& recording, const Stack& stack) {
  std::string text;
  std::string line;
  for (auto id = stack.frames.rbegin(); id != stack.frames.rend(); ++id) {
    const Frame& frame = recording.frames[*id];
    if (!is_python(recording, frame)) continue;
    text += line + (text.empty() ? "" : ";") + frame.function;
    line = fmt::format(":{}", frame.line);
  }
  return text;
}

// Samples of each chain that the script told of, and of others.
struct Chains {
  std::map<std::string, std::uint64_t> known;
  std::map<std::string, std::uint64_t> others;
  std::uint64_t samples = 0;
  std::uint64_t in_known = 0;
  std::uint64_t with_loop = 0;  // the interpreter's loop is in their stack
  std::uint64_t unnamed = 0;
};

Chains sort_samples(const TargetRun& run) {
  Chains chains;
  for (const std::string& line : run.lines)
    if (line.starts_with("stack ")) chains.known[line.substr(6) + ";burn"] = 0;
  for (const CpuSamples& samples : run.recording.cpu) {
    const Stack& stack = run.recording.stacks[samples.stack];
    chains.samples += samples.count;
    for (const std::uint32_t id : stack.frames) {
      const Frame& frame = run.recording.frames[id];
      if (frame.function == kLoop) chains.with_loop += samples.count;
      if (is_python(run.recording, frame) && (frame.function.empty() || frame.line == 0))
        chains.unnamed += samples.count;
    }
    const std::string text = chain(run.recording, stack);
    const auto known = chains.known.find(text);
    if (known == chains.known.end())
      chains.others[text] += samples.count;
    else
      known->second += samples.count;
  }
  for (const auto& [text, samples] : chains.known) chains.in_known += samples;
  return chains;
}

// Also a stack that was taken between two of those that were told of has only their functions, in
// an order that they have: it begins as one of them does.
bool begins_as_known(const Chains& chains, const std::string& other) {
  const std::string callers = other.substr(0, other.rfind(';') + 1);
  return std::ranges::any_of(chains.known, [&](const auto& known) {
    return known.first.starts_with(callers.substr(0, callers.rfind(':')));
  });
}

// Probes that tell when a code object of the process is freed (bpf/python_watch.hpp).
std::ptrdiff_t watches(int pid) {
  return std::ranges::count_if(list_uprobe_links(), [pid](const UprobeLink& link) {
    return link.program == "cs_python_freed" && link.pid == pid;
  });
}

}  // namespace

TEST_CASE("stacks have the Python functions and lines that the interpreter has",
          "[bpf][sampling][python]") {
  for (const std::string& python : pythons()) {
    DYNAMIC_SECTION(python) {
      const TargetRun run = record_python(python, {}, {"--ms", "60"});
      CHECK(run.status == 0);
      const Chains chains = sort_samples(run);
      REQUIRE(chains.samples > 1000);
      for (const auto& [text, samples] : chains.known) {
        INFO(text);
        CHECK(samples > 10);
      }
      for (const auto& [text, samples] : chains.others) {
        if (text.find("Thread.") != std::string::npos) continue;  // starting and joining threads
        INFO(text << " " << samples);
        CHECK(begins_as_known(chains, text));
      }
      CHECK(static_cast<double>(chains.in_known) > 0.97 * static_cast<double>(chains.samples));
      CHECK(static_cast<double>(chains.with_loop) < 0.02 * static_cast<double>(chains.samples));
      CHECK(chains.unnamed == 0);
      CHECK(run.quality("python_samples") >= chains.in_known);
      for (const char* const key : {"python_no_thread", "python_broken", "python_mismatch",
                                    "python_without_name", "python_unknown_code"}) {
        INFO(key);
        CHECK(run.quality(key) == 0);
      }
    }
  }
}

TEST_CASE("a wait has the Python functions that wait", "[bpf][python]") {
  constexpr std::uint64_t kSleepNs = 30'000'000;
  RecordOptions options;
  options.off_cpu = true;
  const TargetRun run = record_python(kDebianPython, options, {"--ms", "30", "--sleep"});
  CHECK(run.status == 0);
  std::map<std::string, std::uint64_t> asleep_ns;
  for (const Waits& waits : run.recording.waits)
    asleep_ns[chain(run.recording, run.recording.stacks[waits.stack])] += waits.blocked_ns;
  std::size_t told = 0;
  for (const std::string& line : run.lines) {
    if (!line.starts_with("stack ")) continue;
    INFO(line);
    ++told;
    CHECK(asleep_ns[line.substr(6) + ";burn"] >= kSleepNs * 9 / 10);
  }
  CHECK(told > 5);
}

TEST_CASE("a Python that is executed later has its functions, too", "[bpf][sampling][python]") {
  RecordOptions options;
  options.sample_hz = 997;
  const std::string script =
      fmt::format("echo ready; read go; exec {} {} --ms 60", kDebianPython, kScript);
  test::LiveRun live({"/bin/sh", "-c", script}, options, {});
  live.send("\n");
  live.wait_for("ready");
  live.send("\n");
  const Chains chains = sort_samples(live.finish());
  REQUIRE(chains.samples > 1000);
  for (const auto& [text, samples] : chains.known) {
    INFO(text);
    CHECK(samples > 10);
  }
  CHECK(static_cast<double>(chains.with_loop) < 0.1 * static_cast<double>(chains.samples));
}

TEST_CASE("Python functions have their file and native frames between them",
          "[bpf][sampling][python]") {
  const TargetRun run = record_python(kDebianPython, {}, {"--ms", "40"});
  bool through_c = false;
  bool direct = false;
  for (const Stack& stack : run.recording.stacks) {
    for (std::size_t i = 0; i + 1 < stack.frames.size(); ++i) {
      const Frame& frame = run.recording.frames[stack.frames[i]];
      const Frame& caller = run.recording.frames[stack.frames[i + 1]];
      if (frame.function == "burn") CHECK(frame.file == kScript);
      // sorted() calls the key by C, down() calls itself by Python.
      if (frame.function == "of_c.<locals>.<lambda>") {
        through_c = true;
        CHECK_FALSE(is_python(run.recording, caller));
      }
      if (frame.function == "down" && caller.function == "down") direct = true;
    }
    if (stack.end == StackEnd::kComplete && !stack.frames.empty())
      CHECK_FALSE(is_python(run.recording, run.recording.frames[stack.frames.back()]));
  }
  CHECK(through_c);
  CHECK(direct);
}

// Each has the samples of its time, none those of another that lay at its address.
TEST_CASE("Python functions that are made and freed keep their samples apart",
          "[bpf][sampling][python][long]") {
  constexpr double kMs = 100;
  const bool fork = GENERATE(false, true);
  INFO("in a child: " << fork);
  RecordOptions options;
  options.sample_hz = 997;
  std::vector<std::string> argv{kDebianPython, CALLSCOPE_SOURCES "/tests/targets/t_python_made.py",
                                "--ms", fmt::format("{}", kMs)};
  if (fork) argv.emplace_back("--fork");
  test::LiveRun live(argv, options, {});
  live.send("\n");
  const TargetRun run = live.finish();
  std::map<std::string, double> samples_of;
  for (const CpuSamples& samples : run.recording.cpu)
    for (const std::uint32_t id : run.recording.stacks[samples.stack].frames)
      if (const std::string& name = run.recording.frames[id].function; name.starts_with("made_"))
        samples_of[name] += static_cast<double>(samples.count);
  CHECK(samples_of.size() == 20);
  for (const auto& [name, samples] : samples_of) {
    INFO(name);
    CHECK(samples == Approx(kMs * 0.997).epsilon(0.2));
  }
  CHECK(run.quality("python_mismatch") == 0);
}

TEST_CASE("what frees Python's code objects is probed while the recording lasts",
          "[bpf][sampling][python]") {
  if (!try_mechanism(ProbeMechanism::kMulti)) return;  // no such links
  RecordOptions options;
  options.python = GENERATE(true, false);
  int pid = 0;
  {
    test::LiveRun live({kDebianPython, kScript, "--ms", "1"}, options, {});
    pid = live.pid();
    CHECK(watches(pid) == (options.python ? 1 : 0));
    live.send("\n");
    live.wait_for("done");
  }
  CHECK(watches(pid) == 0);
}

TEST_CASE("a Python that frees very many code objects is not slowed down by the probe",
          "[bpf][sampling][python]") {
  if (!try_mechanism(ProbeMechanism::kMulti)) return;  // no such links
  constexpr const char* kMany =
      "import os, sys, time\n"
      "print('ready', flush=True)\n"
      "os.read(0, 1)\n"
      "end = time.monotonic() + 3\n"
      "while time.monotonic() < end: compile('1', 'text', 'eval')\n"
      "print('freed\\ndone', flush=True)\n"
      "sys.stdin.read()\n";
  test::LiveRun live({kDebianPython, "-c", kMany}, {}, {});
  CHECK(watches(live.pid()) == 1);
  live.send("\n");
  live.wait_for("freed");
  CHECK(watches(live.pid()) == 0);
  CHECK(sort_samples(live.finish()).unnamed == 0);
}

TEST_CASE("a process can be watched for what it frees where the kernel has such links", "[bpf]") {
  const Result<Probe> probe = probe_own_code(reinterpret_cast<const void*>(&pythons), 0);
  const Result<UnwindMaps> unwind = UnwindMaps::create({});
  REQUIRE((probe && unwind));
  const int child = ::fork();  // has our code
  if (child == 0) ::pause();
  const auto tgid = static_cast<std::uint32_t>(child);
  Result<CpuProgram> program =
      CpuProgram::load({.tgid = tgid, .python = true}, *unwind,
                       {[](const cs_stack_record&) {}, [](const cs_process_record&) {}});
  REQUIRE(program);
  REQUIRE(program->set_python(tgid, {}));
  program->watch_python(child, *probe);
  CHECK(watches(child) == (try_mechanism(ProbeMechanism::kMulti) ? 1 : 0));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_CASE("a recursion deeper than is kept is cut and says so", "[bpf][sampling][python]") {
  const TargetRun run = record_python(kDebianPython, {}, {"--ms", "60", "--deep", "5000"});
  CHECK(run.status == 0);
  CHECK(run.quality("python_depth") > 10);
  for (const Stack& stack : run.recording.stacks) {
    std::vector<std::string> python;
    for (const std::uint32_t id : stack.frames)
      if (is_python(run.recording, run.recording.frames[id]))
        python.push_back(run.recording.frames[id].function);
    CHECK(python.size() <= CS_PYTHON_FRAMES);
    // One of just that depth is whole.
    if (python.size() < CS_PYTHON_FRAMES || python.back() == "<module>") continue;
    CHECK(stack.truncated);
    CHECK(stack.end == StackEnd::kDepth);
  }
}

TEST_CASE("without Python functions the interpreter's own are shown", "[bpf][sampling][python]") {
  RecordOptions options;
  options.python = false;
  const TargetRun run = record_python(kDebianPython, options, {"--ms", "20"});
  CHECK(sort_samples(run).with_loop > 100);
  CHECK(std::ranges::none_of(run.recording.modules, [](const Module& module) {
    return module.kind == ModuleKind::kPython;
  }));
}

TEST_CASE("a Python that is not known is shown by native frames and a note",
          "[bpf][sampling][python]") {
  const TargetRun run = test::record_target({"t_no_python", "--ms", "500"}, {}, {});
  CHECK(run.status == 0);
  CHECK(test::has_note(run.recording, "is CPython 3.14.0, which callscope does not know"));
  CHECK(std::ranges::any_of(run.recording.frames,
                            [](const Frame& frame) { return frame.function == kLoop; }));
}
