// SPDX-License-Identifier: Apache-2.0
#include "report/frame_label.hpp"

#include <fmt/format.h>

namespace callscope {

std::string module_label(const Module& module) {
  const std::string& path = module.path;
  if (path.size() > 2 && path.front() == '[' && path.back() == ']') {
    return path.substr(1, path.size() - 2);
  }
  return path.substr(path.find_last_of('/') + 1);
}

namespace {

bool is_python(const Recording& recording, const Frame& frame) {
  return recording.modules[frame.module].kind == ModuleKind::kPython && !frame.function.empty();
}

// Names of Python functions say little without their file: "__init__", "<module>", "run".
std::string plain_label(const Recording& recording, const Frame& frame) {
  const Module& module = recording.modules[frame.module];
  if (is_python(recording, frame))
    return fmt::format("{} ({})", frame.function, module_label(module));
  if (!frame.function.empty()) return frame.function;
  return fmt::format("[{}+{:#x}]", module_label(module), frame.addr);
}

}  // namespace

std::string frame_label(const Recording& recording, const Frame& frame) {
  return plain_label(recording, frame) + (frame.inlined() ? " (inlined)" : "");
}

std::string line_label(const std::string& file, std::uint32_t line) {
  if (file.empty() || line == 0) return {};
  return fmt::format("{}:{}", file.substr(file.find_last_of('/') + 1), line);
}

std::string folded_text(const std::string& text) {
  std::string clean = text;
  for (char& c : clean) {
    if (c == ';') c = ':';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return clean;
}

std::string folded_label(const Recording& recording, const Frame& frame, bool with_line) {
  const std::string line = line_label(frame.file, frame.line);
  std::string label = plain_label(recording, frame);
  if (with_line && !line.empty())
    label = (is_python(recording, frame) ? frame.function : label) + " (" + line + ")";
  label = folded_text(label);
  if (frame.inlined()) return label += "_[i]";
  switch (recording.modules[frame.module].kind) {
    case ModuleKind::kKernel:
      return label += "_[k]";
    case ModuleKind::kJit:
      return label += "_[j]";
    case ModuleKind::kPython:
      return label += "_[p]";
    case ModuleKind::kElf:
    case ModuleKind::kVdso:
    case ModuleKind::kUnknown:
      break;
  }
  return label;
}

}  // namespace callscope
