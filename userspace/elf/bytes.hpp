// SPDX-License-Identifier: Apache-2.0
// Bounds-checked reads from untrusted bytes: every offset and size comes from a file that may lie.
// Nothing here throws or reads outside the span; what is not there is nullopt or empty.
// Pure functions, thread-safe; returned views point into the bytes that were given.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace callscope {

using ByteSpan = std::span<const std::uint8_t>;

// [pos, pos + size) of bytes; nullopt if it is not wholly inside.
inline std::optional<ByteSpan> slice(ByteSpan bytes, std::uint64_t pos, std::uint64_t size) {
  if (pos > bytes.size() || size > bytes.size() - pos) return std::nullopt;
  return bytes.subspan(static_cast<std::size_t>(pos), static_cast<std::size_t>(size));
}

// A little-endian T at pos, of any alignment.
template <typename T>
std::optional<T> load(ByteSpan bytes, std::uint64_t pos) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (pos > bytes.size() || sizeof(T) > bytes.size() - pos) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + pos, sizeof(T));
  return value;
}

// The NUL-terminated string at pos, without the NUL; empty if pos or the NUL is outside.
inline std::string_view string_at(ByteSpan bytes, std::uint64_t pos) {
  if (pos >= bytes.size()) return {};
  const std::uint8_t* const first = bytes.data() + pos;
  const auto* const stop = static_cast<const std::uint8_t*>(
      std::memchr(first, 0, bytes.size() - static_cast<std::size_t>(pos)));
  if (stop == nullptr) return {};
  // char may alias any object, so this is a view of bytes and not a struct cast.
  return {reinterpret_cast<const char*>(first), static_cast<std::size_t>(stop - first)};
}

}  // namespace callscope
