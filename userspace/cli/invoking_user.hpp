// SPDX-License-Identifier: Apache-2.0
// Who called sudo: the owner of every file that we write as root. Reads the environment, so only
// cli/ asks, before other threads start.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "store/output_file.hpp"
#include "sys/parse_number.hpp"

namespace callscope::cli {

// Nothing when not root, or not called through sudo.
inline std::optional<FileOwner> invoking_user() {
  const char* const uid_text = std::getenv("SUDO_UID");
  const char* const gid_text = std::getenv("SUDO_GID");
  if (::geteuid() != 0 || uid_text == nullptr || gid_text == nullptr) return std::nullopt;
  const std::optional<uid_t> uid = parse_number<uid_t>(uid_text);
  const std::optional<gid_t> gid = parse_number<gid_t>(gid_text);
  if (!uid || !gid) return std::nullopt;
  return FileOwner{*uid, *gid};
}

}  // namespace callscope::cli
