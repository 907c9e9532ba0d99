// SPDX-License-Identifier: Apache-2.0
#include "model/sampled_time.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "callscope/time.hpp"

namespace callscope {
namespace {

constexpr std::uint32_t kNone = ~std::uint32_t{0};

using Place = std::pair<std::uint32_t, std::uint64_t>;  // module, address

// The function that each frame lies in, by Frame::id.
std::vector<std::uint32_t> functions_of_frames(const Recording& recording) {
  std::map<Place, std::uint32_t> starts;
  for (std::uint32_t i = 0; i < recording.functions.size(); ++i) {
    starts.try_emplace({recording.functions[i].module, recording.functions[i].addr}, i);
  }
  std::vector<std::uint32_t> result;
  result.reserve(recording.frames.size());
  for (const Frame& frame : recording.frames) {
    const auto next = starts.upper_bound({frame.module, frame.addr});
    std::uint32_t function = kNone;
    if (next != starts.begin()) {
      const auto& [place, candidate] = *std::prev(next);
      const std::uint64_t size_bytes = recording.functions[candidate].size_bytes;
      if (place.first == frame.module && frame.addr - place.second < size_bytes)
        function = candidate;
    }
    result.push_back(function);
  }
  return result;
}

}  // namespace

std::vector<SampledTime> sampled_times(const Recording& recording) {
  std::vector<SampledTime> times(recording.functions.size());
  const std::vector<std::uint32_t> function_of = functions_of_frames(recording);
  std::vector<std::uint64_t> samples(recording.stacks.size());
  for (const CpuSamples& s : recording.cpu) samples[s.stack] += s.count;
  std::vector<std::uint32_t> counted_in(recording.functions.size(), kNone);  // the last stack
  for (std::uint32_t stack = 0; stack < samples.size(); ++stack) {
    if (samples[stack] == 0) continue;
    bool innermost = true;
    for (const std::uint32_t id : recording.stacks[stack].frames) {
      const std::uint32_t function = function_of[id];
      if (function == kNone) continue;
      if (std::exchange(innermost, false)) times[function].self += samples[stack];
      if (std::exchange(counted_in[function], stack) != stack)
        times[function].total += samples[stack];
    }
  }
  return times;
}

std::optional<std::uint64_t> samples_ns(const Recording& recording, std::uint64_t samples) {
  if (recording.sample_hz == 0) return std::nullopt;
  // Split, so that no product overflows.
  const std::uint64_t hz = recording.sample_hz;
  return samples / hz * kNsPerSecond + samples % hz * kNsPerSecond / hz;
}

}  // namespace callscope
