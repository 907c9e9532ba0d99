// SPDX-License-Identifier: Apache-2.0
#include "collect/inlined_notes.hpp"

#include <fmt/format.h>

#include <set>
#include <string_view>
#include <unordered_map>

#include "collect/list_note.hpp"
#include "symbols/demangle.hpp"

namespace callscope {
namespace {

constexpr std::size_t kLongLines = 3;  // functions that get a line each before there is a list

std::string display(const std::string& name) { return demangle(name, DemangleLevel::kSimple); }

std::string places(std::uint64_t copies) {
  return fmt::format("{} place{}", copies, copies == 1 ? "" : "s");
}

std::string callers_of(const InlinedFunction& function) {
  std::string text;
  for (const std::string& caller : function.callers)
    text += (text.empty() ? "" : ", ") + display(caller);
  return text.empty() ? "its callers" : text;
}

// The probed functions of one module, by what may tell that one of them is an inlined function.
class ProbedFunctions {
 public:
  ProbedFunctions(Recording& recording, const ModuleInlines& module) {
    for (FunctionStats& stats : recording.functions) {
      const Module& home = recording.modules[stats.module];
      if (home.path != module.path || home.build_id != module.build_id) continue;
      by_addr_.emplace(stats.addr, &stats);
      by_name_.emplace(stats.name, &stats);
      for (const std::string& alias : stats.aliases) by_name_.emplace(alias, &stats);
    }
  }

  // Its own code, its clones, and functions of its name.
  [[nodiscard]] std::set<FunctionStats*> of(const InlinedFunction& function) const {
    std::set<FunctionStats*> found;
    for (const std::uint64_t addr : function.code)
      if (const auto hit = by_addr_.find(addr); hit != by_addr_.end()) found.insert(hit->second);
    for (const std::string& name : {function.linker_name, function.name}) {
      const auto [first, last] = by_name_.equal_range(name);
      for (auto hit = first; hit != last; ++hit) found.insert(hit->second);
    }
    return found;
  }

 private:
  std::unordered_map<std::uint64_t, FunctionStats*> by_addr_;
  std::unordered_multimap<std::string_view, FunctionStats*> by_name_;  // views into the recording
};

class Notes {
 public:
  explicit Notes(Recording& recording) : recording_(recording) {}

  void add(const ModuleInlines& module) {
    if (!module.found) {
      unknown_.emplace_back(module.path, module.found.error().message());
      return;
    }
    if (!module.found->complete)
      unknown_.emplace_back(module.path, "there was no time to read all of it");
    else if (module.found->unread_units != 0)
      unknown_.emplace_back(
          module.path, fmt::format("{} units of it could not be read", module.found->unread_units));
    const ProbedFunctions probed(recording_, module);
    for (const InlinedFunction& function : module.found->functions)
      add(probed.of(function), function);
  }

  void write() {
    std::vector<std::string>& notes = recording_.notes;
    if (!partly_.empty())
      notes.push_back(list_note("inlined, too, and not seen there", "function", partly_));
    if (everywhere_.size() > kLongLines) {
      NamedReasons items;
      for (const InlinedFunction* const function : everywhere_)
        items.emplace_back(display(function->best_name()),
                           places(function->copies) + " in " + callers_of(*function));
      notes.push_back(list_note("inlined everywhere, cannot be probed", "function", items));
    } else {
      for (const InlinedFunction* const function : everywhere_)
        notes.push_back(fmt::format(
            "'{}' is inlined everywhere ({}) and has no code of its own: it cannot be "
            "probed; mark it noinline, or probe {}",
            display(function->best_name()), places(function->copies), callers_of(*function)));
    }
    if (!unknown_.empty())
      notes.push_back(list_note("what was inlined is not all told", "file", unknown_));
  }

 private:
  void add(const std::set<FunctionStats*>& probed, const InlinedFunction& function) {
    for (FunctionStats* const stats : probed) stats->inlined_copies += function.copies;
    if (!probed.empty())
      partly_.emplace_back(display(function.best_name()), places(function.copies));
    else if (function.code.empty())
      everywhere_.push_back(&function);
  }

  Recording& recording_;
  NamedReasons partly_;
  std::vector<const InlinedFunction*> everywhere_;
  NamedReasons unknown_;
};

}  // namespace

void apply_inlined(std::span<const ModuleInlines> modules, Recording& recording) {
  for (FunctionStats& stats : recording.functions) stats.inlined_copies = 0;
  Notes notes(recording);
  for (const ModuleInlines& module : modules) notes.add(module);
  notes.write();
}

}  // namespace callscope
