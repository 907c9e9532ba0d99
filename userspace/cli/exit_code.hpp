// SPDX-License-Identifier: Apache-2.0
// The process exit code of an error. Pure function.
#pragma once

#include "callscope/error.hpp"
#include "cli/command.hpp"

namespace callscope::cli {

inline int exit_code(const Error& error) {
  switch (error.code) {
    case ErrorCode::kUsage:
      return kExitUsage;
    case ErrorCode::kNotPermitted:
    case ErrorCode::kUnsupported:
      return kExitNotPermitted;
    case ErrorCode::kNotFound:
      return kExitNotFound;
    case ErrorCode::kCorrupt:
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return kExitFailure;
  }
  return kExitInternal;
}

}  // namespace callscope::cli
