// SPDX-License-Identifier: Apache-2.0
#include "store/file_header.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "store/schema.hpp"

namespace callscope::store {
namespace {

std::uint32_t big_endian(std::span<const unsigned char> bytes) {
  std::uint32_t value = 0;
  for (const unsigned char byte : bytes) value = (value << 8) | byte;
  return value;
}

}  // namespace

Result<FileHeader> read_file_header(int fd, const std::string& path) {
  std::array<unsigned char, kHeaderBytes> bytes{};
  const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), 0);
  if (got < 0) {
    const int error = errno;
    return fail(ErrorCode::kIo, "cannot read " + path, "", error);
  }
  FileHeader header;
  const std::span<const unsigned char> view(bytes);
  header.is_sqlite =
      static_cast<std::size_t>(got) == bytes.size() &&
      std::equal(kSqliteMagic.begin(), kSqliteMagic.end(), view.begin(),
                 [](char a, unsigned char b) { return static_cast<unsigned char>(a) == b; });
  if (!header.is_sqlite) return header;
  const std::uint32_t page_bytes = big_endian(view.subspan(16, 2));  // 1 stands for 65536
  header.expected_bytes =
      std::uint64_t{page_bytes == 1 ? 65536 : page_bytes} * big_endian(view.subspan(28, 4));
  header.wal = view[18] == 2 || view[19] == 2;
  header.version = big_endian(view.subspan(60, 4));
  header.is_recording = big_endian(view.subspan(68, 4)) == kApplicationId;
  return header;
}

}  // namespace callscope::store
