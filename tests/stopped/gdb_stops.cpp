// SPDX-License-Identifier: Apache-2.0
// gdb_stops PID STOPS [SEED]: stops the process at random moments and compares the walk of its
// stack with gdb's backtrace of the same state, address by address. Prints "stops N", "identical
// N", "complete N" (walks that reached the outermost frame), "deep N" (that have more frames than a
// walk keeps: those that it keeps are compared), then for each kind of difference
// "differs N KIND: an example". A kind names its reason; "wrong" has none: then the status is 1.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gdb_session.hpp"
#include "sys/parse_number.hpp"
#include "user_walker.hpp"

using namespace callscope;
using test::GdbSession;
using test::GdbStop;
using test::UserWalker;
using test::WalkedStack;

namespace {

// By enum cs_stack_end.
constexpr std::array<const char*, CS_STACK_ENDS> kEnds = {
    "goes on",  "complete",         "depth",      "no mapping", "no table",   "jit",
    "bad rule", "unknown register", "read fault", "backward",   "trampoline", "no registers"};

struct Difference {
  std::uint64_t count = 0;
  std::string example;
};

class Comparison {
 public:
  explicit Comparison(UserWalker& walker) : walker_(walker) {}

  void add(const GdbStop& stop) {
    ++stops_;
    const WalkedStack walked = walker_.walk(stop.registers);
    if (walked.end == CS_STACK_COMPLETE) ++complete_;
    const auto [ours, theirs] = std::ranges::mismatch(walked.frames, stop.frames);
    const bool ours_ended = ours == walked.frames.end();
    const bool theirs_ended = theirs == stop.frames.end();
    const bool kept_all = walked.end != CS_STACK_DEPTH && !walked.deep;
    if (!kept_all) ++deep_;
    if (ours_ended && (theirs_ended || !kept_all)) {
      ++identical_;
      return;
    }
    const auto at = static_cast<std::size_t>(ours - walked.frames.begin());
    const std::string kind = kind_of(walked, stop, at, ours_ended, theirs_ended);
    Difference& difference = differences_[kind];
    if (++difference.count == 1)
      difference.example =
          fmt::format("thread {} at frame {}\n    ours: {} ({})\n    gdb:  {} ({})", stop.tid, at,
                      shown(walked.frames, at), kEnds.at(static_cast<std::size_t>(walked.end)),
                      shown(stop.frames, at), stop.reason);
  }

  int report() const {
    fmt::print("stops {}\nidentical {}\ncomplete {}\ndeep {}\n", stops_, identical_, complete_,
               deep_);
    for (const auto& [kind, difference] : differences_)
      fmt::print("differs {} {}: {}\n", difference.count, kind, difference.example);
    return differences_.contains(kWrong) ? 1 : 0;
  }

 private:
  static constexpr const char* kWrong = "wrong";
  static constexpr std::size_t kShown = 4;

  // The caller that the two disagree on is the one of frame at - 1.
  std::string kind_of(const WalkedStack& walked, const GdbStop& stop, std::size_t at,
                      bool ours_ended, bool theirs_ended) {
    if (at == 0) return kWrong;
    const bool described = walker_.has_rule(walked.frames[at - 1] - (at > 1 ? 1 : 0));
    const std::string what = described ? "described code" : "code without a table";
    if (ours_ended && walked.end != CS_STACK_COMPLETE)
      return fmt::format("our walk ends in {} ({})", what,
                         kEnds.at(static_cast<std::size_t>(walked.end)));
    if (ours_ended && !described) return fmt::format("our walk is complete in {}", what);
    if (theirs_ended) return fmt::format("gdb ends in {} ({})", what, stop.reason);
    return described ? kWrong : fmt::format("gdb guesses in {}", what);
  }

  // The frames around the first that differs.
  [[nodiscard]] std::string shown(const std::vector<std::uint64_t>& frames, std::size_t at) const {
    const std::size_t first = at > kShown ? at - kShown : 0;
    const std::size_t end = std::min(frames.size(), at + kShown);
    std::string text = first > 0 ? "... " : "";
    for (std::size_t i = first; i < end; ++i) text += walker_.describe(frames[i]) + " ";
    return text + (end < frames.size() ? "..." : "");
  }

  UserWalker& walker_;
  std::uint64_t stops_ = 0;
  std::uint64_t identical_ = 0;
  std::uint64_t complete_ = 0;
  std::uint64_t deep_ = 0;
  std::map<std::string, Difference> differences_;
};

int failed(const Error& error) {
  fmt::print(stderr, "gdb_stops: {}\n", error.message());
  return 1;
}

int compare(pid_t pid, std::uint64_t stops, std::uint64_t seed) {
  auto session = GdbSession::attach(pid, seed);
  if (!session) return failed(session.error());
  auto walker = UserWalker::create(pid);
  if (!walker) return failed(walker.error());
  Comparison comparison(**walker);
  for (std::uint64_t i = 0; i < stops; ++i) {
    const Result<GdbStop> stop = (*session)->stop();
    if (!stop) {
      // What ends in the middle of the work has been compared as far as it went.
      fmt::print(stderr, "gdb_stops: after {} stops: {}\n", i, stop.error().message());
      break;
    }
    const Result<void> read = (*walker)->read_code();
    if (!read) return failed(read.error());
    comparison.add(*stop);
  }
  return comparison.report();
}

}  // namespace

int main(int argc, char** argv) {
  const auto pid = parse_number<pid_t>(argc > 2 ? argv[1] : "", 1);
  const auto stops = parse_number<std::uint64_t>(argc > 2 ? argv[2] : "", 1);
  const auto seed = parse_number<std::uint64_t>(argc > 3 ? argv[3] : "1");
  if (!pid || !stops || !seed || argc > 4) {
    fmt::print(stderr, "usage: gdb_stops PID STOPS [SEED]\n");
    return 2;
  }
  return compare(*pid, *stops, *seed);
}
