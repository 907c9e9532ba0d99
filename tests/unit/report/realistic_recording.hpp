// SPDX-License-Identifier: Apache-2.0
// A recording as a web server under load would give: 60 seconds, three levels of calls and more,
// two kinds of threads, waiting, throwing, sampled and uncounted functions, a latency that degrades
// in the middle. Made by a small simulation with a fixed seed: the same in every run. For the tests
// of this folder, and to look at what the renderers make of it.
#pragma once

#include "callscope/recording.hpp"

namespace callscope::test {

Recording realistic_recording();

}  // namespace callscope::test
