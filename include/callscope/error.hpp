// SPDX-License-Identifier: Apache-2.0
// The one error type of callscope. Fallible functions return Result<T>; libraries never print
// and never exit, the command line turns an Error into one message and an exit code.
// Error is a plain value: copyable, no ownership, usable from any thread.
#pragma once

#include <cstring>
#include <expected>
#include <string>
#include <utility>

namespace callscope {

// What kind of failure it was; cli/ maps each to a process exit code.
enum class ErrorCode {
  kUsage,         // bad input from the user                      exit 2
  kNotPermitted,  // capability missing, lockdown                 exit 3
  kUnsupported,   // this kernel lacks a feature we need          exit 3
  kNotFound,      // target process, binary or recording missing  exit 4
  kCorrupt,       // a file is not what it should be              exit 1
  kIo,            // disk full, read error                        exit 1
  kInternal,      // anything else of ours                        exit 1
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string what;   // what failed, on what:  "cannot open /x/y"
  std::string hint;   // what to do about it; may be empty
  int sys_errno = 0;  // captured right after the failing call; 0 = none

  // "cannot open /x/y: No such file or directory (check the path)"
  [[nodiscard]] std::string message() const {
    std::string text = what;
    if (sys_errno != 0) text += std::string(": ") + std::strerror(sys_errno);
    if (!hint.empty()) text += " (" + hint + ")";
    return text;
  }
};

template <typename T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string what,
                                                 std::string hint = {}, int sys_errno = 0) {
  return std::unexpected<Error>(Error{code, std::move(what), std::move(hint), sys_errno});
}

}  // namespace callscope

// CS_TRY(expr): returns the error of a Result<void>-like expression to the caller.
#define CS_TRY(expr)                                                     \
  do {                                                                   \
    if (auto cs_try_result = (expr); !cs_try_result)                     \
      return std::unexpected<::callscope::Error>(cs_try_result.error()); \
  } while (false)
