// SPDX-License-Identifier: Apache-2.0
// Inlined copies by name as readelf tells, without libdw: its text is parsed here. For tests only.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tests/unit/symbols/sample_file.hpp"

namespace callscope::test {

struct OracleEntry {
  std::string tag;
  std::string name;
  std::string linker_name;
  std::string origin;            // offset of DW_AT_abstract_origin, hex
  std::string specification;     // of DW_AT_specification
  std::uint64_t entry_addr = 0;  // of DW_AT_entry_pc or DW_AT_low_pc
  bool has_ranges = false;       // a few copies have nothing else to say where they are
  std::string owner;             // offset of the function that it lies in

  [[nodiscard]] bool live() const { return entry_addr > 0xfff || (entry_addr == 0 && has_ranges); }
};

// The value of a readelf line "<offset> DW_AT_x : (form) (alt ...): value".
inline std::string oracle_value(const std::string& line) {
  const std::size_t indirect = line.rfind("): ");
  const std::size_t colon = line.find(": ");
  std::string value = line.substr(indirect == std::string::npos ? colon + 2 : indirect + 3);
  value.erase(0, value.find_first_not_of(' '));
  value.erase(value.find_last_not_of(" \t") + 1);
  return value;
}

inline std::string oracle_reference(const std::string& value) {  // "<0x4f>" or "<4f>"
  std::string hex = value.substr(value.find('<') + 1);
  hex = hex.substr(0, hex.find('>'));
  return hex.starts_with("0x") ? hex.substr(2) : hex;
}

inline std::map<std::string, OracleEntry> oracle_entries(const std::string& path) {
  std::map<std::string, OracleEntry> entries;
  OracleEntry* entry = nullptr;
  std::map<std::size_t, std::string> owners;  // by depth
  for (const std::string& line : lines_of(run_tool("readelf -W --debug-dump=info " + path))) {
    const std::size_t tag = line.find("(DW_TAG_");
    if (tag != std::string::npos) {
      const std::size_t second = line.find('<', line.find('<') + 1);
      const std::string offset = oracle_reference(line.substr(second));
      const std::size_t depth = std::stoul(line.substr(line.find('<') + 1), nullptr, 16);
      entry = &entries[offset];
      entry->tag = line.substr(tag + 1, line.find(')', tag) - tag - 1);
      owners.erase(owners.lower_bound(depth), owners.end());
      if (!owners.empty()) entry->owner = owners.rbegin()->second;
      if (entry->tag == "DW_TAG_subprogram") owners[depth] = offset;
    }
    if (entry == nullptr || tag != std::string::npos) continue;
    const auto words = words_of(line);
    if (words.size() < 3) continue;
    const std::string attribute = words[1].substr(0, words[1].find(':'));
    if (attribute == "DW_AT_name") entry->name = oracle_value(line);
    if (attribute == "DW_AT_linkage_name") entry->linker_name = oracle_value(line);
    if (attribute == "DW_AT_abstract_origin") entry->origin = oracle_reference(oracle_value(line));
    if (attribute == "DW_AT_specification")
      entry->specification = oracle_reference(oracle_value(line));
    if (attribute == "DW_AT_ranges") entry->has_ranges = true;
    if (attribute == "DW_AT_entry_pc" || attribute == "DW_AT_low_pc")
      entry->entry_addr = std::stoull(words.back(), nullptr, 16);
  }
  return entries;
}

// Copies whose code is there, by linker name, or by the plain name without its namespaces.
inline std::map<std::string, std::uint64_t> oracle_copies(const std::string& path) {
  const auto entries = oracle_entries(path);
  const auto name_of = [&](const std::string& offset) {
    std::string name;
    for (std::string at = offset; !at.empty() && entries.contains(at);) {
      const OracleEntry& entry = entries.at(at);
      if (!entry.linker_name.empty()) return entry.linker_name;
      if (name.empty()) name = entry.name;
      at = entry.origin.empty() ? entry.specification : entry.origin;
    }
    return name;
  };
  // Of units that tell of the same code, by an address, one is taken.
  std::map<std::uint64_t, std::string> first_owner;
  for (const auto& [offset, entry] : entries)
    if (entry.tag == "DW_TAG_subprogram" && entry.live())
      first_owner.try_emplace(entry.entry_addr, offset);
  std::map<std::string, std::uint64_t> copies;
  for (const auto& [offset, entry] : entries) {
    if (entry.tag != "DW_TAG_inlined_subroutine" || !entry.live()) continue;
    const auto first = first_owner.find(entries.at(entry.owner).entry_addr);
    if (first != first_owner.end() && first->second == entry.owner) ++copies[name_of(entry.origin)];
  }
  return copies;
}

}  // namespace callscope::test
