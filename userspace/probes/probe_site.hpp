// SPDX-License-Identifier: Apache-2.0
// Where one probe of a function stands, and where the return slot of its call is at that moment.
// Addresses are ELF virtual addresses. Plain values.
#pragma once

#include <cstdint>

namespace callscope {

enum class SlotBase : std::uint8_t { kRsp, kRbp };

// slot = (base == kRsp ? rsp : rbp) + off_bytes, before the instruction at the site is executed.
struct ReturnSlot {
  static constexpr std::int64_t kMaxOffBytes = 32760;

  SlotBase base = SlotBase::kRsp;
  std::int32_t off_bytes = 0;  // 0 to kMaxOffBytes, a multiple of 8

  // Whether a distance can be stored.
  [[nodiscard]] static bool reaches(std::int64_t bytes) {
    return bytes >= 0 && bytes <= kMaxOffBytes && bytes % 8 == 0;
  }
  bool operator==(const ReturnSlot&) const = default;
};

// Of an entry probe: an instruction that every call reaches exactly once.
struct ProbeSite {
  static constexpr std::uint8_t kAllArguments = 0x3f;

  std::uint64_t addr = 0;
  bool emulated = false;  // the kernel emulates the instruction: a cheap probe
  ReturnSlot slot = {};
  // Bit n: integer argument n (rdi, rsi, rdx, rcx, r8, r9) is still in its register.
  std::uint8_t intact_arguments = kAllArguments;
};

// Of an exit probe: an instruction after which the call is over.
struct ExitSite {
  std::uint64_t addr = 0;
  bool tail_jump = false;         // else a ret, or an instruction that always leads to one
  std::uint64_t tail_target = 0;  // of a direct tail jump; 0: through a pointer
  bool emulated = false;
  ReturnSlot slot = {};
};

}  // namespace callscope
