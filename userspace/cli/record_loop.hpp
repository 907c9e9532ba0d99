// SPDX-License-Identifier: Apache-2.0
// The event loop of record: waits for signals, the end of the target, samples and the clock;
// flushes the recording to its file about once a second. A file that cannot be written (full disk)
// does not end the recording: the summary is still printed and the failure said at the end. One
// thread.
#pragma once

#include <csignal>
#include <cstdint>
#include <string>
#include <vector>

#include "callscope/error.hpp"
#include "collect/recorder.hpp"
#include "store/recording_writer.hpp"
#include "sys/fd.hpp"

namespace callscope::cli {

// Blocks SIGINT, SIGTERM and SIGHUP for the process and makes them readable.
class RecordSignals {
 public:
  RecordSignals();
  ~RecordSignals() { restore(); }
  RecordSignals(const RecordSignals&) = delete;
  RecordSignals& operator=(const RecordSignals&) = delete;

  [[nodiscard]] int fd() const { return fd_.get(); }
  void restore();  // signals act as before

 private:
  sigset_t before_{};
  Fd fd_;
};

enum class RecordEnd { kDuration, kSignal, kTargetExit };

class RecordLoop {
 public:
  struct Options {
    std::uint64_t duration_ns = 0;  // 0: no limit
    std::uint64_t interval_ns = 0;  // of snapshots
    bool progress = true;           // a line on stderr, if that is a terminal
  };
  RecordLoop(Recorder& recorder, RecordingWriter& writer, RecordSignals& signals, Options options);

  RecordEnd run();
  // Stops the recorder and completes the file; what went wrong since the start.
  std::vector<Error> finish(RecordEnd end);

 private:
  void tick();
  void housekeep();
  void flush();
  void show_progress();
  void keep(const Result<void>& result);

  Recorder& recorder_;
  RecordingWriter& writer_;
  RecordSignals& signals_;
  Options options_;
  std::uint64_t begin_ns_;
  std::uint64_t next_tick_ns_;
  std::uint64_t next_housekeeping_ns_;
  std::uint64_t next_flush_ns_;
  bool shown_ = false;
  std::vector<Error> failures_;
};

}  // namespace callscope::cli
