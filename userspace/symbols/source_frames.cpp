// SPDX-License-Identifier: Apache-2.0
#include "symbols/source_frames.hpp"

#include <dwarf.h>

#include <algorithm>
#include <filesystem>
#include <unordered_map>

#include "symbols/dwarf_names.hpp"
#include "sys/clock.hpp"

namespace callscope {
namespace {

constexpr std::uint64_t kEntriesPerLook = 4096;  // between two looks at the clock

using Addrs = std::span<const std::uint64_t>;
using AddrList = std::vector<std::uint64_t>;

// An address and the functions around it, as far as they were found.
struct Place {
  std::vector<Dwarf_Die> path;  // outermost first: a function, then what is inlined there
};

class Search {
 public:
  Search(const DwarfFile& file, std::uint64_t deadline_ns, const SourceFramesHandler& found)
      : file_(file), deadline_ns_(deadline_ns), found_(found) {}

  bool run(Addrs addrs) {
    Dwarf_CU* unit = nullptr;
    Dwarf_Die top;
    std::uint8_t type = 0;
    done_.assign(addrs.size(), false);
    // No sub-DIE is asked for: libdw would open the .dwo file that a skeleton names.
    while (!ended_ &&
           ::dwarf_get_units(file_.get(), unit, &unit, nullptr, &type, &top, nullptr) == 0) {
      look_for_end();
      if (type == DW_UT_type || ::dwarf_tag(&top) == DW_TAG_invalid) continue;
      const AddrList wanted = covered(top, addrs);
      if (!wanted.empty()) read_unit(top, wanted, addrs);
    }
    return !ended_;
  }

 private:
  // Those of addrs that the ranges of the DIE cover. What the linker has thrown away claims
  // addresses from 0 on, which are no code.
  AddrList covered(Dwarf_Die& die, Addrs addrs) {
    AddrList inside;
    Dwarf_Addr base = 0;
    Dwarf_Addr begin = 0;
    Dwarf_Addr end = 0;
    for (std::ptrdiff_t next = 0; (next = ::dwarf_ranges(&die, next, &base, &begin, &end)) > 0;) {
      if (++entries_ % kEntriesPerLook == 0) look_for_end();
      if (ended_ || begin >= end) continue;
      const auto from = std::ranges::lower_bound(addrs, begin);
      if (from == addrs.end() || *from >= end || !file_.is_code(begin)) continue;
      inside.insert(inside.end(), from, std::lower_bound(from, addrs.end(), end));
    }
    std::ranges::sort(inside);
    const auto doubles = std::ranges::unique(inside);
    inside.erase(doubles.begin(), doubles.end());
    return inside;
  }

  void read_unit(Dwarf_Die& unit, const AddrList& wanted, Addrs all) {
    places_.clear();
    visit_children(unit, wanted, Look::kFunctions, 0);
    // gcc leaves methods of local classes and lambdas inside of the function around them.
    AddrList missing;
    for (const std::uint64_t addr : wanted)
      if (!places_.contains(addr)) missing.push_back(addr);
    if (!missing.empty()) visit_children(unit, missing, Look::kEverywhere, 0);
    for (const std::uint64_t addr : wanted) {
      const auto index =
          static_cast<std::size_t>(std::ranges::lower_bound(all, addr) - all.begin());
      if (done_[index]) continue;  // a unit before has told
      const SourceFrames frames = frames_at(unit, addr);
      if (frames.empty()) continue;
      done_[index] = true;
      found_(addr, frames);
    }
  }

  // Where functions are looked for: beside each other, or in functions and types as well.
  enum class Look { kFunctions, kEverywhere };

  void visit_children(Dwarf_Die& parent, Addrs wanted, Look look, int depth) {
    Dwarf_Die child;
    if (depth > kMaxDwarfDepth || ::dwarf_child(&parent, &child) != 0) return;
    do {
      if (++entries_ % kEntriesPerLook == 0) look_for_end();
      if (ended_) return;
      visit(child, wanted, look, depth + 1);
    } while (::dwarf_siblingof(&child, &child) == 0);
  }

  void visit(Dwarf_Die& die, Addrs wanted, Look look, int depth) {
    switch (::dwarf_tag(&die)) {
      case DW_TAG_subprogram:
        if (const AddrList inside = covered(die, wanted); !inside.empty()) {
          for (const std::uint64_t addr : inside) places_[addr].path = {die};
          visit_code(die, inside, depth);
        }
        if (look == Look::kEverywhere) visit_children(die, wanted, look, depth);
        return;
      case DW_TAG_namespace:
      case DW_TAG_module:
        return visit_children(die, wanted, look, depth);
      case DW_TAG_structure_type:
      case DW_TAG_class_type:
      case DW_TAG_union_type:
      case DW_TAG_lexical_block:
        if (look == Look::kEverywhere) visit_children(die, wanted, look, depth);
        return;
      default:
        return;
    }
  }

