// SPDX-License-Identifier: Apache-2.0
#include "python/interpreter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "elf/frame_table.hpp"
#include "probes/decoder.hpp"

namespace callscope {
namespace {

constexpr std::string_view kLoop = "_PyEval_EvalFrameDefault";
constexpr std::uint64_t kMaxLoopBytes = 4U << 20;
constexpr std::uint64_t kMaxPrologueBytes = 1024;
constexpr std::uint64_t kMaxLoopStack = 4096;
constexpr std::uint64_t kRuntimeBytes = 4096;  // of _PyRuntime: the debug offsets are less

struct Found {
  std::uint64_t runtime = 0;
  std::uint64_t version = 0;
  std::uint64_t code_type = 0;
  cs_python_range loop{};
  std::vector<cs_python_range> parts;  // moved away from the loop, by their names
};

Found find_symbols(const ElfImage& image) {
  Found found;
  image.for_each_symbol([&](const ElfSymbol& symbol) {
    if (symbol.shndx == SHN_UNDEF) return;
    const std::string_view name = symbol.name.substr(0, symbol.name.find('@'));
    if (name == "_PyRuntime") found.runtime = symbol.value;
    if (name == "Py_Version") found.version = symbol.value;
    if (name == "PyCode_Type") found.code_type = symbol.value;
    if (symbol.size == 0 || symbol.size > kMaxLoopBytes) return;
    const cs_python_range range{symbol.value, symbol.value + symbol.size};
    if (name == kLoop)
      found.loop = range;
    else if (name.starts_with(kLoop) && name[kLoop.size()] == '.')
      found.parts.push_back(range);
  });
  return found;
}

// The evaluation loop, decoded once.
class Loop {
 public:
  Loop(const ElfImage& image, const cs_python_range& range) : frames_(image) {
    ByteSpan code = image.bytes_at(range.start, range.end - range.start);
    std::uint64_t addr = range.start;
    while (const auto instruction = decode(code, addr)) {
      instructions_.push_back(*instruction);
      code = code.subspan(instruction->length);
      addr += instruction->length;
      if (code.empty()) break;
    }
    end_ = range.end;
  }

  [[nodiscard]] bool decoded() const { return !instructions_.empty(); }

  // What the compiler moved away has an entry of its own in the frame table, which does not begin
  // as a function does: in the middle of the loop's stack frame.
  void add_moved_parts(std::vector<cs_python_range>& parts) const {
    const std::uint64_t start = instructions_.front().addr;
    for (const Instruction& instruction : instructions_) {
      if (instruction.target == 0 || instruction.flow == Flow::kCall) continue;
      if (instruction.target - start < end_ - start) continue;
      const auto piece = frames_.piece_at(instruction.target);
      const bool known = std::ranges::any_of(parts, [&](const cs_python_range& part) {
        return instruction.target - part.start < part.end - part.start;
      });
      if (!piece || known || frames_.cfa_at(piece->start) == kCfaAtEntry) continue;
      parts.push_back({piece->start, piece->end});
    }
  }

  // Behind it the loop has linked its frame: the first branch behind the instruction that writes to
  // the thread's state, at thread_frame.
  [[nodiscard]] std::uint64_t prologue_end(std::uint32_t thread_frame) const {
    const std::uint64_t start = instructions_.front().addr;
    const std::uint64_t latest = std::min(end_, start + kMaxPrologueBytes);
    bool linked = false;
    for (const Instruction& instruction : instructions_) {
      if (instruction.addr >= latest || instruction.flow == Flow::kIndirectJump) break;
      linked = linked || (instruction.operation == Operation::kMov && instruction.has_memory &&
                          instruction.dst == Reg::kNone && instruction.base != Reg::kRsp &&
                          instruction.disp == thread_frame);
      if (linked && instruction.flow != Flow::kNext) return instruction.addr;
    }
    return latest;
  }

  // Bytes of stack below the address that its caller's frame begins at.
  [[nodiscard]] std::uint64_t stack_bytes(std::uint64_t addr) const {
    const CfaRule rule = frames_.cfa_at(addr);
    const bool known = rule.base == CfaRule::Base::kRsp && rule.offset > 0 &&
                       static_cast<std::uint64_t>(rule.offset) < kMaxLoopStack;
    return known ? static_cast<std::uint64_t>(rule.offset) : kMaxLoopStack;
  }

 private:
  FrameTable frames_;
  std::vector<Instruction> instructions_;
  std::uint64_t end_ = 0;
};

std::string read_loop(const ElfImage& image, Found& found, cs_python_process& process) {
  const Loop loop(image, found.loop);
  if (found.loop.start == 0 || !loop.decoded()) return "without a symbol of its evaluation loop";
  loop.add_moved_parts(found.parts);
  if (found.parts.size() >= CS_PYTHON_EVALS) return "whose evaluation loop is in too many pieces";
  process.evals[0] = found.loop;
  std::ranges::copy(found.parts, &process.evals[1]);
  process.prologue_end = loop.prologue_end(process.layout.thread_frame);
  process.eval_bytes = loop.stack_bytes(process.prologue_end);
  return {};
}

}  // namespace

cs_python_process PythonInterpreter::at(std::uint64_t bias) const {
  cs_python_process moved = process;
  moved.runtime += bias;
  moved.code_type += bias;
  moved.prologue_end += bias;
  for (cs_python_range& range : moved.evals) {
    if (range.end == 0) continue;
    range.start += bias;
    range.end += bias;
  }
  return moved;
}

std::optional<PythonInterpreter> find_interpreter(const ElfImage& image) {
  Found found = find_symbols(image);
  if (found.runtime == 0) return std::nullopt;
  PythonInterpreter interpreter;
  const ByteSpan version = image.bytes_at(found.version, sizeof(std::uint32_t));
  if (found.version == 0 || version.size() < sizeof(std::uint32_t)) {
    interpreter.unknown = "CPython 3.10 or older";
    return interpreter;
  }
  interpreter.version.hex = load<std::uint32_t>(version, 0).value_or(0);
  const std::string name = fmt::format("CPython {}.{}.{}", interpreter.version.major(),
                                       interpreter.version.minor(), interpreter.version.micro());
  const auto layout =
      python_layout(interpreter.version, image.bytes_at(found.runtime, kRuntimeBytes));
  if (!layout || found.code_type == 0) {
    interpreter.unknown = name + ", which callscope does not know";
    return interpreter;
  }
  interpreter.process.layout = *layout;
  interpreter.process.runtime = found.runtime;
  interpreter.process.code_type = found.code_type;
  const std::string problem = read_loop(image, found, interpreter.process);
  if (!problem.empty()) interpreter.unknown = name + " " + problem;
  return interpreter;
}

}  // namespace callscope
