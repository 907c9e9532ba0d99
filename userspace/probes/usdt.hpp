// SPDX-License-Identifier: Apache-2.0
// USDT markers (SystemTap's sys/sdt.h format): nops that a program's author named, described by ELF
// notes that survive strip. Finds those of a file and matches "usdt:PROVIDER:NAME". The notes are
// untrusted: what points outside of the file or at no nop is refused. Pure; thread-safe.
// Source of the format: https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation
// Not by libbcc_bpf's bcc_usdt.h: as of 0.26 it crashes on markers with a floating-point argument
// at one place of several, gives other arguments the number of one that it cannot read, prints, and
// reads past damaged notes. (A marker "8@%rdi 8@%rsi" at one place, "8f@%xmm0 8@%rsi" at another.)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "callscope/error.hpp"
#include "elf/elf_image.hpp"

namespace callscope {

// One place of one marker; the compiler may have copied it to several.
struct UsdtMarker {
  std::string provider;
  std::string name;
  std::string arguments;            // where they are: "8@%rdi -4@$5"; see arguments.hpp
  std::uint64_t addr = 0;           // ELF virtual address of the nop
  std::uint64_t file_off = 0;       // of the nop
  std::uint64_t semaphore_off = 0;  // file offset of its 16-bit semaphore; 0: it has none
  std::string refusal;              // why it cannot be probed; empty: it can
};

// By address. Damaged notes are left out, as are those of code that the linker dropped.
std::vector<UsdtMarker> usdt_markers(const ElfImage& image);

// "usdt:PROVIDER:NAME", both globs (fnmatch(3)).
class UsdtPattern {
 public:
  // kUsage if the text is not of that form.
  static Result<UsdtPattern> parse(std::string_view text);
  // Whether the text is meant to be one: begins with "usdt:".
  static bool is_one(std::string_view text) { return text.starts_with("usdt:"); }

  [[nodiscard]] bool matches(const UsdtMarker& marker) const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string provider_;
  std::string name_;
};

}  // namespace callscope
