// SPDX-License-Identifier: Apache-2.0
#include <sys/user.h>

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstring>
#include <optional>

#include "probes/arguments.hpp"

using callscope::function_argument;
using callscope::marker_argument;
using callscope::Result;

namespace {

constexpr std::uint64_t kMarkerAddr = 0x1000;

std::optional<std::uint64_t> variable(std::string_view name) {
  if (name == "counter") return 0x5000;
  if (name == "table.0") return 0x800;
  return std::nullopt;
}

Result<cs_value> first(std::string_view text) {
  return marker_argument(text, 1, kMarkerAddr, variable);
}

// user_regs_struct has the layout of the kernel's pt_regs on x86-64.
#define REG(name) static_cast<std::uint16_t>(offsetof(user_regs_struct, name))

void check(std::string_view text, const cs_value& wanted) {
  INFO(text);
  const Result<cs_value> value = first(text);
  REQUIRE(value);
  CHECK(value->kind == wanted.kind);
  CHECK(value->size == wanted.size);
  CHECK(value->scale == wanted.scale);
  CHECK(value->base == wanted.base);
  CHECK(value->index == wanted.index);
  CHECK(value->offset == wanted.offset);
}

}  // namespace

TEST_CASE("constants, registers and memory operands of markers are read", "[unit]") {
  constexpr std::uint16_t kNone = CS_NO_REGISTER;
  check("8@%rdi", {CS_VALUE_REGISTER, 8, 1, 0, REG(rdi), kNone, 0});
  check("-4@%eax", {CS_VALUE_REGISTER, -4, 1, 0, REG(rax), kNone, 0});
  check("2@%bx", {CS_VALUE_REGISTER, 2, 1, 0, REG(rbx), kNone, 0});
  check("1@%sil", {CS_VALUE_REGISTER, 1, 1, 0, REG(rsi), kNone, 0});
  check("1@%cl", {CS_VALUE_REGISTER, 1, 1, 0, REG(rcx), kNone, 0});
  check("4@%r8d", {CS_VALUE_REGISTER, 4, 1, 0, REG(r8), kNone, 0});
  check("8@%r15", {CS_VALUE_REGISTER, 8, 1, 0, REG(r15), kNone, 0});
  check("1@%r10b", {CS_VALUE_REGISTER, 1, 1, 0, REG(r10), kNone, 0});
  check("-4@$5", {CS_VALUE_CONSTANT, -4, 1, 0, kNone, kNone, 5});
  check("-8@$-7", {CS_VALUE_CONSTANT, -8, 1, 0, kNone, kNone, -7});
  check("8@$0x1f", {CS_VALUE_CONSTANT, 8, 1, 0, kNone, kNone, 31});
  check("8@-16(%rbp)", {CS_VALUE_MEMORY, 8, 1, 0, REG(rbp), kNone, -16});
  check("-4@(%rsp)", {CS_VALUE_MEMORY, -4, 1, 0, REG(rsp), kNone, 0});
  check("8@8(%rsi,%rdx)", {CS_VALUE_MEMORY, 8, 1, 0, REG(rsi), REG(rdx), 8});
  check("4@(%rax,%r9,4)", {CS_VALUE_MEMORY, 4, 4, 0, REG(rax), REG(r9), 0});
  check("4@32(,%rax,8)", {CS_VALUE_MEMORY, 4, 8, 0, kNone, REG(rax), 32});
  check("8@counter(%rip)", {CS_VALUE_MEMORY, 8, 1, 0, REG(rip), kNone, 0x4000});
  check("8@counter+8(%rip)", {CS_VALUE_MEMORY, 8, 1, 0, REG(rip), kNone, 0x4008});
  check("8@8+counter(%rip)", {CS_VALUE_MEMORY, 8, 1, 0, REG(rip), kNone, 0x4008});
  check("4@table.0-4(%rip)", {CS_VALUE_MEMORY, 4, 1, 0, REG(rip), kNone, -0x804});
}

TEST_CASE("operands that cannot be read are refused with the reason", "[unit]") {
  for (const char* const text : {"8f@%xmm0",
                                 "8@%xmm0",
                                 "8@%ah",
                                 "8@%st",
                                 "3@%rax",
                                 "0@%rax",
                                 "%rax",
                                 "8@",
                                 "@%rax",
                                 "8@rax",
                                 "8@%rax,",
                                 "8@$",
                                 "8@$counter",
                                 "8@counter",
                                 "8@counter(%rax)",
                                 "8@4(%rip)",
                                 "8@missing(%rip)",
                                 "8@()",
                                 "8@4",
                                 "8@(%rax",
                                 "8@(%rax,%rbx,3)",
                                 "8@(%rax,4)",
                                 "8@%fs:0x28",
                                 "8@%fs:(%rax)",
                                 "16@%rax",
                                 "-9@%rax",
                                 "8@%rip8",
                                 "8@%",
                                 "8@$99999999999999999999"}) {
    INFO(text);
    const Result<cs_value> value = first(text);
    REQUIRE_FALSE(value);
    CHECK(value.error().code == callscope::ErrorCode::kUnsupported);
    CHECK(value.error().what.find(std::string("'") + text + "'") != std::string::npos);
  }
  CHECK(first("8f@%xmm0").error().hint == "it is a floating-point number");
  CHECK(first("8@missing(%rip)").error().hint == "no symbol says where 'missing' is");
}

TEST_CASE("an argument that cannot be read does not shift the others", "[unit]") {
  const Result<cs_value> second = marker_argument("8f@%xmm0  8@%rsi", 2, kMarkerAddr, variable);
  REQUIRE(second);
  CHECK(second->base == REG(rsi));
}

TEST_CASE("a marker with fewer arguments says how many it has", "[unit]") {
  CHECK(marker_argument("", 1, 0, variable).error().what == "it has no arguments");
  CHECK(marker_argument("8@%rdi 8@%rsi ", 3, 0, variable).error().what ==
        "it has 2 arguments only");
}

TEST_CASE("every prefix of an operand is read or refused", "[unit]") {
  const std::string_view whole = "-4@-123+counter(%r12d,%rax,8)";
  for (std::size_t length = 0; length <= whole.size(); ++length)
    CHECK_FALSE(first(whole.substr(0, length)));
}

TEST_CASE("the arguments of functions are those of the ABI", "[unit]") {
  const std::vector<std::uint16_t> wanted{REG(rdi), REG(rsi), REG(rdx), REG(rcx), REG(r8), REG(r9)};
  for (unsigned number = 1; number <= 6; ++number) {
    const cs_value value = function_argument(number);
    CHECK(value.kind == CS_VALUE_REGISTER);
    CHECK(value.size == 8);
    CHECK(value.base == wanted[number - 1]);
  }
}
