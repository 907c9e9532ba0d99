// SPDX-License-Identifier: Apache-2.0
// Debug files from the servers that the user named in DEBUGINFOD_URLS; without that variable there
// is no network access. Works by elfutils' libdebuginfod, which is loaded only then and caches what
// it gets (DEBUGINFOD_CACHE_PATH). One thread. What a server sends is checked by its build-id.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "symbols/debug_file.hpp"

struct debuginfod_client;

namespace callscope {

// A debug file by the build-id of its module (hex). kNotFound: nobody has it.
using DebugFileFetcher = std::function<Result<DebugFile>(const std::string& build_id)>;

class Debuginfod {
 public:
  // Nothing: DEBUGINFOD_URLS is not set. kUnsupported: the library is not installed. deadline_ns
  // (CLOCK_MONOTONIC) is that of all fetches together, give or take a second.
  static Result<std::optional<Debuginfod>> from_environment(std::uint64_t deadline_ns);

  Debuginfod(Debuginfod&&) noexcept = default;
  Debuginfod& operator=(Debuginfod&&) noexcept = default;

  // kNotFound; kIo: no server answered in time.
  Result<DebugFile> fetch(const std::string& build_id);

 private:
  struct Library;  // its functions, found by dlsym
  struct End {
    const Library* library = nullptr;
    void operator()(debuginfod_client* client) const;
  };
  Debuginfod(const Library& library, std::uint64_t deadline_ns);
  static int on_progress(debuginfod_client* client, long a, long b);
  static const Library* load();

  const Library* library_;                      // never unloaded
  std::unique_ptr<std::uint64_t> deadline_ns_;  // where on_progress finds it, wherever we move
  std::unique_ptr<debuginfod_client, End> client_;
};

}  // namespace callscope
