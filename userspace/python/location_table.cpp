// SPDX-License-Identifier: Apache-2.0
#include "python/location_table.hpp"

#include <limits>
#include <tuple>

namespace callscope {
namespace {

// The kind of an entry, bits 3 to 6 of its first byte. Below kOneLine: on the line before.
enum Kind : std::uint8_t {
  kOneLine = 10,  // to kOneLine + 2: that many lines further down
  kNoColumns = 13,
  kLong = 14,
  kNone = 15,
};

class Reader {
 public:
  explicit Reader(ByteSpan bytes) : bytes_(bytes) {}

  [[nodiscard]] bool at_end() const { return pos_ >= bytes_.size(); }
  [[nodiscard]] bool failed() const { return failed_; }
  std::uint8_t byte() {
    if (at_end()) return failed_ = true, 0;
    return bytes_[pos_++];
  }
  void skip(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) std::ignore = byte();
  }
  // Six bits a byte, the lowest first; bit 6: there are more.
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 36; shift += 6) {
      const std::uint8_t next = byte();
      value |= std::uint64_t{next & 0x3fU} << shift;
      if ((next & 0x40U) == 0) return value;
    }
    failed_ = true;
    return 0;
  }
  // The lowest bit is the sign.
  std::int64_t signed_number() {
    const std::uint64_t value = number();
    const auto half = static_cast<std::int64_t>(value >> 1);
    return (value & 1) != 0 ? -half : half;
  }

 private:
  ByteSpan bytes_;
  std::size_t pos_ = 0;
  bool failed_ = false;
};

// Reads what follows the first byte of an entry; how many lines further down it is.
std::int64_t line_step(Reader& reader, std::uint8_t kind) {
  std::int64_t step = 0;
  if (kind == kNone) return 0;
  if (kind == kLong) {
    step = reader.signed_number();
    for (int i = 0; i < 3; ++i) std::ignore = reader.number();  // end line, both columns
  } else if (kind == kNoColumns) {
    step = reader.signed_number();
  } else if (kind >= kOneLine) {
    step = kind - kOneLine;
    reader.skip(2);
  } else {
    reader.skip(1);
  }
  return step;
}

}  // namespace

std::optional<std::uint32_t> python_line(ByteSpan table, std::uint32_t first_line,
                                         std::uint32_t instruction) {
  Reader reader(table);
  std::int64_t line = first_line;
  std::uint64_t end = 0;  // index of the first code unit behind the entry
  while (!reader.at_end()) {
    const std::uint8_t first = reader.byte();
    if ((first & 0x80U) == 0) return std::nullopt;  // not the beginning of an entry
    const std::uint8_t kind = first >> 3 & 15U;
    line += line_step(reader, kind);
    end += (first & 7U) + 1;
    if (reader.failed()) return std::nullopt;
    if (instruction >= end) continue;
    if (kind == kNone || line <= 0 || line > std::numeric_limits<std::int32_t>::max())
      return std::nullopt;
    return static_cast<std::uint32_t>(line);
  }
  return std::nullopt;
}

}  // namespace callscope
