// SPDX-License-Identifier: Apache-2.0
#include "bpf/map_access.hpp"

namespace callscope {

Result<void> share_maps(const bpf_object* from, bpf_object* to, std::string_view own) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, to) {
    const std::string_view name = ::bpf_map__name(map);
    const bool scratch = ::bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY;
    if (::bpf_map__is_internal(map) || scratch || name.starts_with(own)) continue;
    const bpf_map* const shared = ::bpf_object__find_map_by_name(from, name.data());
    if (shared != nullptr && ::bpf_map__reuse_fd(map, ::bpf_map__fd(shared)) != 0)
      return std::unexpected(libbpf_error("cannot share the map " + std::string(name), errno));
  }
  return {};
}

}  // namespace callscope
