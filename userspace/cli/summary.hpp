// SPDX-License-Identifier: Apache-2.0
// What record prints when it ends: the text report and what is missing. Prints.
#pragma once

#include "callscope/recording.hpp"

namespace callscope::cli {

// The text report on standard output, with simple display names.
void print_summary(const Recording& recording);

// Says on standard error why the data is incomplete; false if it is complete.
bool report_incomplete(const Recording& recording);

}  // namespace callscope::cli
