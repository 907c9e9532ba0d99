// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>

#include "symbols/symbolizer.hpp"
#include "sys/fd.hpp"
#include "tests/unit/symbols/sample_file.hpp"

using namespace callscope;
using namespace callscope::test;

namespace {

// A child that waits in pause(); it is ended when the object goes.
class Child {
 public:
  // Runs program (which must only wait for its standard input), or just waits if it is empty.
  explicit Child(const std::string& program = {}) {
    int started[2];
    int input[2];
    REQUIRE(::pipe(started) == 0);
    REQUIRE(::pipe(input) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(input[0], STDIN_FILENO);
      ::dup2(started[1], STDOUT_FILENO);
      for (const int fd : {started[0], started[1], input[0], input[1]}) ::close(fd);
      if (program.empty()) {
        if (::write(STDOUT_FILENO, "x", 1) != 1) ::_exit(1);
        char byte = 0;
        ::_exit(::read(STDIN_FILENO, &byte, 1) == 0 ? 0 : 1);
      }
      ::execl(program.c_str(), program.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(started[1]);
    ::close(input[0]);
    input_.reset(input[1]);
    // cat echoes the byte as soon as it runs; a plain child writes one by itself.
    if (!program.empty()) REQUIRE(::write(input[1], "x", 1) == 1);
    char byte = 0;
    REQUIRE(::read(started[0], &byte, 1) == 1);
    ::close(started[0]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { end(); }
  void end() {
    if (pid_ <= 0) return;
    input_.reset();
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  [[nodiscard]] std::int32_t pid() const { return pid_; }

 private:
  std::int32_t pid_ = 0;
  Fd input_;
};

std::uint64_t addr_of(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

struct Seen {
  std::string function;
  std::string module;
  ModuleKind kind = ModuleKind::kElf;
  std::uint64_t sym_off = 0;
  std::uint64_t addr = 0;
};

Seen look(const Recording& recording, std::uint32_t id) {
  const Frame& frame = recording.frames.at(id);
  CHECK(frame.id == id);
  const Module& module = recording.modules.at(frame.module);
  return {frame.function, module.path, module.kind, frame.sym_off, frame.addr};
}

}  // namespace

TEST_CASE("functions of this process and of its libraries are named", "[unit]") {
  Recording recording;
  Symbolizer symbolizer(recording);
  REQUIRE(symbolizer.refresh(::getpid()));
  const std::uint64_t lfind_addr = addr_of(::dlsym(RTLD_DEFAULT, "lfind"));
  const std::uint32_t id = symbolizer.user_frame(::getpid(), lfind_addr + 3, AddressKind::kExact);
  const Seen seen = look(recording, id);
  CHECK(seen.function == "lfind");
  CHECK(seen.sym_off == 3);
  CHECK(seen.module == std::filesystem::canonical(libc_path()).string());
  const auto oracle = code_symbols(libc_path());
  const auto lfind_symbol = std::ranges::find(oracle, "lfind", &OracleSymbol::name);
  CHECK(seen.addr == lfind_symbol->addr + 3);
  CHECK(recording.modules[recording.frames[id].module].build_id ==
        ModuleImage::open(libc_path())->build_id());

  const auto own = reinterpret_cast<std::uint64_t>(&lines_of);
  const Seen mine =
      look(recording, symbolizer.user_frame(::getpid(), own + 1, AddressKind::kExact));
  CHECK(mine.function.find("lines_of") != std::string::npos);
  CHECK(mine.module == std::filesystem::read_symlink("/proc/self/exe").string());
  CHECK(symbolizer.module_notes().size() == 2);
}

TEST_CASE("each distinct address is one frame, also of two processes", "[unit]") {
  Recording recording;
  Symbolizer symbolizer(recording);
  const Child child;
  const std::uint64_t addr = addr_of(::dlsym(RTLD_DEFAULT, "lfind"));
  const std::uint32_t id = symbolizer.user_frame(::getpid(), addr, AddressKind::kExact);
  CHECK(symbolizer.user_frame(::getpid(), addr, AddressKind::kExact) == id);
  CHECK(symbolizer.user_frame(child.pid(), addr, AddressKind::kExact) == id);
  CHECK(recording.frames.size() == 1);
  CHECK(recording.modules.size() == 1);
}

TEST_CASE("a return address belongs to the call before it", "[unit]") {
  Recording recording;
  Symbolizer symbolizer(recording);
  void* const library = ::dlopen(CALLSCOPE_SYMBOL_SAMPLE, RTLD_NOW);
  REQUIRE(library != nullptr);
  const std::uint64_t start = addr_of(::dlsym(library, "asm_no_size"));
  const auto exact = look(recording, symbolizer.user_frame(::getpid(), start, AddressKind::kExact));
  CHECK(exact.function == "asm_no_size");
  CHECK(exact.sym_off == 0);
  const auto back = look(recording, symbolizer.user_frame(::getpid(), start, AddressKind::kReturn));
  CHECK(back.function == "asm_outer");
  CHECK(back.sym_off == 64);
  CHECK(back.addr == exact.addr);
  // Inside a function they bear one name, but may lie on two lines.
  const auto inner_back = symbolizer.user_frame(::getpid(), start + 8, AddressKind::kReturn);
  const auto inner = symbolizer.user_frame(::getpid(), start + 8, AddressKind::kExact);
  CHECK(inner_back != inner);
  CHECK(recording.frames[inner_back].function == recording.frames[inner].function);
  CHECK(recording.frames.size() == 4);
  ::dlclose(library);
}

TEST_CASE("a library that is unloaded keeps its names", "[unit]") {
  Recording recording;
  Symbolizer symbolizer(recording);
  REQUIRE(symbolizer.refresh(::getpid()));
  void* const library = ::dlopen(CALLSCOPE_SYMBOL_SAMPLE, RTLD_NOW);
  REQUIRE(library != nullptr);
  const std::uint64_t addr = addr_of(::dlsym(library, "sample_plain"));
  REQUIRE(symbolizer.refresh(::getpid()));
  ::dlclose(library);
  REQUIRE(symbolizer.refresh(::getpid()));
  const Seen seen = look(recording, symbolizer.user_frame(::getpid(), addr, AddressKind::kExact));
  CHECK(seen.function == "sample_plain");
}

TEST_CASE("names survive the deletion of the program and its end", "[unit]") {
  const TempDir dir;
  const std::string program = dir.file("victim");
  std::filesystem::copy_file(run_tool("printf %s $(command -v cat)"), program);
  const std::string build_id = ModuleImage::open(program)->build_id();
  Recording recording;
  Symbolizer symbolizer(recording);
  Child child(program);
  std::filesystem::remove(program);
  REQUIRE(symbolizer.refresh(child.pid()));
  const auto& mappings = symbolizer.process(child.pid())->mappings();
  const std::int32_t pid = child.pid();
  const auto own = std::ranges::find_if(
      mappings, [&](const CodeMapping& code) { return code.mapping.path == program; });
  REQUIRE(own != mappings.end());
  CHECK(own->mapping.deleted);
  const auto libc = std::ranges::find_if(mappings, [](const CodeMapping& code) {
    return code.mapping.path.find("libc.so.6") != std::string::npos;
  });
  REQUIRE(libc != mappings.end());
  child.end();
  CHECK_FALSE(symbolizer.refresh(pid));

  const auto module = ModuleImage::open(libc_path());
  const auto oracle = code_symbols(libc_path());
  const auto lfind_symbol = std::ranges::find(oracle, "lfind", &OracleSymbol::name);
  const std::uint64_t addr = *module->image().vaddr_to_file_off(lfind_symbol->addr) -
                             libc->mapping.file_off + libc->mapping.start;
  CHECK(look(recording, symbolizer.user_frame(pid, addr, AddressKind::kExact)).function == "lfind");
  const Seen seen =
      look(recording, symbolizer.user_frame(pid, own->mapping.start + 64, AddressKind::kExact));
  CHECK(seen.module == program);
  CHECK(std::ranges::find(recording.modules, build_id, &Module::build_id) !=
        recording.modules.end());
}

TEST_CASE("a forked child that ended at once has the maps of its parent", "[unit]") {
  Recording recording;
  Symbolizer symbolizer(recording);
  REQUIRE(symbolizer.refresh(::getpid()));
  Child child;
  const std::int32_t pid = child.pid();
  child.end();
  const std::uint64_t addr = addr_of(::dlsym(RTLD_DEFAULT, "lfind"));
  symbolizer.adopt(pid, ::getpid());
  CHECK(look(recording, symbolizer.user_frame(pid, addr, AddressKind::kExact)).function == "lfind");
}

TEST_CASE("the vdso is read from memory", "[unit]") {
  const std::uint64_t base = ::getauxval(AT_SYSINFO_EHDR);
  REQUIRE(base != 0);
  Recording recording;
  Symbolizer symbolizer(recording);
  REQUIRE(symbolizer.refresh(::getpid()));
  // The oracle: the image as the dynamic loader sees it, in our own memory, read by readelf.
  const TempDir dir;
  const auto* const bytes = reinterpret_cast<const char*>(base);
  std::ofstream(dir.file("vdso"), std::ios::binary).write(bytes, 2 * 4096);
  const auto oracle = code_symbols(dir.file("vdso"));
  REQUIRE_FALSE(oracle.empty());
  for (const OracleSymbol& symbol : oracle) {
    const Seen seen = look(
        recording, symbolizer.user_frame(::getpid(), base + symbol.addr + 1, AddressKind::kExact));
    CHECK(seen.module == "[vdso]");
    CHECK(seen.kind == ModuleKind::kVdso);
    CHECK(std::ranges::any_of(oracle, [&](const OracleSymbol& other) {
      return other.addr == symbol.addr && other.name == seen.function;
    }));
  }
}

TEST_CASE("JIT code is named by the perf map, also when that comes later", "[unit]") {
  const std::string path = "/tmp/perf-" + std::to_string(::getpid()) + ".map";
  void* const code =
      ::mmap(nullptr, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(code != MAP_FAILED);
  const std::uint64_t addr = addr_of(code);
  const auto write_entry = [&](std::uint64_t start, const std::string& name) {
    std::ofstream(path, std::ios::app) << std::hex << start << " 40 " << name << "\n";
  };
  Recording recording;
  Symbolizer symbolizer(recording);
  write_entry(addr, "py::first");
  REQUIRE(symbolizer.refresh(::getpid()));
  const std::uint32_t first = symbolizer.user_frame(::getpid(), addr + 4, AddressKind::kExact);
  const std::uint32_t later = symbolizer.user_frame(::getpid(), addr + 0x48, AddressKind::kReturn);
  CHECK(look(recording, first).function == "py::first");
  CHECK(look(recording, first).module == "[jit]");
  CHECK(look(recording, first).kind == ModuleKind::kJit);
  CHECK(look(recording, first).addr == addr + 4);
  CHECK(look(recording, later).function.empty());
  write_entry(addr + 0x40, "py::second");
  REQUIRE(symbolizer.refresh(::getpid()));
  CHECK(look(recording, later).function == "py::second");
  CHECK(look(recording, later).sym_off == 8);
  std::filesystem::remove(path);
  ::munmap(code, 8192);
}

TEST_CASE("addresses without a name keep module and address", "[unit]") {
  Recording recording;
  Symbolizer symbolizer(recording);
  REQUIRE(symbolizer.refresh(::getpid()));
  const Seen none = look(recording, symbolizer.user_frame(::getpid(), 0x10, AddressKind::kReturn));
  CHECK(none.module == "[unknown]");
  CHECK(none.kind == ModuleKind::kUnknown);
  CHECK(none.addr == 0x10);
  CHECK(none.function.empty());
  CHECK(look(recording, symbolizer.user_frame(::getpid(), 0, AddressKind::kReturn)).addr == 0);
  // No such process: PIDs end below 2^22.
  CHECK(look(recording, symbolizer.user_frame(1 << 30, 0x1234, AddressKind::kExact)).module ==
        "[unknown]");
}

TEST_CASE("kernel addresses are named as /proc/kallsyms has them", "[unit]") {
  Recording recording;
  Symbolizer symbolizer(recording);
  const auto line = words_of(run_tool("grep -m1 \" [tT] schedule$\" /proc/kallsyms"));
  REQUIRE(line.size() >= 3);
  const std::uint64_t addr = std::stoull(line[0], nullptr, 16);
  const Seen seen = look(recording, symbolizer.kernel_frame(addr + 5, AddressKind::kReturn));
  CHECK(seen.module == "[kernel]");
  CHECK(seen.kind == ModuleKind::kKernel);
  CHECK(seen.addr == addr + 5);
  if (addr == 0) {
    CHECK(symbolizer.kernel_names_hidden());
    CHECK(seen.function.empty());
  } else {
    CHECK(seen.function == "schedule");
    CHECK(seen.sym_off == 5);
  }
}

TEST_CASE("a refresh without changes opens nothing and leaks nothing", "[unit]") {
  const auto open_fds = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  const auto before = open_fds();
  {
    Recording recording;
    Symbolizer symbolizer(recording);
    REQUIRE(symbolizer.refresh(::getpid()));
    const auto once = open_fds();
    const CachedModule* const first = symbolizer.process(::getpid())->mappings()[0].module;
    for (int i = 0; i < 10; ++i) REQUIRE(symbolizer.refresh(::getpid()));
    CHECK(open_fds() == once);
    CHECK(symbolizer.process(::getpid())->mappings()[0].module == first);
  }
  CHECK(open_fds() == before);
}
