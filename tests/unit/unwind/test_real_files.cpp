// SPDX-License-Identifier: Apache-2.0
// Every row of large files of the distribution against readelf. The files are those that the test
// packages of scripts/install_deps.sh bring.
#include <catch2/catch.hpp>
#include <chrono>

#include "sys/mapped_file.hpp"
#include "tests/unit/unwind/check_rules.hpp"
#include "unwind/compile_table.hpp"

using namespace callscope;

namespace {

std::size_t table_bytes(const UnwindTable& table) {
  return table.rows.size() * sizeof(cs_unwind_row) + table.pages.size() * sizeof(UnwindPage) +
         table.rules.size() * sizeof(cs_unwind_rule);
}

// A library of this name as the loader finds it.
std::string library(const std::string& name) {
  for (const std::string& line : test::lines_of(test::run_tool("/sbin/ldconfig -p")))
    if (test::words_of(line).front() == name && line.find("x86-64") != std::string::npos)
      return test::words_of(line).back();
  FAIL(name << " is not installed");
  return {};
}

void check_file(const std::string& path) {
  INFO(path);
  const auto file = MappedFile::open(path);
  REQUIRE(file);
  const auto image = ElfImage::parse(file->bytes());
  REQUIRE(image);
  const auto begin = std::chrono::steady_clock::now();
  const Result<UnwindTable> compiled = compile_unwind_table(*image);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  REQUIRE(compiled);
  const UnwindTable& table = *compiled;
  const std::vector<test::OraclePiece> pieces = test::read_oracle(path);
  const test::Agreement agreement = test::compare(table, pieces);
  WARN(path << ": " << agreement.rows << " rows, " << agreement.addresses << " addresses, "
            << agreement.wrong << " wrong, " << agreement.invalid_rows
            << " rows invalid; table: " << table.rows.size() << " rows, " << table.rules.size()
            << " rules, " << table.pages.size() << " pages, " << table_bytes(table)
            << " bytes, compiled in " << took.count() << " ms");
  INFO(agreement.first_wrong);
  CHECK(agreement.wrong == 0);
  CHECK(test::claimed_in_gaps(table, *image, pieces) == 0);
  CHECK(agreement.rows > 1000);
  CHECK(agreement.invalid_rows * 200 < agreement.rows);  // 0.5 %
}

}  // namespace

TEST_CASE("every rule of a large file is that of readelf", "[unit]") {
  SECTION("libc") { check_file(test::libc_path()); }
  SECTION("libstdc++") { check_file(library("libstdc++.so.6")); }
  SECTION("libcrypto") { check_file(library("libcrypto.so.3")); }
  SECTION("libpython") { check_file(library("libpython3.11.so.1.0")); }
  SECTION("gdb") { check_file("/usr/bin/gdb"); }
  SECTION("redis-server") { check_file("/usr/bin/redis-server"); }
  SECTION("the dynamic loader") { check_file("/lib64/ld-linux-x86-64.so.2"); }
}
