// SPDX-License-Identifier: Apache-2.0
#include "target/credentials.hpp"

#include "sys/parse_number.hpp"

namespace callscope {

std::optional<Credentials> sudo_caller(std::string_view sudo_uid, std::string_view sudo_gid,
                                       std::string_view sudo_user) {
  constexpr uid_t kHighest = static_cast<uid_t>(-2);  // -1 means "leave unchanged" to setuid
  const std::optional<uid_t> uid = parse_number<uid_t>(sudo_uid, 0, kHighest);
  const std::optional<gid_t> gid = parse_number<gid_t>(sudo_gid, 0, kHighest);
  if (!uid || !gid || *uid == 0) return std::nullopt;
  return Credentials{.uid = *uid, .gid = *gid, .user = std::string(sudo_user)};
}

}  // namespace callscope
