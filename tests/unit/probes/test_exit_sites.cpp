// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <vector>

#include "probes/decoder.hpp"
#include "probes/exit_sites.hpp"

using namespace callscope;
using Bytes = std::vector<std::uint8_t>;

namespace {

Result<std::vector<ExitSite>> exits(const Bytes& code) {
  const CodeRange range{0x1000, code};
  return find_exit_sites({&range, 1}, [](std::uint64_t addr) { return addr == 0x2000; });
}

}  // namespace

TEST_CASE("the class of an instruction under a probe", "[unit]") {
  CHECK(decode(Bytes{0x55}, 0)->emulated);                          // push %rbp
  CHECK(decode(Bytes{0x41, 0x57}, 0)->emulated);                    // push %r15
  CHECK(decode(Bytes{0x90}, 0)->emulated);                          // nop
  CHECK(decode(Bytes{0x0f, 0x1f, 0x44, 0x00, 0x00}, 0)->emulated);  // 5-byte nop
  CHECK(decode(Bytes{0x0f, 0x84, 0, 0, 0, 0}, 0)->emulated);        // je
  CHECK_FALSE(decode(Bytes{0xf3, 0x0f, 0x1e, 0xfa}, 0)->emulated);  // endbr64
  CHECK_FALSE(decode(Bytes{0x48, 0x83, 0xec, 0x08}, 0)->emulated);  // sub $8,%rsp
  CHECK_FALSE(decode(Bytes{0xc3}, 0)->emulated);                    // ret
  CHECK_FALSE(decode(Bytes{0xff, 0x75, 0x08}, 0)->emulated);        // push 8(%rbp)
  CHECK(decode(Bytes{0xf0, 0x48, 0xff, 0x07}, 0)->locked);          // lock incq (%rdi)
  CHECK_FALSE(decode(Bytes{0x0f}, 0));                              // cut
  CHECK_FALSE(decode(Bytes{}, 0));
}

TEST_CASE("every ret of a function is found", "[unit]") {
  // test %edi,%edi; je +1; ret; repz ret
  const auto found = exits({0x85, 0xff, 0x74, 0x01, 0xc3, 0xf3, 0xc3});
  REQUIRE(found);
  REQUIRE(found->size() == 2);
  CHECK((*found)[0].addr == 0x1004);
  CHECK((*found)[1].addr == 0x1005);
}

TEST_CASE("a jump to another function is a tail call, into its middle a refusal", "[unit]") {
  const auto tail = exits({0xe9, 0xfb, 0x0f, 0x00, 0x00});  // jmp 0x2000
  REQUIRE(tail);
  CHECK(tail->front().tail_jump);
  CHECK(tail->front().tail_target == 0x2000);
  CHECK_FALSE(exits({0xe9, 0xfc, 0x0f, 0x00, 0x00}));  // jmp 0x2001
}

TEST_CASE("what cannot be known for certain is refused", "[unit]") {
  CHECK_FALSE(exits({0x0f, 0x84, 0xfa, 0x0f, 0x00, 0x00, 0xc3}));  // je 0x2000: conditional exit
  CHECK_FALSE(exits({0xff, 0xe0}));                                // jmp *%rax
  CHECK_FALSE(exits({0x90}));                                      // runs on
  CHECK_FALSE(exits({0x06, 0xc3}));                                // no instruction in 64-bit code
  CHECK_FALSE(exits({0xeb, 0x01, 0x48, 0x89, 0xc3, 0xc3}));        // jumps between instructions
  CHECK_FALSE(exits({0x85, 0xff, 0x75, 0xfc, 0xc3}));              // loops to the first instruction
}

TEST_CASE("jumps through switch tables stay inside", "[unit]") {
  CHECK(exits({0x3e, 0xff, 0xe0, 0xc3}));                                      // notrack jmp *%rax
  CHECK(exits({0xff, 0x24, 0xc5, 0, 0, 0, 0, 0xc3}));                          // jmp *0(,%rax,8)
  CHECK(exits({0x48, 0x63, 0x04, 0x82, 0x48, 0x01, 0xd0, 0xff, 0xe0, 0xc3}));  // movslq; add; jmp
}

TEST_CASE("a jump through a pointer in memory is a tail call", "[unit]") {
  const auto found = exits({0xff, 0x60, 0x18});  // jmp *0x18(%rax)
  REQUIRE(found);
  CHECK(found->front().tail_jump);
  CHECK(found->front().tail_target == 0);
}

TEST_CASE("the cold part belongs to the function", "[unit]") {
  const Bytes hot{0x0f, 0x84, 0xfa, 0x1f, 0x00, 0x00, 0xc3};  // je 0x3000; ret
  const Bytes cold{0xc3};
  const std::vector<CodeRange> ranges{{0x1000, hot}, {0x3000, cold}};
  const auto found = find_exit_sites(ranges, [](std::uint64_t) { return false; });
  REQUIRE(found);
  CHECK(found->size() == 2);
}
