// SPDX-License-Identifier: Apache-2.0
// The member "spans" of the JSON report. Pure function; private to this folder.
#pragma once

#include <nlohmann/json.hpp>

#include "callscope/recording.hpp"

namespace callscope {

nlohmann::ordered_json spans_json(const Recording& recording);

}  // namespace callscope
