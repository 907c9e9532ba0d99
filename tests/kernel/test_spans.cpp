// SPDX-License-Identifier: Apache-2.0
// Spans and markers, exactly: paired by thread, by argument and by name, in every kind of program.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "collect/spans_collector.hpp"
#include "live_run.hpp"
#include "probes/usdt.hpp"
#include "symbols/module_image.hpp"
#include "target/maps.hpp"
#include "target_run.hpp"

using namespace callscope;
using test::LiveRun;
using test::record_target;
using test::target_path;
using test::TargetRun;

namespace {

RecordOptions with_spans(const std::vector<std::string>& spans) {
  RecordOptions options;
  options.sample_hz = 0;
  for (const std::string& text : spans) {
    const Result<void> added = add_span(options.spans, text);
    if (!added) FAIL(added.error().message());
  }
  return options;
}

const SpanStats& span_of(const Recording& recording, const std::string& name) {
  const auto found = std::ranges::find(recording.spans, name, &SpanStats::name);
  if (found == recording.spans.end()) FAIL("no span " << name);
  return *found;
}

void check_balance(const SpanStats& span) {
  INFO(span.name);
  CHECK(span.begun == span.finished + span.restarted + span.open + span.abandoned + span.lost);
  std::uint64_t in_histogram = 0;
  for (const auto& [slot, count] : span.histogram) in_histogram += count;
  CHECK(in_histogram == span.finished);
  CHECK(span.min_ns <= span.max_ns);
  CHECK(span.sum_ns >= span.min_ns * span.finished);
}

// What the target says of span `truth`, against what was recorded as `name`.
void check_truth_of(const TargetRun& run, const std::string& truth, const std::string& name) {
  const SpanStats& span = span_of(run.recording, name);
  INFO(name);
  CHECK(span.begun == run.truth.at("begun " + truth));
  CHECK(span.finished == run.truth.at("finished " + truth));
  CHECK(span.restarted == run.truth.at("restarted " + truth));
  CHECK(span.unmatched == run.truth.at("unmatched " + truth));
  // A thread that was joined may not have ended for the kernel yet when the recording stops.
  CHECK(span.open >= run.truth.at("open " + truth));
  CHECK(span.open + span.abandoned ==
        run.truth.at("open " + truth) + run.truth.at("abandoned " + truth));
  CHECK(span.lost == 0);
  check_balance(span);
}

void check_nothing_lost(const TargetRun& run) {
  CHECK(run.status == 0);
  for (const QualityItem& item : run.recording.quality) {
    INFO(item.key);
    if (item.loss) CHECK(item.value == 0);
  }
}

// The semaphore of a marker in the memory of a process that runs the file.
std::uint16_t semaphore_in(int pid, const std::string& path, const std::string& name) {
  const Result<ModuleImage> image = ModuleImage::open(path);
  REQUIRE(image);
  const std::vector<UsdtMarker> markers = usdt_markers(image->image());
  const auto marker = std::ranges::find(markers, name, &UsdtMarker::name);
  REQUIRE(marker != markers.end());
  REQUIRE(marker->semaphore_off != 0);
  const Result<std::vector<Mapping>> maps = read_maps(pid);
  REQUIRE(maps);
  const Fd memory(::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
  for (const Mapping& mapping : *maps) {
    const std::uint64_t inside = marker->semaphore_off - mapping.file_off;
    if (mapping.path != path || !mapping.writable || inside >= mapping.end - mapping.start)
      continue;
    std::uint16_t value = 0;
    REQUIRE(::pread(memory.get(), &value, sizeof(value),
                    static_cast<off_t>(mapping.start + inside)) == sizeof(value));
    return value;
  }
  FAIL("no writable mapping has the semaphore");
  return 0;
}

}  // namespace

TEST_CASE("work that changes threads is paired by its argument, work of one thread by it",
          "[bpf]") {
  RecordOptions options =
      with_spans({"job=job_submit..job_finish@entry:arg1", "whole=job_submit..job_finish:arg1",
                  "returned=job_submit@exit..job_finish@entry:arg1",
                  "step=step_enter..step_leave@entry", "step exit=step_enter@exit..step_leave"});
  if (GENERATE(false, true)) options.mechanism = ProbeMechanism::kPerfEvent;
  const TargetRun run = record_target({"t_async", "--pause-us", "100"}, options, {});
  check_nothing_lost(run);
  for (const char* const name : {"job", "whole", "returned"}) check_truth_of(run, "job", name);
  for (const char* const name : {"step", "step exit"}) check_truth_of(run, "step", name);
  CHECK(span_of(run.recording, "job").keyed_by == "arg1");
  CHECK(span_of(run.recording, "step").keyed_by == "thread");
}

TEST_CASE("spans last as long as the program itself measures", "[bpf]") {
  constexpr std::uint64_t kTailNs = 2'000'000;
  const TargetRun run = record_target({"t_async", "--jobs", "50", "--pause-us", "20000",
                                       "--tail-us", "2000", "--strays", "0", "--left-open", "0"},
                                      with_spans({"job=job_submit..job_finish@entry:arg1",
                                                  "whole=job_submit..job_finish@exit:arg1"}),
                                      {});
  check_nothing_lost(run);
  const SpanStats& job = span_of(run.recording, "job");
  const SpanStats& whole = span_of(run.recording, "whole");
  const auto truth_ns = static_cast<double>(run.truth.at("sum_ns job"));
  CHECK(static_cast<double>(job.sum_ns) >= truth_ns * 0.99);
  CHECK(static_cast<double>(job.sum_ns) <= truth_ns * 1.3);  // its clock starts behind our probe
  CHECK(whole.sum_ns >= job.sum_ns + kTailNs * whole.finished * 9 / 10);
  CHECK(whole.min_ns >= kTailNs);
}

TEST_CASE("markers are paired by each form of argument and counted in all their copies", "[bpf]") {
  const std::string target = GENERATE("t_usdt", "t_usdt_nopie");
  INFO(target);
  RecordOptions options = with_spans(
      {"register=usdt:demo:begin..usdt:demo:end:arg1", "signed=usdt:demo:begin..usdt:demo:end:arg2",
       "variable=usdt:demo:begin..usdt:demo:end:arg3",
       "indexed=usdt:demo:begin..usdt:demo:end:arg4",
       "constant=usdt:demo:begin..usdt:demo:end:arg5", "between=usdt:demo:begin..usdt:demo:begin"});
  options.spans.counted.push_back(*UsdtPattern::parse("usdt:demo:*"));
  const TargetRun run = record_target({target, "--jobs", "200"}, options, {});
  check_nothing_lost(run);
  CHECK(run.truth.at("semaphore during") > 0);
  for (const char* const name : {"register", "signed", "variable", "indexed"}) {
    const SpanStats& span = span_of(run.recording, name);
    INFO(name);
    CHECK(span.begun == 200);
    CHECK(span.finished == 200);
    CHECK(span.unmatched == 0);
    check_balance(span);
  }
  // All jobs have one key: the second begins it again, and the last has no beginning left.
  const SpanStats& constant = span_of(run.recording, "constant");
  CHECK(constant.restarted == 1);
  CHECK(constant.finished == 199);
  CHECK(constant.unmatched == 1);
  check_balance(constant);
  // From each hit to the next.
  CHECK(span_of(run.recording, "between").finished == 199);
  CHECK(span_of(run.recording, "between").open == 1);
  for (const char* const name : {"demo:begin", "demo:end", "demo:alone"}) {
    const SpanStats& marker = span_of(run.recording, name);
    INFO(name);
    CHECK(marker.begun == run.truth.at(std::string("hits ") + name));
    CHECK(marker.to.empty());
  }
}

TEST_CASE("a stripped program keeps its markers", "[bpf]") {
  RecordOptions options = with_spans({"job=usdt:demo:begin..usdt:demo:end:arg1"});
  options.spans.counted.push_back(*UsdtPattern::parse("usdt:demo:alone"));
  const TargetRun run = record_target({"t_usdt_stripped"}, options, {});
  check_nothing_lost(run);
  CHECK(span_of(run.recording, "job").finished == 100);
  CHECK(span_of(run.recording, "demo:alone").begun == run.truth.at("hits demo:alone"));
}

TEST_CASE("a semaphore is up while it is recorded, in the target alone", "[bpf]") {
  const std::string path = target_path(GENERATE("t_usdt", "t_usdt_nopie"));
  const std::vector<std::string> argv{path, "--wait", "--hold"};
  test::Child target(argv);
  test::Child bystander(argv);
  target.read_until("ready");
  bystander.read_until("ready");
  CHECK(semaphore_in(target.pid(), path, "begin") == 0);
  RecordOptions options = with_spans({"job=usdt:demo:begin..usdt:demo:end:arg1"});
  if (GENERATE(false, true)) options.mechanism = ProbeMechanism::kPerfEvent;
  auto recorder = Recorder::create(target.pid(), options);
  if (!recorder) FAIL(recorder.error().message());
  (*recorder)->enable();
  CHECK(semaphore_in(target.pid(), path, "begin") == 1);
  CHECK(semaphore_in(target.pid(), path, "end") == 1);
  CHECK(semaphore_in(target.pid(), path, "alone") == 0);
  CHECK(semaphore_in(bystander.pid(), path, "begin") == 0);
  REQUIRE((*recorder)->stop("test"));
  CHECK(semaphore_in(target.pid(), path, "begin") == 0);
  CHECK(semaphore_in(target.pid(), path, "end") == 0);
}

TEST_CASE("the time from throw to catch is seen by the markers of libstdc++", "[bpf]") {
  RecordOptions options = with_spans({"catch=usdt:libstdcxx:throw..usdt:libstdcxx:catch"});
  options.spans.counted.push_back(*UsdtPattern::parse("usdt:libstdcxx:*"));
  const TargetRun run = record_target({"t_throw"}, options, {});
  check_nothing_lost(run);
  CHECK(std::ranges::find(run.lines, "ok") != run.lines.end());
  const std::uint64_t thrown = run.truth.at("caught throw_top");
  const std::uint64_t rethrown = span_of(run.recording, "libstdcxx:rethrow").begun;
  const SpanStats& caught = span_of(run.recording, "catch");
  CHECK(span_of(run.recording, "libstdcxx:throw").begun == thrown);
  CHECK(span_of(run.recording, "libstdcxx:catch").begun == thrown + rethrown);
  CHECK(caught.finished == thrown);
  CHECK(caught.unmatched == rethrown);  // what is thrown again is caught again
  CHECK(rethrown > 0);
  check_balance(caught);
}

TEST_CASE("spans that a program marks itself are shown by name", "[bpf]") {
  const std::string target = GENERATE("t_spans", "t_spans_nopie", "t_spans_stripped");
  INFO(target);
  const TargetRun run = record_target({target}, with_spans({"*"}), {});
  check_nothing_lost(run);
  const std::string cut(63, 'x');
  for (const std::string& name : {std::string("outer"), std::string("inner"), std::string("thrown"),
                                  std::string("hop"), std::string("name 0"), cut}) {
    const SpanStats& span = span_of(run.recording, name);
    INFO(name);
    CHECK(span.finished == run.truth.at("finished " + name));
    CHECK(span.begun == span.finished);
    CHECK(span.restarted == 0);
    check_balance(span);
  }
  const SpanStats& inner = span_of(run.recording, "inner");
  const auto truth_ns = static_cast<double>(run.truth.at("sum_ns inner"));
  CHECK(static_cast<double>(inner.sum_ns) >= truth_ns * 0.99);
  CHECK(static_cast<double>(inner.sum_ns) <= truth_ns * 1.3);
  CHECK(span_of(run.recording, "outer").sum_ns >= inner.sum_ns);
  CHECK(span_of(run.recording, "left open").open == 1);
  CHECK(run.quality("span_ends_without_begin") == 0);  // "before" has not ended yet
  for (const SpanStats& span : run.recording.spans) CHECK(span.name != "before");
}

TEST_CASE("a glob chooses among the names, and too many names are counted", "[bpf]") {
  const TargetRun chosen = record_target({"t_spans", "--rounds", "3"}, with_spans({"in*"}), {});
  REQUIRE(chosen.recording.spans.size() == 1);
  CHECK(chosen.recording.spans.front().finished == 9);
  const TargetRun many =
      record_target({"t_spans", "--rounds", "1", "--names", "400"}, with_spans({"name *"}), {});
  CHECK(many.recording.spans.size() <= CS_SPAN_NAMES_MAX);
  CHECK(many.recording.spans.size() + many.quality("span_names_full") >= 400);
  CHECK(many.quality("span_names_full") > 0);
  for (const SpanStats& span : many.recording.spans) CHECK(span.finished == 1);
}

TEST_CASE("what there is no room for is counted as lost", "[bpf]") {
  constexpr std::uint32_t kRoom = 64;
  test::Child child({target_path("t_async"), "--wait", "--hold", "--pause-us", "0"});
  child.read_until("ready");
  Recording recording;
  Symbolizer symbolizer(recording);
  REQUIRE(symbolizer.refresh(child.pid()));
  const RecordOptions options = with_spans({"job=job_submit..job_finish@entry:arg1"});
  Result<SpansCollector> spans = SpansCollector::start(child.pid(), symbolizer, options.spans,
                                                       {.mechanism = {}, .max_open = kRoom});
  if (!spans) FAIL(spans.error().message());
  spans->enable();
  child.send("\n");
  child.read_until("done");
  spans->stop();
  spans->update(recording.spans);
  spans->add_quality(recording.quality);
  const SpanStats& job = span_of(recording, "job");
  CHECK(job.begun == 217);
  CHECK(job.lost == 200 - kRoom);  // all 200 are submitted before the first is finished
  CHECK(job.finished == kRoom + 7);
  CHECK(job.unmatched == 5 + job.lost);
  check_balance(job);
  const auto lost = std::ranges::find(recording.quality, "spans_lost", &QualityItem::key);
  REQUIRE(lost != recording.quality.end());
  CHECK(lost->loss);
  CHECK(lost->value == job.lost);
}

TEST_CASE("a function that a longjmp leaves has no wrong argument at its next exit", "[bpf]") {
  const TargetRun run =
      record_target({"t_longjmp"}, with_spans({"frame=jump_frame..jump_frame:arg1"}), {});
  check_nothing_lost(run);
  const SpanStats& frame = span_of(run.recording, "frame");
  CHECK(frame.begun == run.truth.at("calls jump_frame"));
  CHECK(frame.finished + frame.unmatched == run.truth.at("rets jump_frame"));
  check_balance(frame);
}

TEST_CASE("a point that is none or several is refused with the candidates", "[bpf]") {
  test::Child child({target_path("t_async"), "--wait"});
  child.read_until("ready");
  const auto refusal = [&](const std::string& span) {
    const auto recorder = Recorder::create(child.pid(), with_spans({span}));
    REQUIRE_FALSE(recorder);
    return recorder.error();
  };
  const Error several = refusal("x=job_*..job_finish");
  CHECK(several.code == ErrorCode::kUsage);
  CHECK(several.what.find("job_submit") != std::string::npos);
  CHECK(refusal("x=job_submit..nowhere").what.find("'nowhere'") != std::string::npos);
  CHECK(refusal("x=malloc..job_finish").what.find("libc.so.6:malloc") != std::string::npos);
  CHECK(refusal("x=usdt:a:b..job_finish").hint == "the process has none");
  CHECK(refusal("*").what.find("marks no spans") != std::string::npos);
  const Error entry = refusal("x=job_submit.._start");
  CHECK(entry.code == ErrorCode::kUnsupported);
  CHECK(entry.hint.find("@entry") != std::string::npos);
}

TEST_CASE("spans say where they are not seen", "[bpf][long][multi]") {
  RecordOptions options = with_spans({"whole=main..main"});
  LiveRun live({"t_dlopen", target_path("libt_plugin.so")}, options, {});
  live.send("load\n");
  live.wait_for("loaded");
  live.send("quit\n");
  const TargetRun run = live.finish();
  CHECK(
      test::has_note(run.recording, "not seen in libraries that were loaded after the start: 1 "));
}

TEST_CASE("spans of forked children are counted with those of their parent", "[bpf][long][multi]") {
  RecordOptions options =
      with_spans({"child=child_work..child_work", "parent=parent_work..parent_work"});
  options.follow_children = GENERATE(true, false);
  LiveRun live({"t_fork", "--forks", "1", "--held", "--child-calls", "30"}, options, {});
  live.send("\n");
  live.wait_for("child ready");
  live.serve_for(200'000'000);
  live.send("\n");
  const TargetRun run = live.finish();
  const std::uint64_t in_child = run.truth.at("child_calls child_work");
  CHECK(in_child == 30);
  CHECK(span_of(run.recording, "child").finished == (options.follow_children ? in_child : 0));
  CHECK(span_of(run.recording, "parent").finished == run.truth.at("calls parent_work"));
  check_nothing_lost(run);
}

TEST_CASE("spans of several processes are counted together", "[bpf][long][multi]") {
  test::Child other(test::target_command({"t_fork", "--forks", "2"}));
  other.read_until("ready");
  RecordOptions options = with_spans({"parent=parent_work..parent_work"});
  options.more_pids = {other.pid()};
  LiveRun live({"t_fork", "--forks", "1"}, options, {});
  other.send("\n");
  const auto truth = test::parse_truth(other.read_until("done"));
  live.send("\n");
  const TargetRun run = live.finish();
  CHECK(span_of(run.recording, "parent").finished ==
        run.truth.at("calls parent_work") + truth.at("calls parent_work"));
}
