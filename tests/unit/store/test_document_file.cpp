// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "store/document_file.hpp"
#include "tests/unit/sample_recording.hpp"

namespace fs = std::filesystem;

using callscope::ErrorCode;
using callscope::Result;
using callscope::write_document;
using callscope::test::TemporaryFolder;

namespace {

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t entries(const std::string& folder) {
  std::size_t count = 0;
  for (fs::directory_iterator entry(folder); entry != fs::directory_iterator(); ++entry) ++count;
  return count;
}

}  // namespace

TEST_CASE("a document replaces the file of its name and leaves nothing else", "[unit]") {
  const TemporaryFolder folder;
  REQUIRE(write_document(folder.file("out"), "one"));
  REQUIRE(write_document(folder.file("out"), "two"));
  CHECK(content(folder.file("out")) == "two");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("a document that cannot be put in place leaves no half file", "[unit]") {
  const TemporaryFolder folder;
  CHECK_FALSE(write_document(folder.file("missing/out"), "one"));
  fs::create_directory(folder.file("taken"));
  CHECK_FALSE(write_document(folder.file("taken"), "one"));
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("devices are written, not replaced", "[unit]") {
  REQUIRE(write_document("/dev/null", "one"));
  CHECK(fs::is_character_file("/dev/null"));
  const Result<void> full = write_document("/dev/full", "one");
  REQUIRE_FALSE(full);
  CHECK(full.error().code == ErrorCode::kIo);
  CHECK(fs::is_character_file("/dev/full"));
}

TEST_CASE("links are followed, but not in a folder that everyone may write to", "[unit]") {
  const TemporaryFolder folder;
  REQUIRE(write_document(folder.file("real"), "old"));
  fs::create_symlink("real", folder.file("link"));
  REQUIRE(write_document(folder.file("link"), "new"));
  CHECK(content(folder.file("real")) == "new");
  CHECK(fs::is_symlink(folder.file("link")));

  REQUIRE(::chmod(folder.path().c_str(), 01777) == 0);
  const Result<void> refused = write_document(folder.file("link"), "evil");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kUsage);
  CHECK(content(folder.file("real")) == "new");
}
