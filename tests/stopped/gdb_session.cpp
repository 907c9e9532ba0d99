// SPDX-License-Identifier: Apache-2.0
#include "gdb_session.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <thread>
#include <utility>

#include "sys/parse_number.hpp"
#include "sys/read_file.hpp"

namespace callscope::test {
namespace {

constexpr int kPatienceMs = 20'000;
constexpr int kTriesForRunning = 200;
constexpr std::chrono::milliseconds kTryEvery{1};
constexpr std::uint64_t kLongestRunUs = 20'000;

// The state in /proc/PID/task/TID/stat, behind the name in parentheses; 0: the thread is gone.
char state_of(pid_t pid, pid_t tid) {
  const Result<std::string> stat = read_file(fmt::format("/proc/{}/task/{}/stat", pid, tid));
  const std::size_t name_end = stat ? stat->rfind(')') : std::string::npos;
  return name_end == std::string::npos || name_end + 2 >= stat->size() ? '\0'
                                                                       : (*stat)[name_end + 2];
}

Result<GdbStop> parse_stop(const std::string& line) {
  GdbStop stop;
  std::istringstream words(line);
  std::string word;
  words >> word >> stop.tid;
  if (word != "stop" || !words) return fail(ErrorCode::kIo, "gdb says: " + line);
  user_regs_struct& r = stop.registers;
  for (unsigned long long* const to :
       {&r.rax, &r.rdx, &r.rcx, &r.rbx, &r.rsi, &r.rdi, &r.rbp, &r.rsp, &r.r8, &r.r9, &r.r10,
        &r.r11, &r.r12, &r.r13, &r.r14, &r.r15, &r.rip})
    words >> *to;
  words >> word;
  while (words >> word && word != "|") {
    const auto pc = parse_number<std::uint64_t>(word);
    if (!pc) return fail(ErrorCode::kIo, "gdb gives no address: " + word);
    stop.frames.push_back(*pc);
  }
  std::getline(words >> std::ws, stop.reason);
  return stop;
}

}  // namespace

Result<std::unique_ptr<GdbSession>> GdbSession::attach(pid_t pid, std::uint64_t seed) {
  std::unique_ptr<GdbSession> session(new GdbSession(pid, seed));
  CS_TRY(session->start());
  return session;
}

Result<void> GdbSession::start() {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  if (::pipe2(in.data(), 0) != 0 || ::pipe2(out.data(), 0) != 0)
    return fail(ErrorCode::kIo, "cannot make pipes to gdb", {}, errno);
  gdb_ = ::fork();
  if (gdb_ < 0) return fail(ErrorCode::kIo, "cannot start gdb", {}, errno);
  if (gdb_ == 0) {
    ::close(in[1]);
    ::close(out[0]);
    ::setenv("CALLSCOPE_GDB_IN", std::to_string(in[0]).c_str(), 1);
    ::setenv("CALLSCOPE_GDB_OUT", std::to_string(out[1]).c_str(), 1);
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, STDIN_FILENO);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
    const std::string pid = std::to_string(pid_);
    ::execlp("gdb", "gdb", "-q", "-nx", "-batch", "-iex", "set auto-load off", "-p", pid.c_str(),
             "-x", CALLSCOPE_GDB_SCRIPT, nullptr);
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  requests_.reset(in[1]);
  answers_.reset(out[0]);
  const Result<std::string> ready = answer();
  if (!ready) return std::unexpected(ready.error());
  return {};
}

GdbSession::~GdbSession() {
  if (gdb_ < 0) return;
  requests_.reset();  // it detaches and ends
  ::waitpid(gdb_, nullptr, 0);
}

Result<void> GdbSession::send(const std::string& line) {
  if (::write(requests_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return fail(ErrorCode::kIo, "cannot write to gdb", {}, errno);
  return {};
}

Result<std::string> GdbSession::answer() {
  std::size_t end = 0;
  while ((end = buffer_.find('\n')) == std::string::npos) {
    pollfd waiting{answers_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, kPatienceMs) != 1) return fail(ErrorCode::kIo, "gdb does not answer");
    std::array<char, 65536> chunk{};
    const ssize_t got = ::read(answers_.get(), chunk.data(), chunk.size());
    if (got <= 0) return fail(ErrorCode::kIo, "gdb has ended");
    buffer_.append(chunk.data(), static_cast<std::size_t>(got));
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return line;
}

std::vector<pid_t> GdbSession::threads_in_state(const char* states) const {
  std::vector<pid_t> found;
  DIR* const folder = ::opendir(fmt::format("/proc/{}/task", pid_).c_str());
  if (folder == nullptr) return found;
  while (const dirent* const entry = ::readdir(folder))
    if (const auto tid = parse_number<pid_t>(entry->d_name, 1))
      if (const char state = state_of(pid_, *tid); state != '\0' && std::strchr(states, state))
        found.push_back(*tid);
  ::closedir(folder);
  return found;
}

void GdbSession::await_resumed() const {
  for (int i = 0; i < kPatienceMs && !threads_in_state("t").empty(); ++i)
    std::this_thread::sleep_for(kTryEvery);
}

Result<GdbStop> GdbSession::stop() {
  CS_TRY(send("go\n"));
  await_resumed();
  std::this_thread::sleep_for(std::chrono::microseconds(random_() % kLongestRunUs));
  std::vector<pid_t> threads;
  for (int i = 0; i < kTriesForRunning && threads.empty(); ++i) {
    if (i > 0) std::this_thread::sleep_for(kTryEvery);
    threads = threads_in_state("R");
  }
  if (threads.empty()) threads = threads_in_state("SD");
  if (!threads.empty()) ::syscall(SYS_tgkill, pid_, threads[random_() % threads.size()], SIGSTOP);
  const Result<std::string> line = answer();
  if (!line) return std::unexpected(line.error());
  return parse_stop(*line);
}

}  // namespace callscope::test
