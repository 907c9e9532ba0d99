// SPDX-License-Identifier: Apache-2.0
// Whom a launched command runs as and whom our files belong to: the user who called sudo. Plain
// values; the command line passes the texts of SUDO_UID, SUDO_GID and SUDO_USER in.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace callscope {

struct Credentials {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string user;  // for initgroups, USER and LOGNAME; empty: look it up by uid
};

// Nothing when a number is missing or malformed, or when root itself called sudo.
std::optional<Credentials> sudo_caller(std::string_view sudo_uid, std::string_view sudo_gid,
                                       std::string_view sudo_user);

}  // namespace callscope