  // Inside of a function that holds the addresses: what is inlined there.
  void visit_code(Dwarf_Die& parent, const AddrList& addrs, int depth) {
    Dwarf_Die child;
    if (depth > kMaxDwarfDepth || ::dwarf_child(&parent, &child) != 0) return;
    do {
      if (++entries_ % kEntriesPerLook == 0) look_for_end();
      if (ended_) return;
      switch (::dwarf_tag(&child)) {
        case DW_TAG_inlined_subroutine:
          if (const AddrList inside = covered(child, addrs); !inside.empty()) {
            for (const std::uint64_t addr : inside) places_[addr].path.push_back(child);
            visit_code(child, inside, depth + 1);
          }
          break;
        case DW_TAG_lexical_block:
        case DW_TAG_try_block:
        case DW_TAG_catch_block:
          visit_code(child, addrs, depth + 1);
          break;
        default:
          break;
      }
    } while (::dwarf_siblingof(&child, &child) == 0);
  }

  SourceFrames frames_at(Dwarf_Die& unit, std::uint64_t addr) {
    SourceFrames frames;
    SourceFrame frame;
    set_line(frame, unit, addr);
    const auto place = places_.find(addr);
    if (place == places_.end()) {
      if (frame.line != 0 || !frame.file.empty()) frames.push_back(std::move(frame));
      return frames;
    }
    std::vector<Dwarf_Die>& path = place->second.path;
    for (std::size_t level = path.size(); level-- > 0;) {
      frame.function = name_of(path[level]);
      frames.push_back(std::move(frame));
      frame = {};
      if (level > 0) set_call(frame, unit, path[level]);
    }
    return frames;
  }

  static void set_line(SourceFrame& frame, Dwarf_Die& unit, std::uint64_t addr) {
    Dwarf_Line* const line = ::dwarf_getsrc_die(&unit, addr);
    if (line == nullptr) return;
    frame.file = path_in(unit, ::dwarf_linesrc(line, nullptr, nullptr));
    int number = 0;
    if (::dwarf_lineno(line, &number) == 0 && number > 0)
      frame.line = static_cast<std::uint32_t>(number);
  }

  // Where the function around an inlined one calls it.
  static void set_call(SourceFrame& frame, Dwarf_Die& unit, Dwarf_Die& inlined) {
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    if (::dwarf_formudata(::dwarf_attr(&inlined, DW_AT_call_line, &attribute), &value) == 0)
      frame.line = static_cast<std::uint32_t>(value);
    if (::dwarf_formudata(::dwarf_attr(&inlined, DW_AT_call_file, &attribute), &value) != 0) return;
    Dwarf_Files* files = nullptr;
    std::size_t count = 0;
    if (::dwarf_getsrcfiles(&unit, &files, &count) != 0 || value >= count) return;
    frame.file = path_in(unit, ::dwarf_filesrc(files, value, nullptr, nullptr));
  }

  // file as the compiler saw it, which may be relative to the folder that it ran in.
  static std::string path_in(Dwarf_Die& unit, const char* file) {
    if (file == nullptr) return {};
    std::filesystem::path path(file);
    Dwarf_Attribute attribute;
    const char* const folder = ::dwarf_formstring(::dwarf_attr(&unit, DW_AT_comp_dir, &attribute));
    if (path.is_relative() && folder != nullptr) path = folder / path;
    return path.lexically_normal().string();
  }

  const std::string& name_of(Dwarf_Die& function) {
    Dwarf_Attribute attribute;
    Dwarf_Die origin;
    if (::dwarf_formref_die(::dwarf_attr(&function, DW_AT_abstract_origin, &attribute), &origin) ==
        nullptr)
      origin = function;
    // Of constructors the origin has the name of all kinds together (C4), the code that of its own.
    const bool named = ::dwarf_hasattr(&function, DW_AT_linkage_name) != 0;
    Dwarf_Die& namer = named ? function : origin;
    const auto [known, added] = names_of_.try_emplace(namer.addr);
    if (!added) return known->second;
    known->second = DwarfNames::linker_name(namer);
    if (known->second.empty()) known->second = names_.source_name(namer);
    return known->second;
  }

  void look_for_end() { ended_ = ended_ || monotonic_ns() > deadline_ns_; }

  const DwarfFile& file_;
  std::uint64_t deadline_ns_;
  const SourceFramesHandler& found_;
  std::vector<bool> done_;                                 // by index into the addresses asked for
  std::unordered_map<std::uint64_t, Place> places_;        // of the unit at hand
  std::unordered_map<const void*, std::string> names_of_;  // by where the DIE lies in memory
  DwarfNames names_;
  std::uint64_t entries_ = 0;
  bool ended_ = false;
};

}  // namespace

bool find_source_frames(const DwarfFile& file, std::span<const std::uint64_t> addrs,
                        std::uint64_t deadline_ns, const SourceFramesHandler& found) {
  return Search(file, deadline_ns, found).run(addrs);
}

}  // namespace callscope
