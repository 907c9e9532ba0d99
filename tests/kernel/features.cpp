// SPDX-License-Identifier: Apache-2.0
#include "features.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <utility>

namespace callscope::test {
namespace {

struct Need {
  std::string_view tag;
  std::string_view mechanism;  // its name in probe_mechanisms()
};
constexpr std::array kNeeds{
    Need{"session", "uprobe session"},       Need{"multi", "uprobe_multi"},
    Need{"perf-event", "perf-event uprobe"}, Need{"sampling", "CPU sampling in BPF"},
    Need{"cycles", "hardware cycles event"},
};

}  // namespace

Result<Features> Features::create(std::vector<Mechanism> mechanisms) {
  for (const Need& need : kNeeds)
    if (std::ranges::find(mechanisms, need.mechanism, &Mechanism::name) == mechanisms.end())
      return fail(ErrorCode::kInternal,
                  "nothing is known of '" + std::string(need.mechanism) + "', which tests need",
                  "features.cpp must name it as probe_mechanisms does");
  return Features(std::move(mechanisms));
}

Result<Features> Features::probe() { return create(probe_mechanisms()); }

// One mechanism a line: name, yes or no, detail, separated by tabs.
Result<Features> Features::load(const std::string& path) {
  std::ifstream file(path);
  std::vector<Mechanism> mechanisms;
  for (std::string name, available, detail; std::getline(file, name, '\t') &&
                                            std::getline(file, available, '\t') &&
                                            std::getline(file, detail);)
    mechanisms.push_back({name, available == "yes", detail});
  return create(std::move(mechanisms));
}

Result<void> Features::save(const std::string& path) const {
  std::ofstream file(path);
  for (const Mechanism& mechanism : mechanisms_)
    file << mechanism.name << '\t' << (mechanism.available ? "yes" : "no") << '\t'
         << mechanism.detail << '\n';
  file.close();
  if (!file) return fail(ErrorCode::kIo, "cannot write " + path, {}, errno);
  return {};
}

std::optional<std::string> Features::missing(std::string_view tag) const {
  const auto* const need = std::ranges::find(kNeeds, tag, &Need::tag);
  if (need == kNeeds.end()) return std::nullopt;
  return lack_of(need->mechanism);
}

std::optional<std::string> Features::missing(const Way& way) const {
  return lack_of(mechanism_name(way.mechanism));
}

std::optional<std::string> Features::lack_of(std::string_view mechanism) const {
  const auto found = std::ranges::find(mechanisms_, mechanism, &Mechanism::name);
  if (found->available) return std::nullopt;
  return "needs " + found->name + ": " + found->detail;
}

}  // namespace callscope::test
