// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>

#include "target/launcher.hpp"
#include "target/safety.hpp"
#include "tests/unit/target/child.hpp"
#include "tests/unit/target/scratch_dir.hpp"

using namespace callscope;
using callscope::test::Child;
using callscope::test::ScratchDir;

namespace {

constexpr const char* kKernel = "6.18.44";

// Facts of a command at the stop where all of its libraries are mapped.
SafetyFacts facts_of(const std::vector<std::string>& argv) {
  const Result<LaunchedTarget> target = LaunchedTarget::start({argv, {}});
  REQUIRE(target.has_value());
  const Result<SafetyFacts> facts = inspect_target(target->pid());
  REQUIRE(facts.has_value());
  return *facts;
}

bool has_file(const std::vector<std::string>& paths, std::string_view name) {
  return std::ranges::any_of(paths, [&](const auto& path) { return file_name(path) == name; });
}

bool is_installed(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null").c_str()) == 0;
}

std::string transformed(const ScratchDir& scratch, const std::string& name,
                        const std::string& command, const std::string& program) {
  const std::string out = scratch.path(name);
  REQUIRE(std::system((command + " " + program + " " + out).c_str()) == 0);
  return out;
}

}  // namespace

TEST_CASE("a plain C program may have return probes", "[unit]") {
  const SafetyFacts facts = facts_of({CONSTRUCTOR_PROGRAM});
  CHECK(facts.program_class == ProgramClass::kElf64);
  CHECK(facts.exe == CONSTRUCTOR_PROGRAM);
  CHECK(facts.unwinders.empty());
  CHECK(facts.throwers.empty());
  CHECK(facts.go_modules.empty());
  CHECK(facts.fibers.empty());
  CHECK(facts.unreadable.empty());
  CHECK(facts.seccomp_mode == 0);
  CHECK(facts.symbols == SymbolSource::kSymtab);
  CHECK_FALSE(facts.other_mount_namespace);
  CHECK_FALSE(facts.other_pid_namespace);
  CHECK(has_file(facts.modules, "libc.so.6"));
  const ReturnProbeVerdict verdict = return_probe_verdict(facts, kKernel);
  CHECK(verdict.safe);
  CHECK(verdict.reason == "no unwinder, no Go and no fibers in the target");
}

TEST_CASE("a C++ program that throws gets entry counts only", "[unit]") {
  const SafetyFacts facts = facts_of({THROWING_PROGRAM});
  CHECK(has_file(facts.throwers, "throwing_program"));
  CHECK(has_file(facts.unwinders, "libgcc_s.so.1"));
  CHECK(facts.unwinders.size() == 2);  // and libstdc++.so.6.x
  const ReturnProbeVerdict verdict = return_probe_verdict(facts, kKernel);
  CHECK_FALSE(verdict.safe);
  CHECK(verdict.reason.starts_with("throwing_program can use exceptions ("));
  CHECK(verdict.reason.ends_with("and a throw through a return probe kills the process"));
}

TEST_CASE("a static C++ program is recognised with and without its symbols", "[unit]") {
  const ScratchDir scratch;
  const std::string stripped =
      transformed(scratch, "stripped", "strip -o /dev/stdout", THROWING_STATIC_PROGRAM " >");
  REQUIRE(::chmod(stripped.c_str(), 0755) == 0);
  for (const std::string& program : {std::string(THROWING_STATIC_PROGRAM), stripped}) {
    const SafetyFacts facts = facts_of({program});
    CHECK(facts.statically_linked);
    CHECK(facts.unwinders == std::vector<std::string>{program});
    CHECK(facts.throwers == std::vector<std::string>{program});
    CHECK_FALSE(return_probe_verdict(facts, kKernel).safe);
  }
}

TEST_CASE("a static C program is safe only while its symbols prove it", "[unit]") {
  const ScratchDir scratch;
  const SafetyFacts facts = facts_of({STATIC_PROGRAM});
  CHECK(facts.statically_linked);
  CHECK(facts.throwers.empty());
  CHECK(return_probe_verdict(facts, kKernel).safe);

  const std::string stripped = transformed(scratch, "stripped", "objcopy -S", STATIC_PROGRAM);
  const ReturnProbeVerdict verdict = return_probe_verdict(facts_of({stripped}), kKernel);
  CHECK_FALSE(verdict.safe);
  CHECK(verdict.reason.starts_with("stripped is static and stripped and may use exceptions"));
}

TEST_CASE("a program without a section table cannot be proven safe", "[unit]") {
  const ScratchDir scratch;
  const std::string program = transformed(scratch, "packed", "cp", CONSTRUCTOR_PROGRAM);
  FILE* const file = std::fopen(program.c_str(), "r+b");
  REQUIRE(file != nullptr);
  constexpr long kSectionFields = 0x3a;  // e_shentsize, e_shnum, e_shstrndx
  constexpr long kSectionOffset = 0x28;  // e_shoff
  const std::array<char, 8> zeros{};
  std::fseek(file, kSectionFields, SEEK_SET);
  std::fwrite(zeros.data(), 1, 6, file);
  std::fseek(file, kSectionOffset, SEEK_SET);
  std::fwrite(zeros.data(), 1, 8, file);
  std::fclose(file);
  const SafetyFacts facts = facts_of({program});
  CHECK(facts.unreadable == std::vector<std::string>{program});
  CHECK_FALSE(return_probe_verdict(facts, kKernel).safe);
}

