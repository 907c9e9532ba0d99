// SPDX-License-Identifier: Apache-2.0
// A shared library for tests of probe placement, with all that planning needs. Owns the file, its
// symbols and what was learned about its code; single-threaded.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "probes/function_plan.hpp"
#include "probes/module_code.hpp"
#include "symbols/module_image.hpp"
#include "symbols/module_symbols.hpp"

namespace callscope::test {

inline const PlanRules kRetSite{.best = ExitMode::kRetSite};

class SnippetModule {
 public:
  explicit SnippetModule(const std::string& path)
      : image_(open(path)),
        symbols_(ModuleSymbols::load(image_, path, {})),
        module_{path, path, "", false, &image_.image(), &symbols_.table()},
        code_(module_) {}
  SnippetModule(const SnippetModule&) = delete;
  SnippetModule& operator=(const SnippetModule&) = delete;

  [[nodiscard]] const ProbeModule& module() const { return module_; }
  ModuleCode& code() { return code_; }

  // Of all functions that match the glob, by address.
  [[nodiscard]] FindResult find(const std::string& glob) const {
    const auto pattern = FunctionPattern::parse(module_.path + ":" + glob);
    REQUIRE(pattern);
    return find_functions({&module_, 1}, {&*pattern, 1});
  }
  [[nodiscard]] FoundFunction function(const std::string& name) const {
    const FindResult found = find(name);
    INFO(name);
    REQUIRE(found.functions.size() == 1);
    return found.functions.front();
  }
  FunctionPlan plan(const std::string& name, const PlanRules& rules) {
    return plan_function(function(name), code_, rules);
  }

 private:
  static ModuleImage open(const std::string& path) {
    Result<ModuleImage> image = ModuleImage::open(path);
    INFO(path);
    REQUIRE(image);
    return std::move(*image);
  }

  ModuleImage image_;
  ModuleSymbols symbols_;
  ProbeModule module_;
  ModuleCode code_;
};

}  // namespace callscope::test
