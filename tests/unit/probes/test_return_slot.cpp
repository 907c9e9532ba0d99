// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <vector>

#include "probes/return_slot.hpp"
#include "snippet_module.hpp"

using namespace callscope;
using Bytes = std::vector<std::uint8_t>;

namespace {

bool touches(const Bytes& code) {
  const CodeRange range{0x1000, code};
  return touches_return_slot(FunctionCode({&range, 1}));
}

}  // namespace

TEST_CASE("ordinary functions leave their return address alone", "[unit]") {
  CHECK_FALSE(touches({0x55, 0x5d, 0xc3}));                                   // push; pop; ret
  CHECK_FALSE(touches({0x48, 0x83, 0xec, 0x18, 0x48, 0x89, 0x7c, 0x24, 0x08,  // sub; mov 8(%rsp)
                       0x48, 0x83, 0xc4, 0x18, 0xc3}));
  CHECK_FALSE(touches({0x55, 0x48, 0x89, 0xe5, 0x48, 0x8b, 0x45, 0x10, 0x5d, 0xc3}));  // 16(%rbp)
  CHECK_FALSE(touches({0x48, 0x8b, 0x44, 0x24, 0x08, 0xc3}));  // argument on the stack
}

TEST_CASE("reading, taking or pointing at the return address is seen", "[unit]") {
  CHECK(touches({0x48, 0x8b, 0x04, 0x24, 0xc3}));  // mov (%rsp),%rax: setjmp
  CHECK(touches({0x5f, 0x0f, 0x05, 0x57, 0xc3}));  // pop %rdi; syscall; push: vfork
  CHECK(touches({0x53, 0x48, 0x8b, 0x54, 0x24, 0x08, 0x5b, 0xc3}));  // push; mov 8(%rsp)
  CHECK(touches({0x55, 0x48, 0x89, 0xe5, 0x48, 0x8b, 0x45, 0x08, 0x5d, 0xc3}));  // 8(%rbp)
  CHECK(touches({0x48, 0x8d, 0x04, 0x24, 0xc3}));                                // lea (%rsp),%rax
  CHECK(touches({0x06}));                                                        // no instruction
}

TEST_CASE("the C library's own oddities get no return probe", "[unit]") {
  test::SnippetModule libc("/lib/x86_64-linux-gnu/libc.so.6");
  const auto exit_of = [&](const std::string& name) {
    return libc.plan(name, {.best = ExitMode::kUretprobe}).exit;
  };
  for (const std::string name : {"_setjmp", "__sigsetjmp", "vfork", "getcontext", "swapcontext"})
    CHECK(exit_of(name) != ExitMode::kUretprobe);
  for (const std::string name : {"qsort", "fopen", "malloc", "getaddrinfo"})
    CHECK(exit_of(name) == ExitMode::kUretprobe);
}
