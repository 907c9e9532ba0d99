// SPDX-License-Identifier: Apache-2.0
// Calibration: costs that make sense, and no trace of it in callscope itself.
#include "collect/calibration.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <span>

#include "sys/clock.hpp"
#include "target/maps.hpp"
#include "target_run.hpp"
#include "ways.hpp"

using namespace callscope;

namespace {

std::size_t fds_of(const std::string& pid) {
  std::error_code error;
  const std::filesystem::directory_iterator entries("/proc/" + pid + "/fd", error);
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

// A calibration child gives up all descriptors but one when it is ready.
bool becomes_ready(pid_t child) {
  const std::uint64_t deadline_ns = monotonic_ns() + 5'000'000'000;
  while (fds_of(std::to_string(child)) != 1)
    if (monotonic_ns() > deadline_ns || ::usleep(1000) != 0) return false;
  return true;
}

// Neither a running child nor one that nobody has waited for.
bool childless() { return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; }

// The code of files in our own memory, and a copy of it.
class OwnCode {
 public:
  OwnCode() {
    const Result<std::vector<Mapping>> maps = read_maps(::getpid());
    REQUIRE(maps);
    for (const Mapping& mapping : *maps) {
      if (!mapping.executable || mapping.inode == 0) continue;
      const auto* const start = reinterpret_cast<const char*>(mapping.start);
      code_.emplace_back(start, mapping.end - mapping.start);
      copies_.emplace_back(start, mapping.end - mapping.start);
    }
    REQUIRE_FALSE(code_.empty());
  }
  [[nodiscard]] bool unchanged() const {
    for (std::size_t i = 0; i < code_.size(); ++i)
      if (std::memcmp(code_[i].data(), copies_[i].data(), code_[i].size()) != 0) return false;
    return true;
  }

 private:
  std::vector<std::span<const char>> code_;
  std::vector<std::string> copies_;
};

}  // namespace

TEST_CASE("a probe costs something, and a single-stepped one more than an emulated one",
          "[bpf][ways]") {
  const test::Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  const Calibration calibration = Calibration::start(way.mechanism);
  const Result<ProbeCosts> costs = calibration.wait();
  if (!costs) FAIL(costs.error().message());
  for (const std::uint64_t ns : {costs->emulated_entry_ns, costs->emulated_exit_ns,
                                 costs->return_ns, costs->counted_entry_ns}) {
    CHECK(ns > 50);
    CHECK(ns < 1'000'000);
  }
  CHECK(costs->stepped_entry_ns > costs->emulated_entry_ns);
  CHECK(costs->stepped_exit_ns > costs->emulated_exit_ns);
  CHECK(costs->return_ns * 4 > costs->emulated_entry_ns);             // it was armed
  CHECK(costs->counted_entry_ns * 3 < costs->emulated_entry_ns * 4);  // it does less
}

TEST_CASE("calibration repeats itself", "[bpf][long]") {
  const Result<ProbeCosts> first = Calibration::start(std::nullopt).wait();
  const Result<ProbeCosts> second = Calibration::start(std::nullopt).wait();
  REQUIRE(first);
  REQUIRE(second);
  const auto ratio = [](std::uint64_t a, std::uint64_t b) {
    return static_cast<double>(a) / static_cast<double>(b);
  };
  CHECK(ratio(first->stepped_entry_ns, second->stepped_entry_ns) == Approx(1).margin(0.5));
  CHECK(ratio(first->emulated_entry_ns + first->return_ns,
              second->emulated_entry_ns + second->return_ns) == Approx(1).margin(0.5));
}

TEST_CASE("calibration never puts a breakpoint into our own code", "[bpf]") {
  const OwnCode code;
  const Calibration calibration = Calibration::start(std::nullopt);
  std::atomic<bool> done = false;
  std::thread waiter([&] {
    (void)calibration.wait();
    done = true;
  });
  std::uint64_t looks = 0;
  std::uint64_t changes = 0;
  for (; !done; ++looks)
    if (!code.unchanged()) ++changes;
  waiter.join();
  CHECK(calibration.wait());
  CHECK(looks > 10);
  CHECK(changes == 0);
}

TEST_CASE("calibration leaves no child and no descriptor behind", "[bpf][long]") {
  (void)Calibration::start(std::nullopt).wait();  // first use opens what libraries keep
  const std::size_t before = fds_of("self");
  {
    const Calibration calibration = Calibration::start(std::nullopt);
    CHECK(calibration.wait());
    CHECK(childless());
  }
  CHECK(fds_of("self") == before);
  {
    const Calibration abandoned = Calibration::start(std::nullopt);
  }
  CHECK(childless());
  CHECK(fds_of("self") == before);
}

TEST_CASE("the calibration child holds none of our descriptors and ends when it is let go") {
  {
    const Result<CalibrationChild> child = CalibrationChild::start();
    REQUIRE(child);
    CHECK(becomes_ready(child->pid()));
  }
  CHECK(childless());
}

TEST_CASE("a calibration child that dies is an error, not a hang") {
  Result<CalibrationChild> child = CalibrationChild::start();
  REQUIRE(child);
  ::kill(child->pid(), SIGKILL);
  const Result<CalibrationSamples> samples = child->run();
  REQUIRE_FALSE(samples);
  CHECK(samples.error().code == ErrorCode::kInternal);
}

TEST_CASE("a calibration child that gets no CPU is given up") {
  Result<CalibrationChild> child = CalibrationChild::start();
  REQUIRE(child);
  ::kill(child->pid(), SIGSTOP);
  CHECK_FALSE(child->run());
}

TEST_CASE("the calibration child dies with us") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);  // an orphan becomes our child
  const pid_t recorder = ::fork();
  REQUIRE(recorder >= 0);
  if (recorder == 0) {
    const Result<CalibrationChild> child = CalibrationChild::start();
    const pid_t pid = child ? child->pid() : -1;
    (void)::write(write_end.get(), &pid, sizeof pid);
    for (;;) ::pause();
  }
  pid_t orphan = -1;
  REQUIRE(::read(read_end.get(), &orphan, sizeof orphan) == sizeof orphan);
  REQUIRE(orphan > 0);
  REQUIRE(becomes_ready(orphan));
  ::kill(orphan, SIGSTOP);  // so that it cannot end because its channel is closed
  ::kill(recorder, SIGKILL);
  REQUIRE(::waitpid(recorder, nullptr, 0) == recorder);
  int status = 0;
  CHECK(::waitpid(orphan, &status, 0) == orphan);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_CASE("a recording sees nothing of its calibration", "[bpf]") {
  RecordOptions options;
  options.sample_hz = 0;
  options.by_thread = GENERATE(false, true);
  INFO(options.by_thread);
  const test::TargetRun run =
      test::record_target({"t_threads", "--threads", "2"}, options, {"*_work", "exit_inside"});
  test::check_truth(run);
  CHECK(run.recording.probe_costs.return_ns * 4 > run.recording.probe_costs.emulated_entry_ns);
  CHECK(run.recording.processes.size() == 1);
  std::uint64_t nodes = 0;
  for (const CallNode& node : run.recording.call_nodes) nodes += node.calls;
  std::uint64_t returns = 0;
  for (const FunctionStats& function : run.recording.functions) returns += function.returns;
  CHECK(nodes == returns);
  for (const QualityItem& item : run.recording.quality) {
    INFO(item.key);
    CHECK((!item.loss || item.value == 0));
  }
}
