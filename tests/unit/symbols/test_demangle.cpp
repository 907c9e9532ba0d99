// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>

#include "symbols/demangle.hpp"
#include "symbols/simple_name.hpp"
#include "tests/unit/symbols/sample_file.hpp"

using namespace callscope;
using namespace callscope::test;

namespace {

std::string simple(std::string_view name) { return demangle(name, DemangleLevel::kSimple); }
std::string full(std::string_view name) { return demangle(name, DemangleLevel::kFull); }

std::vector<std::string> libstdcxx_names() {
  std::string path;
  for (const std::string& line :
       lines_of(run_tool("cat /proc/" + std::to_string(::getpid()) + "/maps")))
    if (line.find("libstdc++.so.6") != std::string::npos) path = words_of(line).back();
  REQUIRE_FALSE(path.empty());
  std::vector<std::string> names;
  for (const std::string& line : lines_of(run_tool("nm -D --defined-only " + path))) {
    const std::string name = words_of(line).back();
    if (name.starts_with("_Z")) names.push_back(name.substr(0, name.find('@')));
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

TEST_CASE("full names agree with c++filt on all of libstdc++", "[unit]") {
  const TempDir dir;
  const auto names = libstdcxx_names();
  REQUIRE(names.size() > 1000);
  {
    std::ofstream out(dir.file("names"));
    for (const std::string& name : names) out << name << "\n";
  }
  const auto oracle = lines_of(run_tool("c++filt -i < " + dir.file("names")));
  REQUIRE(oracle.size() == names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    if (full(names[i]) != oracle[i]) CHECK(full(names[i]) == oracle[i]);
}

TEST_CASE("simple names of libstdc++ have no parameters and balanced brackets", "[unit]") {
  std::size_t functions = 0;
  for (const std::string& name : libstdcxx_names()) {
    if (name.starts_with("_ZT")) continue;  // tables, not functions
    ++functions;
    const std::string text = simple(name);
    INFO(name << " gave " << text);
    CHECK(text.find("  ") == std::string::npos);
    if (text.find("operator") != std::string::npos) continue;
    if (text.find_first_of("<>") != std::string::npos) FAIL_CHECK("angle bracket left");
    std::string rest = text;
    for (const std::string keep : {"(anonymous namespace)", "{lambda()#1}"})
      if (const auto at = rest.find(keep); at != std::string::npos) rest.erase(at, keep.size());
    if (rest.find_first_of("(){}") != std::string::npos) FAIL_CHECK("bracket left");
  }
  CHECK(functions > 1000);
}

TEST_CASE("C++ names are shortened without harm to operators and lambdas", "[unit]") {
  const std::vector<std::array<const char*, 2>> cases = {
      {"_ZN3foo3barEi", "foo::bar"},
      {"_ZStlsIwSt11char_traitsIwEERSt13basic_ostreamIT_T0_ES6_PKc", "std::operator<<"},
      {"_ZNKSt8functionIFviEEclEi", "std::function::operator()"},
      {"_ZN1AltIiEEbT_", "A::operator<"},
      {"_ZN1AltERKS_", "A::operator<"},
      {"_ZN1AgtIiEEbT_", "A::operator>"},
      {"_ZN1ArsIiEEvT_", "A::operator>>"},
      {"_ZNK1AssERKS_", "A::operator<=>"},
      {"_ZN1AptEv", "A::operator->"},
      {"_ZN1ApmIiEEvT_", "A::operator->*"},
      {"_ZN1AixEm", "A::operator[]"},
      {"_ZN1AcvbEv", "A::operator bool"},
      {"_ZN1AcvmEv", "A::operator unsigned long"},
      {"_ZN1AcvSt6vectorIiSaIiEEEv", "A::operator std::vector"},
      {"_Znwm", "operator new"},
      {"_ZdaPv", "operator delete[]"},
      {"_Zli2_xy", "operator\"\" _x"},
      {"_ZZ4mainENKUliE_clEi", "main::{lambda()#1}::operator()"},
      {"_ZZNK1A1fEvENKUlvE_clEv", "A::f::{lambda()#1}::operator()"},
      {"_ZZ3fooIiEvT_ENKUlvE_clEv", "foo::{lambda()#1}::operator()"},
      {"_ZN12_GLOBAL__N_13barEi", "(anonymous namespace)::bar"},
      {"_ZThn8_N1A1fEv", "non-virtual thunk to A::f"},
      {"_ZN3FooB5cxx11Ev", "Foo"},
      {"_ZN1AD0Ev", "A::~A"},
      {"_ZN3foo3barEv.cold", "foo::bar"},
      {"_ZN3foo3barEv.constprop.0.isra.1", "foo::bar"},
      {"quicksort.part.0", "quicksort"},
      {"runtime.main", "runtime.main"},
      {"main", "main"},
      {"", ""}};
  for (const auto& [name, expected] : cases) CHECK(simple(name) == expected);
}

TEST_CASE("full names keep clone suffixes and parameters", "[unit]") {
  CHECK(full("_ZN3foo3barEv.cold") == "foo::bar() [clone .cold]");
  CHECK(full("_ZNSt6vectorIiSaIiEE9push_backERKi") ==
        "std::vector<int, std::allocator<int> >::push_back(int const&)");
  CHECK(full("quicksort.part.0") == "quicksort.part.0");
  CHECK(demangle("_ZN3foo3barEv", DemangleLevel::kNone) == "_ZN3foo3barEv");
}

TEST_CASE("Rust names of both manglings are read", "[unit]") {
  const char* const v0_generic =
      "_RINvMNtNtCsgEmfK2I1SDS_4core3fmt2rtNtB3_8Argument11new_displaydECs6xxl1lAjzDf_1a";
  CHECK(full(v0_generic) == "<core::fmt::rt::Argument>::new_display::<f64>");
  CHECK(simple(v0_generic) == "<core::fmt::rt::Argument>::new_display");
  const char* const v0_closure = "_RINvNtCs6xxl1lAjzDf_1a6shapes5applyNCNvB4_4main0EB4_";
  CHECK(full(v0_closure) == "a::shapes::apply::<a::main::{closure#0}>");
  CHECK(simple(v0_closure) == "a::shapes::apply");
  CHECK(simple("_ZN1a4main28_$u7b$$u7b$closure$u7d$$u7d$17h279d7e8c14263b83E") ==
        "a::main::{{closure}}");
  const char* const legacy_drop =
      "_ZN4core3ptr35drop_in_place$LT$std..env..Args$GT$17h721a76565333cc5dE";
  CHECK(full(legacy_drop) == "core::ptr::drop_in_place<std::env::Args>");
  CHECK(simple(legacy_drop) == "core::ptr::drop_in_place");
  CHECK(simple_rust_name("<alloc::vec::Vec<T> as core::ops::Drop>::drop") ==
        "<alloc::vec::Vec as core::ops::Drop>::drop");
  CHECK(simple_rust_name("<a::Sq<f32> as a::Area>::twice::<fn(u8) -> u8>") ==
        "<a::Sq as a::Area>::twice");
  CHECK(simple_rust_name("a::f<b") == "a::f<b");
}

TEST_CASE("names whose brackets do not match stay as they are", "[unit]") {
  CHECK(simple_cpp_name("f<int") == "f<int");
  CHECK(simple_cpp_name("f(int") == "f(int");
  CHECK(simple_cpp_name("{lambda") == "{lambda");
  CHECK(simple_cpp_name("(*f(int))(char)") == "(*f(int))(char)");
  CHECK(simple_cpp_name("") == "");
}

TEST_CASE("huge and hostile names neither crash nor explode", "[unit]") {
  // A template nested deeper than libiberty's default limit allows.
  std::string deep = "_Z1f";
  for (int i = 0; i < 4000; ++i) deep += "1AI";
  CHECK((full(deep) == deep));  // not a valid name
  const std::string pointers = "_Z1f" + std::string(60000, 'P') + "i";
  CHECK((full(pointers) == pointers));  // libiberty prints at most 1024 levels
  // More bytes than libiberty's default limit of 1024, but no deeper than it prints.
  std::string mangled = "_ZN";
  std::string plain;
  for (int i = 0; i < 900; ++i) {
    mangled += "4abcd";
    plain += "abcd::";
  }
  CHECK((full(mangled + "1fEv") == plain + "f()"));
  CHECK((simple(mangled + "1fEv") == plain + "f"));
  CHECK((full("_Z1f" + std::string(70000, 'P') + "i").size() == 70005));  // left as it is

  // Each pair doubles the text: 2^40 bytes if it were written out.
  std::string bomb = "_Z1f1AIiE";
  std::string previous = "S_";
  for (int i = 0; i < 40; ++i) {
    bomb += "St4pairI" + previous + previous + "E";
    static constexpr char kDigits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const int index = 2 * i + 2;  // a pair makes two: its template and itself
    previous = "S" +
               (index < 36 ? std::string(1, kDigits[index])
                           : std::string{kDigits[index / 36], kDigits[index % 36]}) +
               "_";
  }
  CHECK((full(bomb) == bomb));
  CHECK(simple(bomb) == "f");
  for (std::size_t size = 0; size < bomb.size(); ++size)
    simple(std::string_view(bomb).substr(0, size));
}

TEST_CASE("a recording is demangled in place and equal aliases are merged", "[unit]") {
  Recording recording;
  recording.frames = {{0, 0, 1, "_ZN3foo3barEv", 0}, {1, 0, 2, "", 0}, {2, 0, 3, "main", 0}};
  FunctionStats function;
  function.name = "_ZN1AC1Ev";
  function.aliases = {"_ZN1AC2Ev", "plain_alias", "_ZN1BC1Ev", "_ZN1BC2Ev"};
  recording.functions = {function};
  demangle_names(recording, DemangleLevel::kSimple);
  CHECK(recording.frames[0].function == "foo::bar");
  CHECK(recording.frames[1].function.empty());
  CHECK(recording.frames[2].function == "main");
  CHECK(recording.functions[0].name == "A::A");
  CHECK(recording.functions[0].aliases == std::vector<std::string>{"plain_alias", "B::B"});
}
