// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "probes/pattern.hpp"

using namespace callscope;

TEST_CASE("a pattern names a library and a glob", "[unit]") {
  const auto plain = FunctionPattern::parse("process*");
  REQUIRE(plain);
  CHECK(plain->matches_module("/usr/bin/x", true));
  CHECK_FALSE(plain->matches_module("/usr/lib/libc.so.6", false));
  const auto library = FunctionPattern::parse("libc:mall*");
  REQUIRE(library);
  CHECK(library->matches_module("/usr/lib/libc.so.6", false));
  CHECK_FALSE(library->matches_module("/usr/lib/libcap.so.2", false));
  CHECK(FunctionPattern::parse("libssl*:SSL_*")->matches_module("/lib/libssl.so.3", false));
  CHECK(FunctionPattern::parse("libx.so.6:f")->matches_module("/lib/libx.so.6.0.30", false));
  CHECK_FALSE(FunctionPattern::parse("libx.so.5:f")->matches_module("/lib/libx.so.6", false));
  CHECK_FALSE(FunctionPattern::parse("lib:f")->matches_module("/lib/lib.conf.so.1", false));
  CHECK(FunctionPattern::parse("/opt/a.so:f")->matches_module("/opt/a.so", false));
  CHECK_FALSE(FunctionPattern::parse(""));
  CHECK_FALSE(FunctionPattern::parse("lib:"));
  CHECK_FALSE(FunctionPattern::parse(":f"));
}

TEST_CASE("colons of C++ names part no library", "[unit]") {
  const auto pattern = FunctionPattern::parse("std::*::push_back*");
  REQUIRE(pattern);
  CHECK_FALSE(pattern->names_library());
  const auto both = FunctionPattern::parse("libx.so:ns::f");
  REQUIRE(both);
  CHECK(both->names_library());
  CHECK(both->name_glob() == "ns::f");
}

TEST_CASE("C++ names match mangled, with and without parameters", "[unit]") {
  CHECK(FunctionPattern::parse("ns::f")->matches_name("_ZN2ns1fEi"));
  CHECK(FunctionPattern::parse("ns::f(int)")->matches_name("_ZN2ns1fEi"));
  CHECK(FunctionPattern::parse("_ZN2ns*")->matches_name("_ZN2ns1fEi"));
  CHECK_FALSE(FunctionPattern::parse("ns::g")->matches_name("_ZN2ns1fEi"));
  CHECK_FALSE(FunctionPattern::parse("_Zns*")->matches_name("_ZN2ns1fEi"));
}

TEST_CASE("commas part patterns, but not inside of brackets", "[unit]") {
  CHECK(split_patterns("a,b(int, char),,c<x,y>") ==
        std::vector<std::string>{"a", "b(int, char)", "c<x,y>"});
}
