// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "python/interpreter.hpp"
#include "symbols/module_image.hpp"

using namespace callscope;

namespace {

std::optional<PythonInterpreter> find_in(const std::string& path) {
  const Result<ModuleImage> image = ModuleImage::open(path);
  if (!image) FAIL(image.error().message());
  return find_interpreter(image->image());
}

bool inside(const cs_python_range& range, std::uint64_t addr) {
  return addr >= range.start && addr < range.end;
}

}  // namespace

TEST_CASE("Debian's stripped python3 is known by its exported symbols", "[unit]") {
  const auto python = find_in("/usr/bin/python3");
  REQUIRE(python);
  CHECK(python->unknown.empty());
  CHECK(python->version.major() == 3);
  CHECK(python->version.minor() == 11);
  const cs_python_process& process = python->process;
  CHECK(process.runtime != 0);
  CHECK(process.code_type != 0);
  const cs_python_range& loop = process.evals[0];
  CHECK(loop.end - loop.start > 10'000);
  CHECK(inside(loop, process.prologue_end));
  CHECK(process.prologue_end - loop.start < 256);
  // The saved registers, the return address, and variables; a multiple of 16.
  CHECK(process.eval_bytes > 64);
  CHECK(process.eval_bytes < 1024);
  CHECK(process.eval_bytes % 16 == 0);
  // The part that the compiler moved away, whose name was stripped.
  CHECK(process.evals[1].end > process.evals[1].start);
  CHECK_FALSE(inside(loop, process.evals[1].start));
}

TEST_CASE("Debian's libpython is known as well", "[unit]") {
  const auto python = find_in("/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0");
  REQUIRE(python);
  CHECK(python->unknown.empty());
  CHECK(python->process.evals[0].end > python->process.evals[0].start);
}

TEST_CASE("an interpreter of a process lies where it was loaded", "[unit]") {
  const auto python = find_in("/usr/bin/python3");
  REQUIRE(python);
  const cs_python_process moved = python->at(0x10000);
  CHECK(moved.runtime == python->process.runtime + 0x10000);
  CHECK(moved.code_type == python->process.code_type + 0x10000);
  CHECK(moved.prologue_end == python->process.prologue_end + 0x10000);
  CHECK(moved.evals[0].start == python->process.evals[0].start + 0x10000);
  CHECK(moved.evals[CS_PYTHON_EVALS - 1].end == 0);  // unused
}

TEST_CASE("other programs are no interpreters", "[unit]") {
  CHECK_FALSE(find_in("/proc/self/exe"));
}

TEST_CASE("an interpreter that is not known says why", "[unit]") {
  CHECK(find_in(CALLSCOPE_PYTHON_OLD)->unknown == "CPython 3.10 or older");
  CHECK(find_in(CALLSCOPE_PYTHON_FUTURE)->unknown ==
        "CPython 3.14.0, which callscope does not know");
  CHECK(find_in(CALLSCOPE_PYTHON_DAMAGED)->unknown ==
        "CPython 3.13.0, which callscope does not know");
}
