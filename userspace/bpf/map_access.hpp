// SPDX-License-Identifier: Apache-2.0
// Maps of loaded objects: reading a whole hash map, and giving maps of one object to another.
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bpf/libbpf_error.hpp"
#include "callscope/error.hpp"

namespace callscope {

// All entries, in no order. what: for the error.
template <typename Key, typename Value>
Result<std::vector<std::pair<Key, Value>>> read_hash_map(const bpf_map* map,
                                                         const std::string& what) {
  constexpr std::uint32_t kBatch = 8192;
  std::vector<Key> keys(kBatch);
  std::vector<Value> values(kBatch);
  std::vector<std::pair<Key, Value>> all;
  std::uint32_t position = 0;
  for (bool first = true;; first = false) {
    std::uint32_t got = kBatch;
    const int result = ::bpf_map_lookup_batch(::bpf_map__fd(map), first ? nullptr : &position,
                                              &position, keys.data(), values.data(), &got, nullptr);
    if (result != 0 && errno != ENOENT)
      return std::unexpected(libbpf_error("cannot read " + what, errno));
    for (std::uint32_t i = 0; i < got; ++i) all.emplace_back(keys[i], values[i]);
    if (result != 0) return all;
  }
}

// To call between opening and loading `to`: it uses the maps of `from` that it has by the same
// name, but for variables, scratch memory and those whose name begins with own.
Result<void> share_maps(const bpf_object* from, bpf_object* to, std::string_view own = "-");

}  // namespace callscope
