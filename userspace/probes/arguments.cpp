// SPDX-License-Identifier: Apache-2.0
#include "probes/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "sys/parse_number.hpp"

namespace callscope {
namespace {

// Byte offsets into struct pt_regs of the kernel (arch/x86/include/asm/ptrace.h).
struct RegisterPlace {
  std::string_view name;  // without its r or e: "ax", "8"
  std::uint16_t offset;
};
constexpr std::array<RegisterPlace, 17> kRegisters{{{"15", 0},
                                                    {"14", 8},
                                                    {"13", 16},
                                                    {"12", 24},
                                                    {"bp", 32},
                                                    {"bx", 40},
                                                    {"11", 48},
                                                    {"10", 56},
                                                    {"9", 64},
                                                    {"8", 72},
                                                    {"ax", 80},
                                                    {"cx", 88},
                                                    {"dx", 96},
                                                    {"si", 104},
                                                    {"di", 112},
                                                    {"ip", 128},
                                                    {"sp", 152}}};

std::optional<std::uint16_t> place_of(std::string_view name) {
  const auto found = std::ranges::find(kRegisters, name, &RegisterPlace::name);
  if (found == kRegisters.end()) return std::nullopt;
  return found->offset;
}

// "rdi", "edi", "di", "dil", "al", "r8", "r8d", "r8w", "r8b". Their low bytes are those of the
// whole register; ah, bh, ch and dh are not, and unknown here.
std::optional<std::uint16_t> register_place(std::string_view name) {
  if (name.size() < 2) return std::nullopt;
  if (name[0] == 'r' && std::isdigit(static_cast<unsigned char>(name[1])) != 0) {
    name.remove_prefix(1);
    if (name.ends_with('d') || name.ends_with('w') || name.ends_with('b')) name.remove_suffix(1);
    return place_of(name);
  }
  if (name.size() == 3 && (name[0] == 'r' || name[0] == 'e')) return place_of(name.substr(1));
  if (name.size() == 3 && name[2] == 'l') return place_of(name.substr(0, 2));
  if (name.size() == 2 && name[1] == 'l') return place_of(std::string{name[0], 'x'});
  if (std::isdigit(static_cast<unsigned char>(name[0])) != 0) return std::nullopt;
  return place_of(name);
}

// Reads an operand from its front; what could not be read leaves the text where it is.
class OperandReader {
 public:
  explicit OperandReader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool done() const { return text_.empty(); }
  bool skip(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  // "-12", "+8", "0x1f".
  std::optional<std::int64_t> number() {
    std::string_view rest = text_;
    const bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+')) rest.remove_prefix(1);
    const bool hex = rest.starts_with("0x");
    if (hex) rest.remove_prefix(2);
    std::uint64_t value = 0;
    const char* const end = rest.data() + rest.size();
    const auto [stop, error] = std::from_chars(rest.data(), end, value, hex ? 16 : 10);
    if (error != std::errc{}) return std::nullopt;
    text_ = {stop, static_cast<std::size_t>(end - stop)};
    return static_cast<std::int64_t>(negative ? 0 - value : value);
  }
  std::optional<std::uint16_t> reg() {
    if (!text_.starts_with('%')) return std::nullopt;
    std::size_t length = 1;
    while (length < text_.size() && std::isalnum(static_cast<unsigned char>(text_[length])) != 0)
      ++length;
    const auto place = register_place(text_.substr(1, length - 1));
    if (place) text_.remove_prefix(length);
    return place;
  }
  // Name of a variable as assemblers take it: "counter", "counter.0", ".LC3".
  std::string_view identifier() {
    std::size_t length = 0;
    const auto fits = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '$';
    };
    while (length < text_.size() && fits(text_[length])) ++length;
    const std::string_view name = text_.substr(0, length);
    text_.remove_prefix(length);
    return name;
  }

 private:
  std::string_view text_;
};

constexpr std::uint16_t kInstructionPointer = 128;

class ArgumentParser {
 public:
  ArgumentParser(std::uint64_t marker_addr, const VariableAddress& variable)
      : marker_addr_(marker_addr), variable_(variable) {}

