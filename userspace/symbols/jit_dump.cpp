// SPDX-License-Identifier: Apache-2.0
#include "symbols/jit_dump.hpp"

#include <algorithm>
#include <string>

namespace callscope {
namespace {

constexpr std::uint32_t kMagic = 0x4A695444;  // in the byte order of the writer
constexpr std::uint32_t kVersion = 1;
constexpr std::uint64_t kHeaderBytes = 40;
constexpr std::uint64_t kMaxHeaderBytes = 4096;
constexpr std::uint64_t kRecordHeaderBytes = 16;  // id, size, time

enum RecordId : std::uint32_t { kCodeLoad = 0, kCodeMove = 1 };

// From the beginning of a record: pid and tid, then.
constexpr std::uint64_t kLoadAddr = 32;  // behind vma
constexpr std::uint64_t kLoadSize = 40;
constexpr std::uint64_t kLoadName = 56;  // behind the index
constexpr std::uint64_t kMoveFrom = 32;
constexpr std::uint64_t kMoveTo = 40;
constexpr std::uint64_t kMoveSize = 48;
constexpr std::uint64_t kMoveBytes = 64;

}  // namespace

std::uint64_t JitDump::add(ByteSpan bytes) {
  std::uint64_t used = 0;
  while (!damaged_ && used < bytes.size()) {
    const auto taken = begun_ ? take_record(bytes, used) : take_header(bytes);
    if (!taken) break;
    used += *taken;
  }
  return used;
}

std::optional<std::uint64_t> JitDump::take_header(ByteSpan bytes) {
  const auto magic = load<std::uint32_t>(bytes, 0);
  const auto version = load<std::uint32_t>(bytes, 4);
  const auto size = load<std::uint32_t>(bytes, 8);
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  damaged_ =
      magic != kMagic || version != kVersion || *size < kHeaderBytes || *size > kMaxHeaderBytes;
  if (damaged_ || bytes.size() < *size) return std::nullopt;
  begun_ = true;
  return *size;
}

std::optional<std::uint64_t> JitDump::take_record(ByteSpan bytes, std::uint64_t pos) {
  const ByteSpan rest = bytes.subspan(pos);
  const auto id = load<std::uint32_t>(rest, 0);
  const auto size = load<std::uint32_t>(rest, 4);
  if (rest.size() < kRecordHeaderBytes) return std::nullopt;
  damaged_ = *size < kRecordHeaderBytes;
  if (damaged_) return std::nullopt;
  std::uint64_t wanted = kRecordHeaderBytes;
  if (id == kCodeLoad) wanted = std::min<std::uint64_t>(*size, kLoadName + kMaxJitNameBytes);
  if (id == kCodeMove) wanted = std::min<std::uint64_t>(*size, kMoveBytes);
  if (rest.size() < wanted) return std::nullopt;
  const ByteSpan record = rest.first(std::min<std::uint64_t>(rest.size(), *size));
  if (id == kCodeLoad) damaged_ = !load_code(record, *size);
  if (id == kCodeMove) move_code(record);
  if (damaged_) return std::nullopt;
  return *size;
}

// False: code and name do not fit into the record.
bool JitDump::load_code(ByteSpan record, std::uint64_t total_bytes) {
  const auto addr = load<std::uint64_t>(record, kLoadAddr);
  const auto size = load<std::uint64_t>(record, kLoadSize);
  if (!addr || !size || total_bytes < kLoadName || *size > total_bytes - kLoadName) return false;
  // Behind the name is the code, which may be left out of what was given.
  const std::uint64_t room = total_bytes - kLoadName - *size;
  const std::uint64_t name_bytes = std::min({room, record.size() - kLoadName, kMaxJitNameBytes});
  const ByteSpan name = record.subspan(kLoadName, name_bytes);
  const auto end = std::ranges::find(name, std::uint8_t{0});
  map_.add_code(*addr, *size, std::string(name.begin(), end));
  return true;
}

void JitDump::move_code(ByteSpan record) {
  const auto from = load<std::uint64_t>(record, kMoveFrom);
  const auto to = load<std::uint64_t>(record, kMoveTo);
  const auto size = load<std::uint64_t>(record, kMoveSize);
  if (!from || !to || !size) return;
  const auto known = map_.find(*from);
  if (!known || known->sym_off != 0) return;
  const std::string name(known->name);
  map_.remove_code(*from, *size);
  map_.add_code(*to, *size, name);
}

}  // namespace callscope
