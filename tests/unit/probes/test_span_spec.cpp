// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "probes/span_spec.hpp"

using callscope::add_span;
using callscope::ErrorCode;
using callscope::FunctionPoint;
using callscope::Result;
using callscope::SpanPoint;
using callscope::SpanRequest;
using callscope::SpanSpec;
using callscope::UsdtPattern;

namespace {

SpanSpec parsed(const std::string& text) {
  SpanRequest request;
  const Result<void> added = add_span(request, text);
  INFO(text << (added ? "" : ": " + added.error().message()));
  REQUIRE(added);
  REQUIRE(request.spans.size() == 1);
  return request.spans.front();
}

const FunctionPoint& function(const SpanPoint& point) {
  return std::get<FunctionPoint>(point.place);
}

std::string refusal(const std::string& text) {
  SpanRequest request;
  const Result<void> added = add_span(request, text);
  INFO(text);
  REQUIRE_FALSE(added);
  CHECK(added.error().code == ErrorCode::kUsage);
  CHECK(request.empty());
  return added.error().what;
}

}  // namespace

TEST_CASE("a span goes from an entry to an exit unless it says otherwise", "[unit]") {
  const SpanSpec plain = parsed("job=submit..finish");
  CHECK(plain.name == "job");
  CHECK(plain.argument == 0);
  CHECK(function(plain.from).pattern.text() == "submit");
  CHECK_FALSE(function(plain.from).at_exit);
  CHECK(function(plain.to).pattern.text() == "finish");
  CHECK(function(plain.to).at_exit);
  const SpanSpec turned = parsed("job=submit@exit..finish@entry:arg3");
  CHECK(function(turned.from).at_exit);
  CHECK_FALSE(function(turned.to).at_exit);
  CHECK(turned.argument == 3);
  CHECK(turned.from.text == "submit@exit");
}

TEST_CASE("points may be markers, functions of libraries and of C++", "[unit]") {
  const SpanSpec markers = parsed("catch=usdt:libstdcxx:throw..usdt:libstdcxx:catch:arg2");
  CHECK(std::get<UsdtPattern>(markers.from.place).text() == "usdt:libstdcxx:throw");
  CHECK(std::get<UsdtPattern>(markers.to.place).text() == "usdt:libstdcxx:catch");
  CHECK(markers.argument == 2);
  const SpanSpec library = parsed("m=libc.so.6:malloc..libc.so.6:free@entry");
  CHECK(function(library.from).pattern.names_library());
  CHECK(function(library.to).pattern.name_glob() == "free");
  const SpanSpec cpp = parsed("q=Queue::push(Job&&, int)..run<int...>(int...)");
  CHECK(function(cpp.from).pattern.text() == "Queue::push(Job&&, int)");
  CHECK(function(cpp.to).pattern.text() == "run<int...>(int...)");
  const SpanSpec operators = parsed("eq=Job::operator==..Job::operator=");
  CHECK(operators.name == "eq");
  CHECK(function(operators.from).pattern.text() == "Job::operator==");
}

TEST_CASE("a text without '=' is a glob on the program's own spans", "[unit]") {
  SpanRequest request;
  REQUIRE(add_span(request, "parse*"));
  REQUIRE(add_span(request, "render 1.5"));
  CHECK(request.spans.empty());
  CHECK(request.named == std::vector<std::string>{"parse*", "render 1.5"});
}

TEST_CASE("what is no span is refused with the reason", "[unit]") {
  CHECK(refusal("").find("it is empty") != std::string::npos);
  CHECK(refusal("submit..finish").find("it has no name") != std::string::npos);
  CHECK(refusal("usdt:a:b").find("has no end") != std::string::npos);
  CHECK(refusal("=a..b").find("its name is empty") != std::string::npos);
  CHECK(refusal("job=submit").find("no '..'") != std::string::npos);
  CHECK(refusal("job=submit...finish").find("no '..'") != std::string::npos);
  CHECK(refusal("job=a..b:arg0").find("no argument 0") != std::string::npos);
  CHECK(refusal("job=a..b:arg13").find("no argument 13") != std::string::npos);
  CHECK(refusal("job=a..b:arg99999999999").find("no argument") != std::string::npos);
  CHECK(refusal("job=a..b:arg7").find("arg1 to arg6") != std::string::npos);
  CHECK(refusal("job=a..").find("names no function") != std::string::npos);
  CHECK(refusal("job=..b").find("names no function") != std::string::npos);
  CHECK(refusal("job=@exit..b").find("names no function") != std::string::npos);
  CHECK(refusal("job=usdt:x..b").find("names no marker") != std::string::npos);
}

TEST_CASE("two spans cannot have one name", "[unit]") {
  SpanRequest request;
  REQUIRE(add_span(request, "job=a..b"));
  CHECK_FALSE(add_span(request, "job=c..d"));
  CHECK(request.spans.size() == 1);
}
