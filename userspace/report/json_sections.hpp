// SPDX-License-Identifier: Apache-2.0
// The parts of the JSON report about calls. Pure functions; private to this folder.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "callscope/recording.hpp"
#include "report/renderer.hpp"

namespace callscope {

using Json = nlohmann::ordered_json;

template <typename T>
Json value_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json functions_json(const Recording& recording, const ReportOptions& options);
Json call_tree_json(const Recording& recording);
Json latency_columns_json(const Recording& recording);
Json slow_calls_json(const Recording& recording);
Json probe_costs_json(const ProbeCosts& costs);

}  // namespace callscope
