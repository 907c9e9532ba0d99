// SPDX-License-Identifier: Apache-2.0
// The USDT markers of a process: all of its mapped files, each place of a marker with the file that
// it lies in. Points into the symbolizer, which must outlive it. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "callscope/error.hpp"
#include "probes/usdt.hpp"
#include "symbols/symbolizer.hpp"

namespace callscope {

struct PlacedMarker {
  UsdtMarker marker;
  std::string open_path;           // of its file, as the kernel shall open it
  CachedModule* module = nullptr;  // its file
};

class MarkerFinder {
 public:
  // Reads the notes of all files that pid has mapped now.
  MarkerFinder(std::int32_t pid, const Symbolizer& symbolizer);

  [[nodiscard]] const std::vector<PlacedMarker>& all() const { return markers_; }

  // All places that match. kUsage if there is none, with what there is; kUnsupported if one of them
  // cannot be probed.
  [[nodiscard]] Result<std::vector<PlacedMarker>> find(const UsdtPattern& pattern) const;

 private:
  [[nodiscard]] std::string names() const;

  std::vector<PlacedMarker> markers_;
};

// "usdt:PROVIDER:NAME"
std::string marker_text(const UsdtMarker& marker);

}  // namespace callscope
