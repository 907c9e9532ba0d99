// SPDX-License-Identifier: Apache-2.0
// Catch's main with skips: a selected test whose needs this kernel lacks does not run; its name and
// the reason are printed. Exit status: 0 all passed, 1 a failure, 77 nothing failed but something
// was skipped (SKIP_RETURN_CODE of the ctest entries).
//   --way NAME             tests tagged [ways] take only this one
//   --write-features FILE  tries what the kernel has, for CALLSCOPE_FEATURES of later runs; no test
#define CATCH_CONFIG_RUNNER
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "features.hpp"
#include "ways.hpp"

namespace {

using namespace callscope;
using test::Features;
using test::Way;

constexpr int kFailed = 1;
constexpr int kSkipped = 77;

bool has_tag(const Catch::TestCaseInfo& test, const std::string& tag) {
  return std::ranges::find(test.tags, tag) != test.tags.end();
}

// A test name as Catch's command line takes it.
std::string escaped(const std::string& name) {
  std::string text;
  for (const char c : name) {
    if (c == ',' || c == '[' || c == ']' || c == '\\') text += '\\';
    text += c;
  }
  return text;
}

class KernelTests {
 public:
  int run(int argc, char** argv) {
    using Catch::clara::Opt;
    session_.cli(session_.cli() | Opt(way_, "name")["--way"]("the only way that [ways] takes") |
                 Opt(features_file_, "file")["--write-features"]("say what the kernel has"));
    if (session_.applyCommandLine(argc, argv) != 0) return kFailed;
    const Catch::ConfigData& config = session_.configData();
    if (config.showHelp || config.listTests || config.listTags || config.listReporters ||
        config.listTestNamesOnly)
      return session_.run();
    const Result<Features> features = find_features();
    if (!features) return failed(features.error().message());
    if (!features_file_.empty()) {
      const Result<void> saved = features->save(features_file_);
      return saved ? 0 : failed(saved.error().message());
    }
    return run_tests(*features);
  }

 private:
  static int failed(const std::string& message) {
    std::cerr << message << std::endl;
    return kFailed;
  }

  Result<Features> find_features() const {
    const char* const file = std::getenv("CALLSCOPE_FEATURES");
    if (file == nullptr || !features_file_.empty()) return Features::probe();
    return Features::load(file);
  }

  void skip(const std::string& name, const std::string& reason) {
    std::cout << "skipped: " << name << "\n    " << reason << std::endl;
    skipped_ = true;
  }

  // Keeps the ways that this kernel has. False when --way names none.
  bool choose_ways(const Features& features) {
    std::vector<Way> chosen;
    std::vector<std::pair<std::string, std::string>> lacking;  // name of the way, reason
    for (const Way& way : test::all_ways()) {
      if (!way_.empty() && way.name != way_) continue;
      if (const auto reason = features.missing(way))
        lacking.emplace_back(way.name, *reason);
      else
        chosen.push_back(way);
    }
    if (chosen.empty() && lacking.empty()) return false;
    if (chosen.empty())
      no_way_ = lacking.front().second;
    else
      for (const auto& [name, reason] : lacking) skip("way " + name, reason);
    test::choose_ways(std::move(chosen));
    return true;
  }

  std::optional<std::string> missing(const Features& features,
                                     const Catch::TestCaseInfo& test) const {
    if (has_tag(test, "long") && std::getenv("CALLSCOPE_FEWER_CALLS") != nullptr)
      return "takes minutes on an emulated machine";
    for (const std::string& tag : test.tags)
      if (std::optional<std::string> reason = features.missing(tag)) return reason;
    return has_tag(test, "ways") ? no_way_ : std::nullopt;
  }

  int run_tests(const Features& features) {
    const Catch::Config& config = session_.config();
    const std::vector<Catch::TestCase> selected =
        Catch::filterTests(Catch::getAllTestCasesSorted(config), config.testSpec(), config);
    if (selected.empty()) return failed("no such test");  // Catch calls that a success
    const bool any_takes_ways =
        std::ranges::any_of(selected, [](const auto& test) { return has_tag(test, "ways"); });
    if (any_takes_ways && !choose_ways(features)) return failed("no such way: " + way_);
    std::string runnable;
    for (const Catch::TestCase& test : selected) {
      if (const auto reason = missing(features, test))
        skip(test.name, *reason);
      else
        runnable += escaped(test.name) + ",";
    }
    if (runnable.empty()) return kSkipped;
    Catch::ConfigData narrowed = session_.configData();
    narrowed.testsOrTags = {runnable};
    session_.useConfigData(narrowed);
    // Catch returns the number of failures, which might be the status for a skip.
    if (session_.run() != 0) return kFailed;
    return skipped_ ? kSkipped : 0;
  }

  Catch::Session session_;
  std::string way_;
  std::string features_file_;
  std::optional<std::string> no_way_;  // why none that may be taken is here
  bool skipped_ = false;
};

}  // namespace

int main(int argc, char** argv) { return KernelTests().run(argc, argv); }
