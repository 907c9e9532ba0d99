// SPDX-License-Identifier: Apache-2.0
// What this kernel has of what the tests need. A test names its needs by tags: [session], [multi],
// [perf-event], [sampling], [cycles]; a way (ways.hpp) needs its mechanism. What is there is found
// by trying it (probe_mechanisms), never from a version.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/mechanisms.hpp"
#include "callscope/error.hpp"
#include "ways.hpp"

namespace callscope::test {

class Features {
 public:
  // Tries all of them; takes a second, so that ctest does it once and saves the outcome.
  static Result<Features> probe();
  static Result<Features> load(const std::string& path);
  [[nodiscard]] Result<void> save(const std::string& path) const;

  // Why a test with this tag cannot run here; nothing when it can or the tag is not about a need.
  [[nodiscard]] std::optional<std::string> missing(std::string_view tag) const;
  [[nodiscard]] std::optional<std::string> missing(const Way& way) const;

 private:
  // Fails if a need is unknown to probe_mechanisms: a test must not be skipped by a spelling.
  static Result<Features> create(std::vector<Mechanism> mechanisms);
  explicit Features(std::vector<Mechanism> mechanisms) : mechanisms_(std::move(mechanisms)) {}

  [[nodiscard]] std::optional<std::string> lack_of(std::string_view mechanism) const;

  std::vector<Mechanism> mechanisms_;
};

}  // namespace callscope::test
