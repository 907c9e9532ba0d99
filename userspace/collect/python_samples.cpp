// SPDX-License-Identifier: Apache-2.0
#include "collect/python_samples.hpp"

#include <algorithm>

namespace callscope {

void PythonSamples::add_half(const cs_python_stack_record& record) {
  key_ = record.key;
  half_.end = record.end;
  const std::uint32_t count = std::min<std::uint32_t>(record.n_frames, CS_PYTHON_FRAMES);
  half_.frames.assign(record.frames, record.frames + count);
  waiting_ = true;
}

const PythonSamples::Half* PythonSamples::half(const cs_stack_key& key) const {
  return waiting_ && StackKeyEqual()(key, key_) ? &half_ : nullptr;
}

void PythonSamples::note(const cs_stack_key& key, const Half& half, const MixedStack* mixed) {
  Outcome outcome = kMismatch;
  if (mixed != nullptr)
    outcome = mixed->cut ? kCut : kShown;
  else if (half.end == CS_PYTHON_LINKING)
    outcome = kLinking;
  else if (half.end == CS_PYTHON_NO_THREAD)
    outcome = kNoThread;
  else if (half.end == CS_PYTHON_BROKEN)
    outcome = kBroken;
  outcomes_[key] = outcome;
  waiting_ = false;
}

void PythonSamples::count(const cs_stack_key& key, std::uint64_t samples) {
  if (const auto known = outcomes_.find(key); known != outcomes_.end())
    counts_.at(known->second) += samples;
}

void PythonSamples::add_quality(std::vector<QualityItem>& quality) const {
  const auto add = [&](Outcome outcome, const char* key, const char* meaning) {
    quality.push_back({key, counts_.at(outcome), false, meaning});
  };
  add(kShown, "python_samples", "CPU samples in Python, with its functions in their stack");
  add(kCut, "python_depth", "CPU samples in Python with more than 1024 of its functions open");
  add(kLinking, "python_linking",
      "CPU samples shown without Python functions: taken while one was being entered");
  add(kNoThread, "python_no_thread",
      "CPU samples shown without Python functions: the interpreter's thread was not found");
  add(kBroken, "python_broken",
      "CPU samples shown without Python functions: a frame of the interpreter was not readable");
  add(kMismatch, "python_mismatch",
      "CPU samples shown without Python functions: they did not fit the native frames");
}

}  // namespace callscope
