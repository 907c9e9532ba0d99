// SPDX-License-Identifier: Apache-2.0
// The ways to time a call: mechanism and exit strategy. A test tagged [ways] writes
// GENERATE(from_range(test::ways())); ctest runs it once for each way, by --way. One thread.
#pragma once

#include <string>
#include <vector>

#include "bpf/uprobe_set.hpp"
#include "callscope/recording.hpp"
#include "collect/recorder.hpp"

namespace callscope::test {

struct Way {
  std::string name;  // as in --way and in the names of the ctest entries
  ProbeMechanism mechanism;
  ExitMode exit;
};

// To record by this way: calls only, no CPU samples.
RecordOptions options_for(const Way& way);
// As a user gets them, but that an emulated guest is spared the calibration: half of its time.
RecordOptions user_options();

// Every way, whether this kernel has it or not.
const std::vector<Way>& all_ways();

// What the tests of this process shall take; main chooses before the first test. Never empty in a
// test tagged [ways]: without a way it is skipped.
const std::vector<Way>& ways();
void choose_ways(std::vector<Way> chosen);

}  // namespace callscope::test
