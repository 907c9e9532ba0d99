// SPDX-License-Identifier: Apache-2.0
#include "bpf/libbpf_error.hpp"

#include <bpf/libbpf.h>

#include <cerrno>

namespace callscope {

void silence_libbpf() { ::libbpf_set_print(nullptr); }

Error libbpf_error(const std::string& what, int err) {
  Error error{ErrorCode::kInternal, what, {}, err};
  if (err == EPERM || err == EACCES) {
    error.code = ErrorCode::kNotPermitted;
    error.hint = "run with sudo; 'callscope doctor' tells what is missing";
  } else if (err == ENOENT || err == EOPNOTSUPP || err == EINVAL || err == ESRCH) {
    error.code = ErrorCode::kUnsupported;
    error.hint = "'callscope doctor' tells what this kernel lacks";
  }
  return error;
}

}  // namespace callscope
