// SPDX-License-Identifier: Apache-2.0
// Writes a growing Recording to its file (schema.sql). The file can be read at any time, also after
// the recorder was killed: up to the last flush. One thread at a time. A failed flush (full disk)
// changes nothing in the file and may be tried again.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "store/output_file.hpp"

namespace callscope {

class RecordingWriter {
 public:
  // An existing recording at path is replaced, any other file there is a kUsage error, as is a
  // symbolic link. owner: who gets the file and its -wal and -shm; none = the caller.
  static Result<RecordingWriter> create(const std::string& path,
                                        std::optional<FileOwner> owner = std::nullopt);
  RecordingWriter(RecordingWriter&& other) noexcept;
  RecordingWriter& operator=(RecordingWriter&& other) noexcept;
  ~RecordingWriter();

  // Stores what is new since the last flush in one transaction. modules, frames, stacks, threads,
  // slow_calls and notes may only have grown; latency_columns too, and those of the last second
  // that was flushed may have changed; functions keep their place and their slots, (stack, pid,
  // tid) never leaves cpu; snapshots (told apart by t_ns) may have been thinned out; all the rest
  // may have changed at will. The file says "not finished", whatever recording.finished says.
  Result<void> flush(const Recording& recording);

  // Last flush: marks the recording finished and leaves one self-contained file. No flush after it.
  Result<void> finish(const Recording& recording);

 private:
  class State;
  explicit RecordingWriter(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace callscope
