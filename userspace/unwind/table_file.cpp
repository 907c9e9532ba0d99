// SPDX-License-Identifier: Apache-2.0
#include "unwind/table_file.hpp"

#include <zlib.h>

#include <array>
#include <cstring>

namespace callscope {
namespace {

// Raise it whenever the compiler gives other tables for the same file, too.
constexpr std::uint32_t kFormatVersion = 2;  // 2: realigned_stack.hpp
constexpr std::array<char, 8> kMagic{'c', 's', 'u', 'n', 'w', 'i', 'n', 'd'};

struct FileHeader {
  std::array<char, 8> magic = kMagic;
  std::uint32_t version = kFormatVersion;
  std::uint32_t crc = 0;  // CRC-32 (zlib's) of all that follows this field
  std::uint32_t pages = 0;
  std::uint32_t rows = 0;
  std::uint32_t rules = 0;
  std::uint32_t invalid_reasons = CS_UNWIND_INVALID_REASONS;
};
static_assert(sizeof(FileHeader) == 32);
constexpr std::size_t kCheckedFrom = offsetof(FileHeader, pages);

std::uint32_t checksum(ByteSpan file) {
  const ByteSpan checked = file.subspan(kCheckedFrom);
  return static_cast<std::uint32_t>(::crc32_z(0, checked.data(), checked.size()));
}

template <typename Array>
std::size_t bytes_of(const Array& array) {
  return array.size() * sizeof(typename Array::value_type);
}

template <typename Array>
void append(std::vector<std::uint8_t>& out, const Array& array) {
  const auto* const first = reinterpret_cast<const std::uint8_t*>(array.data());
  out.insert(out.end(), first, first + bytes_of(array));
}

// Fills the array from the front of bytes and moves bytes on.
template <typename Array>
void take(ByteSpan& bytes, Array& array) {
  const std::size_t size = bytes_of(array);
  if (size != 0) std::memcpy(array.data(), bytes.data(), size);
  bytes = bytes.subspan(size);
}

bool holds_together(const UnwindTable& table) {
  std::uint64_t next_row = 0;
  std::uint64_t next_page = 0;
  for (const UnwindPage& page : table.pages) {
    if (page.start % CS_UNWIND_PAGE_SIZE != 0 || page.start < next_page) return false;
    if (page.first != next_row || page.count == 0) return false;
    next_page = page.start + CS_UNWIND_PAGE_SIZE;
    next_row += page.count;
    if (next_row > table.rows.size() || table.rows[page.first].pc_low != 0) return false;
    for (std::uint32_t row = page.first + 1; row < next_row; ++row)
      if (table.rows[row].pc_low <= table.rows[row - 1].pc_low) return false;
  }
  if (next_row != table.rows.size()) return false;
  for (const cs_unwind_row& row : table.rows)
    if (row.rule >= table.rules.size()) return false;
  return true;
}

}  // namespace

std::vector<std::uint8_t> write_table(const UnwindTable& table) {
  FileHeader header;
  header.pages = static_cast<std::uint32_t>(table.pages.size());
  header.rows = static_cast<std::uint32_t>(table.rows.size());
  header.rules = static_cast<std::uint32_t>(table.rules.size());
  std::vector<std::uint8_t> out(sizeof header);
  out.reserve(out.size() + bytes_of(table.invalid_rows) + bytes_of(table.pages) +
              bytes_of(table.rows) + bytes_of(table.rules));
  append(out, table.invalid_rows);
  append(out, table.pages);
  append(out, table.rows);
  append(out, table.rules);
  std::memcpy(out.data(), &header, sizeof header);
  header.crc = checksum(out);
  std::memcpy(out.data(), &header, sizeof header);
  return out;
}

std::optional<UnwindTable> read_table(ByteSpan bytes) {
  const auto header = load<FileHeader>(bytes, 0);
  if (!header || header->magic != kMagic || header->version != kFormatVersion ||
      header->invalid_reasons != CS_UNWIND_INVALID_REASONS || header->crc != checksum(bytes))
    return std::nullopt;
  UnwindTable table;
  const std::uint64_t size = sizeof *header + bytes_of(table.invalid_rows) +
                             std::uint64_t{header->pages} * sizeof(UnwindPage) +
                             std::uint64_t{header->rows} * sizeof(cs_unwind_row) +
                             std::uint64_t{header->rules} * sizeof(cs_unwind_rule);
  if (size != bytes.size()) return std::nullopt;
  table.pages.resize(header->pages);
  table.rows.resize(header->rows);
  table.rules.resize(header->rules);
  ByteSpan rest = bytes.subspan(sizeof *header);
  take(rest, table.invalid_rows);
  take(rest, table.pages);
  take(rest, table.rows);
  take(rest, table.rules);
  if (!holds_together(table)) return std::nullopt;
  return table;
}

}  // namespace callscope
