// SPDX-License-Identifier: Apache-2.0
// What -f asks for: "GLOB" in the target's executable or "LIB:GLOB" in its libraries. Globs follow
// fnmatch(3) and are tried on the linker name and on the demangled name, with and without
// parameters. Plain values: each for one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callscope/error.hpp"

namespace callscope {

// A linker name and what it demangles to, found out once, when a pattern asks.
class FunctionName {
 public:
  explicit FunctionName(std::string_view linker_name) : linker_(linker_name) {}

  [[nodiscard]] bool is_mangled() const;
  [[nodiscard]] const std::string& linker() const { return linker_; }
  const std::string& full();
  const std::string& simple();  // without parameters

 private:
  std::string linker_;
  std::optional<std::string> full_;
  std::optional<std::string> simple_;
};

class FunctionPattern {
 public:
  // kUsage for an empty glob or library.
  static Result<FunctionPattern> parse(std::string_view text);

  // path: the module's path; main: it is the target's executable. A library is named by its file
  // name ("libc.so.6", "libssl*"), the name without ".so..." ("libc"), or its whole path.
  [[nodiscard]] bool matches_module(std::string_view path, bool main) const;
  [[nodiscard]] bool matches_name(std::string_view linker_name) const;
  [[nodiscard]] bool matches_name(FunctionName& name) const;  // for many patterns
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::string& name_glob() const { return name_; }
  [[nodiscard]] bool names_library() const { return !library_.empty(); }

 private:
  std::string text_;
  std::string library_;  // empty: the executable
  std::string name_;
};

// "a,b(int, char),c" to {"a", "b(int, char)", "c"}: commas inside brackets do not part.
std::vector<std::string> split_patterns(std::string_view list);

}  // namespace callscope
