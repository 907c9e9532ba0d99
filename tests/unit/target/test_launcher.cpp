// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>

#include "sys/fd.hpp"
#include "sys/read_file.hpp"
#include "target/launcher.hpp"
#include "target/maps.hpp"
#include "target/proc_text.hpp"
#include "tests/unit/target/scratch_dir.hpp"

using namespace callscope;
using callscope::test::read_all;
using callscope::test::ScratchDir;

namespace {

int exit_code(const std::vector<std::string>& argv, const std::optional<Credentials>& user = {}) {
  Result<LaunchedTarget> target = LaunchedTarget::start({argv, user});
  REQUIRE(target.has_value());
  CHECK_FALSE(target->poll_status().has_value());
  REQUIRE(target->resume().has_value());
  const Result<int> status = target->wait_status();
  REQUIRE(status.has_value());
  CHECK(target->poll_status() == *status);
  return WIFEXITED(*status) ? WEXITSTATUS(*status) : -WTERMSIG(*status);
}

Error launch_error(const std::vector<std::string>& argv) {
  const Result<LaunchedTarget> target = LaunchedTarget::start({argv, {}});
  REQUIRE_FALSE(target.has_value());
  return target.error();
}

bool maps_file(const std::vector<Mapping>& maps, const std::string& path) {
  return std::ranges::any_of(maps, [&](const Mapping& mapping) { return mapping.path == path; });
}

// The bytes of a live process at the mapping's first page that is executable.
std::string code_of(pid_t pid, const Mapping& mapping) {
  std::string bytes(mapping.end - mapping.start, '\0');
  FILE* const memory = std::fopen(("/proc/" + std::to_string(pid) + "/mem").c_str(), "rb");
  REQUIRE(memory != nullptr);
  REQUIRE(::fseeko(memory, static_cast<off_t>(mapping.start), SEEK_SET) == 0);
  CHECK(std::fread(bytes.data(), 1, bytes.size(), memory) == bytes.size());
  std::fclose(memory);
  return bytes;
}

void check_stop_before_constructors(const std::string& program, const std::string& library) {
  const ScratchDir scratch;
  const std::string log = scratch.path("log");
  ::setenv("CONSTRUCTOR_LOG", log.c_str(), 1);
  Result<LaunchedTarget> target = LaunchedTarget::start({{program}, {}});
  ::unsetenv("CONSTRUCTOR_LOG");
  REQUIRE(target.has_value());
  CHECK(target->stopped_at() == LoaderStop::kLibrariesMapped);

  const Result<std::vector<Mapping>> maps = read_maps(target->pid());
  REQUIRE(maps.has_value());
  CHECK(maps_file(*maps, library));
  CHECK(maps_file(*maps, program));
  CHECK(read_all(log).empty());

  REQUIRE(target->resume().has_value());
  CHECK(WEXITSTATUS(target->wait_status().value()) == 7);
  CHECK(read_all(log) == "constructor\nmain\n");
}

}  // namespace

TEST_CASE("the exit code of a launched command comes back", "[unit]") {
  CHECK(exit_code({"/bin/true"}) == 0);
  CHECK(exit_code({"sh", "-c", "exit 7"}) == 7);
  CHECK(exit_code({"sh", "-c", "kill -9 $$"}) == -9);
}

TEST_CASE("a launched command is stopped with its libraries mapped and no constructor run",
          "[unit]") {
  check_stop_before_constructors(CONSTRUCTOR_PROGRAM, CONSTRUCTOR_LIBRARY);
}

#ifdef MUSL_PROGRAM
TEST_CASE("the stop before constructors works with the loader of musl", "[unit]") {
  check_stop_before_constructors(MUSL_PROGRAM, MUSL_LIBRARY);
}
#endif

TEST_CASE("a static program stops at exec", "[unit]") {
  Result<LaunchedTarget> target = LaunchedTarget::start({{STATIC_PROGRAM}, {}});
  REQUIRE(target.has_value());
  CHECK(target->stopped_at() == LoaderStop::kExec);
  REQUIRE(target->resume().has_value());
  CHECK(WEXITSTATUS(target->wait_status().value()) == 5);
}

TEST_CASE("no breakpoint is left in the code of a launched command", "[unit]") {
  Result<LaunchedTarget> target = LaunchedTarget::start({{"/bin/true"}, {}});
  REQUIRE(target.has_value());
  const Result<std::vector<Mapping>> maps = read_maps(target->pid());
  REQUIRE(maps.has_value());
  std::size_t compared = 0;
  for (const Mapping& mapping : *maps) {
    if (!mapping.executable || mapping.inode == 0) continue;
    const std::string file = read_all(mapping.path);
    const std::string code = code_of(target->pid(), mapping);
    const std::size_t in_file = std::min(code.size(), file.size() - mapping.file_off);
    CHECK(file.compare(mapping.file_off, in_file, code, 0, in_file) == 0);
    ++compared;
  }
  CHECK(compared == 3);  // the program, libc, the loader
}

