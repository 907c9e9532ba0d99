// SPDX-License-Identifier: Apache-2.0
// The tables of an open recording as a Recording, with every id, type and range checked: the file
// may come from anyone. No state; uses the connection of the caller.
#pragma once

#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "store/database.hpp"

namespace callscope::store {

Result<Recording> read_tables(Database& database);

}  // namespace callscope::store
