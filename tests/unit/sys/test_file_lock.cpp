// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <thread>

#include "sys/clock.hpp"
#include "sys/file_lock.hpp"

using namespace callscope;

TEST_CASE("a file lock has one owner at a time, and who waits gives up in time", "[unit]") {
  constexpr std::uint64_t kShortNs = 20'000'000;
  constexpr std::uint64_t kLongNs = 10'000'000'000;
  const std::string path =
      std::filesystem::temp_directory_path() / ("callscope-lock-" + std::to_string(::getpid()));
  std::optional<FileLock> first;
  {
    Result<FileLock> lock = FileLock::take(path, 0);
    REQUIRE(lock);
    first.emplace(std::move(*lock));
  }
  const std::uint64_t before_ns = monotonic_ns();
  const Result<FileLock> refused = FileLock::take(path, kShortNs);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().sys_errno == ETIMEDOUT);
  CHECK(monotonic_ns() - before_ns >= kShortNs);
  bool taken = false;
  std::thread waiter([&] { taken = FileLock::take(path, kLongNs).has_value(); });
  first.reset();
  waiter.join();
  CHECK(taken);
  std::filesystem::remove(path);
}

TEST_CASE("a file lock follows no link and needs its folder", "[unit]") {
  const std::string path =
      std::filesystem::temp_directory_path() / ("callscope-link-" + std::to_string(::getpid()));
  std::filesystem::create_symlink("/dev/null", path);
  const Result<FileLock> lock = FileLock::take(path, 0);
  REQUIRE_FALSE(lock);
  CHECK(lock.error().sys_errno == ELOOP);
  std::filesystem::remove(path);
  CHECK_FALSE(FileLock::take("/nowhere/callscope.lock", 0));
}
