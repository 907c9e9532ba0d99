// SPDX-License-Identifier: Apache-2.0
// A mapped file that is cut short reads as zeroes; other memory that is gone still ends a process.
#include <catch2/catch.hpp>

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "sys/fd.hpp"
#include "sys/lost_pages.hpp"
#include "sys/mapped_file.hpp"
#include "sys/page.hpp"

using namespace callscope;

namespace {

// A file of so many pages of 'x'.
class TestFile {
 public:
  explicit TestFile(std::size_t pages) {
    const std::string text(pages * kPageBytes, 'x');
    fd_.reset(::mkstemp(path_.data()));
    REQUIRE(::write(fd_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  ~TestFile() { std::filesystem::remove(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }
  void cut(std::size_t bytes) const {
    REQUIRE(::ftruncate(fd_.get(), static_cast<off_t>(bytes)) == 0);
  }

 private:
  std::string path_ = "/tmp/callscope_lost_pages_XXXXXX";
  Fd fd_;
};

}  // namespace

TEST_CASE("what is gone from a mapped file reads as zeroes, what is left does not", "[unit]") {
  const TestFile file(3);
  const Result<MappedFile> mapped = MappedFile::open(file.path());
  REQUIRE(mapped);
  const std::uint64_t before = lost_pages();
  file.cut(kPageBytes);
  CHECK(mapped->bytes()[0] == 'x');
  CHECK(lost_pages() == before);
  CHECK(mapped->bytes()[kPageBytes] == 0);
  CHECK(mapped->bytes()[2 * kPageBytes + 1] == 0);
  CHECK(mapped->bytes()[2 * kPageBytes + 2] == 0);
  CHECK(lost_pages() == before + 2);
}

TEST_CASE("memory that nobody guards still ends the process", "[unit]") {
  const TestFile file(1);
  const Result<MappedFile> guarded = MappedFile::open(file.path());  // there is a handler
  REQUIRE(guarded);
  const pid_t child = ::fork();
  if (child == 0) {
    const Result<MappedFile> other = MappedFile::open(file.path());
    const auto* const bytes = other->bytes().data();
    unguard_pages(bytes);
    file.cut(0);
    ::_exit(bytes[0]);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGBUS);
}
