// SPDX-License-Identifier: Apache-2.0
#include "probes/pattern.hpp"

#include <fnmatch.h>

#include "symbols/demangle.hpp"

namespace callscope {
namespace {

bool glob_matches(const std::string& glob, const std::string& text) {
  return glob == text || ::fnmatch(glob.c_str(), text.c_str(), 0) == 0;
}

// Position of the colon that parts library and function: not one of a "::".
std::size_t library_colon(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ':') continue;
    if (i + 1 < text.size() && text[i + 1] == ':') {
      ++i;
      continue;
    }
    return i;
  }
  return std::string_view::npos;
}

}  // namespace

Result<FunctionPattern> FunctionPattern::parse(std::string_view text) {
  FunctionPattern pattern;
  pattern.text_ = text;
  const std::size_t colon = library_colon(text);
  if (colon != std::string_view::npos) pattern.library_ = text.substr(0, colon);
  pattern.name_ = colon == std::string_view::npos ? text : text.substr(colon + 1);
  if (pattern.name_.empty() || colon == 0)
    return fail(ErrorCode::kUsage, "'" + std::string(text) + "' names no function",
                "use GLOB or LIB:GLOB, for example 'process*' or 'libc.so.6:malloc'");
  return pattern;
}

bool FunctionPattern::matches_module(std::string_view path, bool main) const {
  if (library_.empty()) return main;
  if (glob_matches(library_, std::string(path))) return true;
  // libx.so.6.0.30 is also libx.so.6 (its SONAME, by custom), libx.so and libx.
  std::string file(path.substr(path.rfind('/') + 1));
  const std::size_t stem_end = file.find(".so");
  for (;;) {
    if (glob_matches(library_, file)) return true;
    const std::size_t dot = file.rfind('.');
    if (stem_end == std::string::npos || dot == std::string::npos || dot < stem_end) return false;
    file.resize(dot);
  }
}

bool FunctionName::is_mangled() const {
  return linker_.starts_with("_Z") || linker_.starts_with("_R");
}

const std::string& FunctionName::full() {
  if (!full_) full_ = demangle(linker_, DemangleLevel::kFull);
  return *full_;
}

const std::string& FunctionName::simple() {
  if (!simple_) simple_ = demangle(linker_, DemangleLevel::kSimple);
  return *simple_;
}

bool FunctionPattern::matches_name(FunctionName& name) const {
  if (glob_matches(name_, name.linker())) return true;
  if (!name.is_mangled() || name_.starts_with("_Z")) return false;  // that is no name for people
  return glob_matches(name_, name.full()) || glob_matches(name_, name.simple());
}

bool FunctionPattern::matches_name(std::string_view linker_name) const {
  FunctionName name(linker_name);
  return matches_name(name);
}

std::vector<std::string> split_patterns(std::string_view list) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (const char c : list) {
    if (c == '(' || c == '<') ++depth;
    if ((c == ')' || c == '>') && depth > 0) --depth;
    if (c == ',' && depth == 0)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  std::erase(parts, "");
  return parts;
}

}  // namespace callscope