  // nullopt: a form that is not known; problem() may say more.
  std::optional<cs_value> parse(std::string_view text) {
    const std::size_t at = text.find('@');
    if (at == text.npos) return std::nullopt;
    if (text.substr(0, at).ends_with('f')) return refuse("it is a floating-point number");
    const auto size = parse_number<std::int8_t>(text.substr(0, at), -8, 8);
    const int bytes = size ? std::abs(*size) : 0;
    if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) return std::nullopt;
    value_.size = *size;
    OperandReader operand(text.substr(at + 1));
    if (!parse_operand(operand) || !operand.done()) return std::nullopt;
    return value_;
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  std::nullopt_t refuse(std::string why) {
    problem_ = std::move(why);
    return std::nullopt;
  }

  bool parse_operand(OperandReader& operand) {
    if (operand.skip('$')) {
      const auto constant = operand.number();
      value_.kind = CS_VALUE_CONSTANT;
      value_.offset = constant.value_or(0);
      return constant.has_value();
    }
    if (const auto reg = operand.reg()) {
      value_.kind = CS_VALUE_REGISTER;
      value_.base = *reg;
      return true;
    }
    return parse_memory(operand);
  }

  // [OFFSET[+VARIABLE]|VARIABLE[+-OFFSET]](%base[,%index[,scale]])
  bool parse_memory(OperandReader& operand) {
    value_.kind = CS_VALUE_MEMORY;
    std::string_view name;
    if (const auto offset = operand.number()) {
      value_.offset = *offset;
      if (operand.skip('+')) name = operand.identifier();
    } else {
      name = operand.identifier();
      if (const auto behind = name.empty() ? std::nullopt : operand.number())
        value_.offset = *behind;
    }
    if (!operand.skip('(')) return false;
    if (const auto base = operand.reg()) value_.base = *base;
    if (operand.skip(',') && !parse_index(operand)) return false;
    if (!operand.skip(')')) return false;
    if (value_.base == CS_NO_REGISTER && value_.index == CS_NO_REGISTER) return false;
    const bool relative = value_.base == kInstructionPointer;
    // An absolute address would have to be relocated; nothing but %rip can stand for it.
    if (relative == name.empty() || (relative && value_.index != CS_NO_REGISTER)) return false;
    return !relative || add_variable(name);
  }

  bool parse_index(OperandReader& operand) {
    const auto index = operand.reg();
    if (!index) return false;
    value_.index = *index;
    if (!operand.skip(',')) return true;
    const auto scale = operand.number();
    if (!scale || (*scale != 1 && *scale != 2 && *scale != 4 && *scale != 8)) return false;
    value_.scale = static_cast<std::uint8_t>(*scale);
    return true;
  }

  // The variable as an offset from the marker: its instruction pointer is known when it fires.
  bool add_variable(std::string_view name) {
    const auto addr = variable_(name);
    if (!addr) {
      problem_ = fmt::format("no symbol says where '{}' is", name);
      return false;
    }
    value_.offset += static_cast<std::int64_t>(*addr - marker_addr_);
    return true;
  }

  std::uint64_t marker_addr_;
  const VariableAddress& variable_;
  cs_value value_{CS_VALUE_NONE, 0, 1, 0, CS_NO_REGISTER, CS_NO_REGISTER, 0};
  std::string problem_;
};

}  // namespace

cs_value function_argument(unsigned number) {
  constexpr std::array<std::string_view, kMaxArguments> kOrder{"di", "si", "dx", "cx", "8", "9"};
  const std::string_view name = kOrder[std::clamp(number, 1U, kMaxArguments) - 1];
  return {CS_VALUE_REGISTER, 8, 1, 0, *place_of(name), CS_NO_REGISTER, 0};
}

Result<cs_value> marker_argument(std::string_view arguments, unsigned number,
                                 std::uint64_t marker_addr, const VariableAddress& variable) {
  std::string_view rest = arguments;
  std::string_view text;
  for (unsigned seen = 0; seen < number; ++seen) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    if (rest.empty())
      return fail(ErrorCode::kUsage, seen == 0 ? "it has no arguments"
                                               : fmt::format("it has {} arguments only", seen));
    text = rest.substr(0, rest.find(' '));
    rest.remove_prefix(text.size());
  }
  ArgumentParser parser(marker_addr, variable);
  if (const auto value = parser.parse(text)) return *value;
  return fail(ErrorCode::kUnsupported,
              fmt::format("its argument {} cannot be read from '{}'", number, text),
              parser.problem());
}

}  // namespace callscope
