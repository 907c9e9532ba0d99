// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <vector>

#include "probes/decoder.hpp"
#include "probes/stack_height.hpp"

using namespace callscope;
using Bytes = std::vector<std::uint8_t>;

TEST_CASE("the class of an instruction under a probe", "[unit]") {
  CHECK(decode(Bytes{0x55}, 0)->emulated);                          // push %rbp
  CHECK(decode(Bytes{0x41, 0x57}, 0)->emulated);                    // push %r15
  CHECK(decode(Bytes{0x90}, 0)->emulated);                          // nop
  CHECK(decode(Bytes{0x0f, 0x1f, 0x44, 0x00, 0x00}, 0)->emulated);  // 5-byte nop
  CHECK(decode(Bytes{0x0f, 0x84, 0, 0, 0, 0}, 0)->emulated);        // je
  CHECK(decode(Bytes{0xe8, 0, 0, 0, 0}, 0)->emulated);              // call
  CHECK_FALSE(decode(Bytes{0xf3, 0x0f, 0x1e, 0xfa}, 0)->emulated);  // endbr64
  CHECK_FALSE(decode(Bytes{0x48, 0x83, 0xec, 0x08}, 0)->emulated);  // sub $8,%rsp
  CHECK_FALSE(decode(Bytes{0xc3}, 0)->emulated);                    // ret
  CHECK_FALSE(decode(Bytes{0xff, 0x75, 0x08}, 0)->emulated);        // push 8(%rbp)
  CHECK_FALSE(decode(Bytes{0x0f}, 0));                              // cut
  CHECK_FALSE(decode(Bytes{}, 0));
}

TEST_CASE("vector instructions are never probed: the kernel takes them for others", "[unit]") {
  CHECK(decode(Bytes{0xc5, 0xf9, 0xeb, 0xc1}, 0)->refuses_probe());  // vpor is no jmp
  CHECK(decode(Bytes{0xc5, 0xf8, 0x57, 0xc0}, 0)->refuses_probe());  // vxorps
  CHECK_FALSE(decode(Bytes{0xc5, 0xf9, 0xeb, 0xc1}, 0)->emulated);
  CHECK_FALSE(decode(Bytes{0x66, 0x0f, 0xef, 0xc0}, 0)->refuses_probe());  // pxor is stepped
}

TEST_CASE("prefixes that the kernel refuses are seen", "[unit]") {
  CHECK(decode(Bytes{0xf0, 0x48, 0xff, 0x07}, 0)->refuses_probe());        // lock incq (%rdi)
  CHECK(decode(Bytes{0x3e, 0xff, 0xe0}, 0)->refuses_probe());              // notrack jmp *%rax
  CHECK(decode(Bytes{0x2e, 0x74, 0x00}, 0)->refuses_probe());              // je with a hint
  CHECK(decode(Bytes{0x66, 0xe9, 0, 0, 0, 0}, 0)->refuses_probe());        // 16-bit jmp
  CHECK_FALSE(decode(Bytes{0x64, 0x48, 0x8b, 0x00}, 0)->refuses_probe());  // mov %fs:(%rax),%rax
}

TEST_CASE("where control goes", "[unit]") {
  const auto branch = decode(Bytes{0x75, 0x10}, 0x1000);  // jne
  CHECK(branch->flow == Flow::kBranch);
  CHECK(branch->target == 0x1012);
  CHECK(decode(Bytes{0xe8, 0, 1, 0, 0}, 0x1000)->target == 0x1105);
  CHECK(decode(Bytes{0xff, 0xd0}, 0)->flow == Flow::kCall);  // call *%rax
  CHECK(decode(Bytes{0xff, 0xd0}, 0)->target == 0);
  CHECK(decode(Bytes{0xe3, 0x00}, 0)->flow == Flow::kBranch);        // jrcxz
  CHECK(decode(Bytes{0xcb}, 0)->flow == Flow::kIndirectJump);        // far ret
  CHECK(decode(Bytes{0x48, 0xcf}, 0)->flow == Flow::kIndirectJump);  // iretq
  CHECK(decode(Bytes{0xc6, 0xf8, 0x00}, 0)->flow == Flow::kNext);    // xabort
  CHECK(decode(Bytes{0x0f, 0x05}, 0)->system);                       // syscall
  CHECK(decode(Bytes{0xf3, 0xaa}, 0)->repeats);                      // rep stosb
  CHECK(decode(Bytes{0xff, 0x24, 0xc5, 0, 0, 0, 0}, 0)->indirect == IndirectForm::kIndexed);
}

TEST_CASE("the stack is followed as long as it is known", "[unit]") {
  StackHeight height;
  const auto pass = [&](const Bytes& bytes) { height.pass(*decode(bytes, 0)); };
  pass({0x55});              // push %rbp
  pass({0x48, 0x89, 0xe5});  // mov %rsp,%rbp
  CHECK(height.rsp() == 8);
  CHECK(height.rbp() == 8);
  pass({0x48, 0x83, 0xec, 0x20});        // sub $0x20,%rsp
  pass({0x48, 0x8d, 0x64, 0x24, 0xf8});  // lea -8(%rsp),%rsp
  CHECK(height.rsp() == 0x30);
  pass({0x48, 0x83, 0xe4, 0xc0});  // and $-64,%rsp
  CHECK_FALSE(height.rsp());
  CHECK(height.rbp() == 8);
  pass({0x48, 0x8d, 0x65, 0xf0});  // lea -0x10(%rbp),%rsp
  CHECK(height.rsp() == 0x18);
  pass({0xc9});  // leave
  CHECK(height.rsp() == 0);
  CHECK_FALSE(height.rbp());
  pass({0x48, 0x89, 0xc4});  // mov %rax,%rsp
  CHECK_FALSE(height.rsp());
  height = {};
  pass({0x66, 0x50});  // push %ax
  CHECK_FALSE(height.rsp());
  height = {};
  pass({0x83, 0xec, 0x08});  // sub $8,%esp
  CHECK_FALSE(height.rsp());
}