TEST_CASE("Go and fibers are recognised", "[unit]") {
  const ScratchDir scratch;
  const std::string go = transformed(
      scratch, "go", "objcopy --add-section .gopclntab=/etc/hostname", CONSTRUCTOR_PROGRAM);
  CHECK(has_file(facts_of({go}).go_modules, "go"));
  CHECK(return_probe_verdict(facts_of({go}), kKernel).reason ==
        "go is Go, which moves its stacks: a return probe crashes it");

  const SafetyFacts fiber = facts_of({FIBER_PROGRAM});
  REQUIRE(fiber.fibers.size() == 1);
  CHECK(fiber.fibers.front().starts_with(FIBER_PROGRAM " ("));
  CHECK_FALSE(return_probe_verdict(fiber, kKernel).safe);
}

TEST_CASE("distribution programs come out as what they are", "[unit]") {
  struct Expected {
    std::vector<std::string> argv;
    bool safe;
    bool unwinder;
  };
  const std::vector<Expected> programs = {
      {{"bash", "-c", ":"}, true, false},
      {{"/usr/bin/sqlite3", "-version"}, true, false},
      {{"/usr/bin/python3", "-c", "0"}, true, false},
      {{"/usr/bin/redis-server", "--version"}, true, true},  // libstdc++ through libjemalloc
      {{"/usr/sbin/nginx", "-v"}, true, false},
      {{"/usr/bin/cmake", "--version"}, false, true},
  };
  for (const Expected& program : programs) {
    if (!is_installed(program.argv.front())) continue;
    INFO(program.argv.front());
    const SafetyFacts facts = facts_of(program.argv);
    const ReturnProbeVerdict verdict = return_probe_verdict(facts, kKernel);
    INFO(verdict.reason);
    CHECK(verdict.safe == program.safe);
    CHECK(facts.unwinders.empty() != program.unwinder);
  }
}

TEST_CASE("a seccomp filter counts on the kernels that do not pass return probes", "[unit]") {
  const Child child({SECCOMP_PROGRAM});
  REQUIRE(child.read_byte() == 'x');
  const Result<SafetyFacts> facts = inspect_target(child.pid());
  REQUIRE(facts.has_value());
  CHECK(facts->seccomp_mode == 2);
  CHECK(return_probe_verdict(*facts, "6.10.9-amd64").safe);
  CHECK_FALSE(return_probe_verdict(*facts, "6.11.0").safe);
  CHECK_FALSE(return_probe_verdict(*facts, "6.13.1").safe);
  CHECK(return_probe_verdict(*facts, "6.14").safe);
  CHECK_FALSE(return_probe_verdict(*facts, "unknown").safe);
}

TEST_CASE("a shadow stack counts before 6.11, and a 32-bit program always", "[unit]") {
  SafetyFacts facts;
  CHECK_FALSE(return_probe_verdict(facts, kKernel).safe);  // nothing known
  facts.program_class = ProgramClass::kElf64;
  CHECK(return_probe_verdict(facts, kKernel).safe);
  facts.shadow_stack = true;
  CHECK_FALSE(return_probe_verdict(facts, "6.10.0").safe);
  CHECK(return_probe_verdict(facts, "6.11.0").safe);
  facts.program_class = ProgramClass::kElf32;
  CHECK_FALSE(return_probe_verdict(facts, "6.11.0").safe);
}

TEST_CASE("a library that appears while recording is noticed", "[unit]") {
  SafetyFacts facts = facts_of({CONSTRUCTOR_PROGRAM});
  std::vector<Mapping> maps;
  for (const std::string& path : facts.modules)
    maps.push_back({.inode = 1, .executable = true, .path = path});
  CHECK(new_modules(facts.modules, maps).empty());
  maps.push_back({.inode = 9, .executable = true, .path = "/lib/libgcc_s.so.1"});
  maps.push_back({.inode = 0, .executable = true, .path = "[vdso]"});
  maps.push_back({.inode = 8, .executable = false, .path = "/usr/share/x"});
  CHECK(new_modules(facts.modules, maps) == std::vector<std::string>{"/lib/libgcc_s.so.1"});
}

TEST_CASE("frame pointers are told by how functions begin", "[unit]") {
  const FramePointers with = facts_of({FRAMED_PROGRAM}).frame_pointers;
  const FramePointers without = facts_of({FRAMELESS_PROGRAM}).frame_pointers;
  REQUIRE(with.sampled >= 40);
  REQUIRE(without.sampled >= 40);
  CHECK(with.framed * 10 >= with.sampled * 8);
  CHECK(without.framed * 10 <= without.sampled);
}

TEST_CASE("a truncated program is refused or inspected, never read beyond its end", "[unit]") {
  const std::string file = test::read_all(FRAMED_PROGRAM);
  REQUIRE(file.size() > 10'000);
  for (std::size_t length = 0; length < file.size(); length += length < 4096 ? 1 : 37) {
    const std::vector<std::uint8_t> bytes(file.begin(),
                                          file.begin() + static_cast<std::ptrdiff_t>(length));
    const Result<ElfImage> image = ElfImage::parse(bytes);
    if (!image) continue;
    CHECK(inspect_module("/x/program", *image).path == "/x/program");
    const FramePointers frames = sample_frame_pointers(*image);
    CHECK(frames.framed <= frames.sampled);
  }
  const std::vector<std::uint8_t> whole(file.begin(), file.end());
  const Result<ElfImage> image = ElfImage::parse(whole);
  REQUIRE(image.has_value());
  CHECK(inspect_module("/x/program", *image).symbols == SymbolSource::kSymtab);
}
