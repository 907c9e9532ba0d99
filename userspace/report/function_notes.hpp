// SPDX-License-Identifier: Apache-2.0
// What the function table says in words: remarks on one row, and the legend below the table, each
// only where there is something to say. Pure functions; private to this folder.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "callscope/recording.hpp"
#include "model/function_table.hpp"

namespace callscope {

// The exit mode of most functions: the headline says it, so that rows need not.
std::optional<ExitMode> usual_exit(std::span<const FunctionRow> rows);

// "one in 4 timed", "12 unwound (0.5%)", ... usual: the exit mode that goes without saying.
// cost_shown: there is a column for the cost of the probes.
std::vector<std::string> function_notes(const FunctionRow& row, std::optional<ExitMode> usual,
                                        bool cost_shown);

// Explains the signs that occur in rows. One line each.
std::vector<std::string> function_legend(const Recording& recording,
                                         std::span<const FunctionRow> rows);

}  // namespace callscope