TEST_CASE("a command that cannot be executed says why", "[unit]") {
  const ScratchDir scratch;
  CHECK(launch_error({}).code == ErrorCode::kUsage);
  CHECK(launch_error({"callscope-no-such-command"}).code == ErrorCode::kNotFound);
  CHECK(launch_error({"callscope-no-such-command"}).message() ==
        "cannot run callscope-no-such-command: No such file or directory "
        "(check the spelling, or give the path)");
  const std::string plain = scratch.write("plain", "#!/bin/sh\n");
  CHECK(launch_error({plain}).code == ErrorCode::kNotPermitted);
  const std::string orphan = scratch.write("orphan", "#!/no/such/interpreter\n");
  REQUIRE(::chmod(orphan.c_str(), 0755) == 0);
  CHECK(launch_error({orphan}).code == ErrorCode::kNotFound);
  CHECK(launch_error({orphan}).hint == "the file is there, but the interpreter it names is not");
}

TEST_CASE("a library that is missing is reported before anything is attached", "[unit]") {
  const ScratchDir scratch;
  const std::string copy = scratch.write("alone", read_all(CONSTRUCTOR_PROGRAM));
  REQUIRE(::chmod(copy.c_str(), 0755) == 0);
  const std::string command = "sed -i s/libconstructor_library/libconstructor_LIBRARY/g " + copy;
  REQUIRE(std::system(command.c_str()) == 0);
  const Error error = launch_error({copy});
  CHECK(error.code == ErrorCode::kNotFound);
  CHECK(error.what == copy + " exited with code 127 while its libraries were loaded");
}

TEST_CASE("the child inherits neither our descriptors nor our blocked signals", "[unit]") {
  const Fd leaked(::dup(STDIN_FILENO));  // not close-on-exec
  REQUIRE(leaked.get() > STDERR_FILENO);
  sigset_t blocked;
  sigset_t before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::sigaddset(&blocked, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const std::string gone = "/proc/self/fd/" + std::to_string(leaked.get());
  CHECK(exit_code({"test", "-e", gone}) == 1);
  CHECK(exit_code({"grep", "-q", "^SigBlk:.0000000000000000$", "/proc/self/status"}) == 0);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("a signal sent while the command stands stopped is delivered on resume", "[unit]") {
  Result<LaunchedTarget> target = LaunchedTarget::start({{"sleep", "60"}, {}});
  REQUIRE(target.has_value());
  REQUIRE(::kill(target->pid(), SIGTERM) == 0);
  REQUIRE(target->resume().has_value());
  CHECK(WTERMSIG(target->wait_status().value()) == SIGTERM);
}

TEST_CASE("a command that is never resumed dies with its launcher object", "[unit]") {
  pid_t pid = 0;
  {
    const Result<LaunchedTarget> target = LaunchedTarget::start({{"sleep", "60"}, {}});
    REQUIRE(target.has_value());
    pid = target->pid();
    CHECK(::kill(pid, 0) == 0);
  }
  CHECK(::kill(pid, 0) == -1);
}

TEST_CASE("a command that is never resumed dies with the process that launched it", "[unit]") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t launcher = ::fork();
  if (launcher == 0) {
    const Result<LaunchedTarget> target = LaunchedTarget::start({{"sleep", "60"}, {}});
    const pid_t pid = target ? target->pid() : 0;
    const ssize_t written = ::write(ends[1], &pid, sizeof pid);
    ::kill(::getpid(), SIGKILL);
    ::_exit(static_cast<int>(written));
  }
  Fd read_end(ends[0]);
  Fd(ends[1]).reset();
  pid_t pid = 0;
  REQUIRE(::read(read_end.get(), &pid, sizeof pid) == sizeof pid);
  REQUIRE(pid > 0);
  REQUIRE(::waitpid(launcher, nullptr, 0) == launcher);
  // Killed at the exit of its tracer; whoever adopted it reaps it in its own time.
  for (int tries = 0; tries < 5000; ++tries) {
    const Result<std::string> text = read_file("/proc/" + std::to_string(pid) + "/stat");
    const auto stat = text ? parse_proc_stat(*text) : std::nullopt;
    if (!stat || stat->has_ended()) return;
    ::usleep(1000);
  }
  FAIL("the stopped command outlived its launcher");
}

TEST_CASE("the command runs as the user who called sudo, with that user's environment", "[unit]") {
  if (::geteuid() != 0) return;  // only root can become another user
  const Credentials nobody{.uid = 65534, .gid = 65534, .user = "nobody"};
  CHECK(exit_code({"sh", "-c",
                   "test $(id -u) = 65534 && test $(id -g) = 65534 && test $(id -G) = 65534 && "
                   "test $USER = nobody && test $LOGNAME = nobody && test $HOME != /root"},
                  nobody) == 0);
}

TEST_CASE("the caller of sudo is taken from well-formed numbers only", "[unit]") {
  const std::optional<Credentials> caller = sudo_caller("1000", "100", "ann");
  REQUIRE(caller.has_value());
  CHECK(caller->uid == 1000);
  CHECK(caller->gid == 100);
  CHECK(caller->user == "ann");
  CHECK_FALSE(sudo_caller("", "", ""));
  CHECK_FALSE(sudo_caller("1000", "", "ann"));
  CHECK_FALSE(sudo_caller("10x", "100", "ann"));
  CHECK_FALSE(sudo_caller("-1", "100", "ann"));
  CHECK_FALSE(sudo_caller("4294967295", "100", "ann"));
  CHECK_FALSE(sudo_caller("0", "0", "root"));
}
