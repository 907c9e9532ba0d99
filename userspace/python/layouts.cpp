// SPDX-License-Identifier: Apache-2.0
#include "python/layouts.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace callscope {
namespace {

constexpr std::uint32_t kCodeUnits = 16;  // PyVarObject.ob_size

cs_python_layout layout_311() {
  cs_python_layout at{};
  at.interpreters_head = 40;
  at.interpreter_next = 0;
  at.threads_head = 16;
  at.thread_next = 8;
  at.thread_id = 152;
  at.thread_frame = 56;
  at.by_cframe = 1;
  at.cframe_frame = 8;
  at.frame_code = 32;
  at.frame_previous = 48;
  at.frame_instruction = 56;
  at.frame_owner = 69;
  at.frame_is_entry = 68;
  at.has_is_entry = 1;
  at.code_units = kCodeUnits;
  at.code_first_line = 72;
  at.code_filename = 112;
  at.code_qualname = 128;
  at.code_linetable = 136;
  at.code_start = 184;
  at.string_ascii = 48;
  at.string_compact = 72;
  return at;
}

cs_python_layout layout_312() {
  cs_python_layout at{};
  at.interpreters_head = 40;
  at.interpreter_next = 0;
  at.threads_head = 72;
  at.thread_next = 8;
  at.thread_id = 136;
  at.thread_frame = 56;
  at.by_cframe = 1;
  at.cframe_frame = 0;
  at.frame_code = 0;
  at.frame_previous = 8;
  at.frame_instruction = 56;
  at.frame_owner = 70;
  at.code_units = kCodeUnits;
  at.code_first_line = 68;
  at.code_filename = 112;
  at.code_qualname = 128;
  at.code_linetable = 136;
  at.code_start = 192;
  at.string_ascii = 40;
  at.string_compact = 56;
  return at;
}

// 64-bit words of struct _Py_DebugOffsets of 3.13.
enum DebugOffset : std::uint8_t {
  kVersion = 1,
  kFreeThreaded = 2,
  kInterpretersHead = 5,
  kInterpreterNext = 8,
  kThreadsHead = 9,
  kThreadNext = 21,
  kThreadFrame = 23,
  kThreadId = 24,
  kFramePrevious = 29,
  kFrameCode = 30,
  kFrameInstruction = 31,
  kFrameOwner = 33,
  kCodeFilename = 35,
  kCodeQualname = 37,
  kCodeLinetable = 38,
  kCodeFirstLine = 39,
  kCodeStart = 43,
  kObjectType = 45,
  kBytesText = 66,
  kStringAscii = 70,
};
constexpr std::string_view kCookie = "xdebugpy";
constexpr std::uint64_t kObjectTypeAt = 8;  // as bpf/python/code.bpf.h takes it
constexpr std::uint64_t kBytesTextAt = 32;
constexpr std::uint64_t kLargestOffset = 1U << 20;  // of fields that are read on their own

class DebugOffsets {
 public:
  explicit DebugOffsets(ByteSpan runtime) : runtime_(runtime) {}

  // Nothing beyond the end; an offset must be below limit.
  std::uint32_t get(DebugOffset word, std::uint64_t limit) {
    const auto value = load<std::uint64_t>(runtime_, std::uint64_t{word} * 8);
    if (!value || *value >= limit) return good_ = false, 0;
    return static_cast<std::uint32_t>(*value);
  }
  void expect(DebugOffset word, std::uint64_t value) {
    if (get(word, value + 1) != value) good_ = false;
  }
  [[nodiscard]] bool good() const { return good_; }

 private:
  ByteSpan runtime_;
  bool good_ = true;
};

std::optional<cs_python_layout> layout_313(ByteSpan runtime, PythonVersion version) {
  const auto cookie = slice(runtime, 0, kCookie.size());
  if (!cookie || !std::ranges::equal(*cookie, kCookie)) return std::nullopt;
  if (load<std::uint64_t>(runtime, 8 * kVersion) != version.hex) return std::nullopt;
  DebugOffsets offsets(runtime);
  constexpr std::uint64_t kThread = CS_PYTHON_THREAD_BYTES - 7;
  constexpr std::uint64_t kFrame = CS_PYTHON_FRAME_BYTES - 7;
  constexpr std::uint64_t kCode = CS_PYTHON_CODE_BYTES - 7;
  offsets.expect(kFreeThreaded, 0);
  offsets.expect(kObjectType, kObjectTypeAt);
  cs_python_layout at{};
  at.interpreters_head = offsets.get(kInterpretersHead, kLargestOffset);
  at.interpreter_next = offsets.get(kInterpreterNext, kLargestOffset);
  at.threads_head = offsets.get(kThreadsHead, kLargestOffset);
  at.thread_next = offsets.get(kThreadNext, kThread);
  at.thread_id = offsets.get(kThreadId, kThread);
  at.thread_frame = offsets.get(kThreadFrame, kThread);
  at.frame_code = offsets.get(kFrameCode, kFrame);
  at.frame_previous = offsets.get(kFramePrevious, kFrame);
  at.frame_instruction = offsets.get(kFrameInstruction, kFrame);
  at.frame_owner = offsets.get(kFrameOwner, CS_PYTHON_FRAME_BYTES);
  at.code_units = kCodeUnits;
  at.code_first_line = offsets.get(kCodeFirstLine, kCode);
  at.code_filename = offsets.get(kCodeFilename, kCode);
  at.code_qualname = offsets.get(kCodeQualname, kCode);
  at.code_linetable = offsets.get(kCodeLinetable, kCode);
  at.code_start = offsets.get(kCodeStart, kLargestOffset);
  at.string_ascii = offsets.get(kStringAscii, kLargestOffset);
  at.string_compact = at.string_ascii + 16;  // utf8_length and utf8 lie between
  offsets.expect(kBytesText, kBytesTextAt);
  if (!offsets.good()) return std::nullopt;
  return at;
}

}  // namespace

std::optional<cs_python_layout> python_layout(PythonVersion version, ByteSpan runtime) {
  if (version.major() != 3 || !version.stable()) return std::nullopt;
  switch (version.minor()) {
    case 11:
      return layout_311();
    case 12:
      return layout_312();
    case 13:
      return layout_313(runtime, version);
    default:
      return std::nullopt;
  }
}

}  // namespace callscope
