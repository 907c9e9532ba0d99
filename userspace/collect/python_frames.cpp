// SPDX-License-Identifier: Apache-2.0
#include "collect/python_frames.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "python/location_table.hpp"
#include "python/python_text.hpp"
#include "sys/process_memory.hpp"

namespace callscope {
namespace {

constexpr std::uint32_t kMaxLinesBytes = 1U << 20;  // of a location table
constexpr std::size_t kMaxFunctions = 65536;        // a program that makes new ones all the time

// The location table: what BPF sent, or all of a longer one if it is still there.
std::vector<std::uint8_t> location_table(const cs_python_code_record& record) {
  const std::uint32_t sent = std::min<std::uint32_t>(record.lines_sent, CS_PYTHON_LINE_BYTES);
  const std::span<const std::uint8_t> beginning(record.lines, sent);
  if (sent != 0 && record.lines_bytes > sent && record.lines_bytes <= kMaxLinesBytes) {
    std::vector<std::uint8_t> whole = read_process_memory(static_cast<std::int32_t>(record.tgid),
                                                          record.lines_addr, record.lines_bytes);
    if (whole.size() > sent && std::ranges::equal(beginning, std::span(whole).first(sent)))
      return whole;
  }
  return {beginning.begin(), beginning.end()};
}

}  // namespace

void PythonFrames::add_code(const cs_python_code_record& record) {
  if (functions_.size() >= kMaxFunctions) return;
  Function function{python_text(record.name, record.name_text),
                    python_text(record.file, record.file_text), record.first_line,
                    location_table(record)};
  if (function.name.empty()) ++without_name_;
  const auto [entry, added] =
      functions_.try_emplace(std::move(function), static_cast<std::uint32_t>(functions_.size()));
  codes_[{record.tgid, record.code}] = &*entry;
}

std::uint32_t PythonFrames::frame(std::uint32_t tgid, const cs_python_frame& frame) {
  const auto code = codes_.find({tgid, frame.code});
  if (code == codes_.end()) {
    ++unknown_code_;
    return symbolizer_.function_frame(symbolizer_.module_id(ModuleKind::kPython, "[python]", {}), 0,
                                      {});
  }
  const auto& [function, number] = *code->second;
  const std::uint32_t first =
      frame.instruction < 0 ? 0 : static_cast<std::uint32_t>(frame.instruction);
  const auto line = python_line(function.lines, function.first_line, first);
  return intern(number, function, line.value_or(0));
}

std::uint32_t PythonFrames::intern(std::uint32_t number, const Function& function,
                                   std::uint32_t line) {
  const auto [slot, added] = frames_.try_emplace({number, line}, 0);
  if (!added) return slot->second;
  if (line == 0) ++without_line_;
  Frame frame;
  frame.id = static_cast<std::uint32_t>(recording_.frames.size());
  frame.module = symbolizer_.module_id(ModuleKind::kPython,
                                       function.file.empty() ? "[python]" : function.file, {});
  frame.addr = std::uint64_t{number} << 32 | line;
  frame.function = function.name;
  frame.file = function.file;
  // An instruction that is of no line is shown at the beginning of its function.
  frame.line = line == 0 ? function.first_line : line;
  recording_.frames.push_back(std::move(frame));
  return slot->second = recording_.frames.back().id;
}

void PythonFrames::add_quality(std::vector<QualityItem>& quality) const {
  quality.push_back(
      {"python_without_line", without_line_, false,
       "places in Python functions whose line is not known: shown at their first line"});
  quality.push_back({"python_without_name", without_name_, false,
                     "Python functions whose name could not be read"});
  quality.push_back({"python_unknown_code", unknown_code_, false,
                     "times that a Python function was seen that is not known by name"});
}

}  // namespace callscope
