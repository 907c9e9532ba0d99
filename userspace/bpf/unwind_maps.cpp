// SPDX-License-Identifier: Apache-2.0
#include "bpf/unwind_maps.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "bpf/libbpf_error.hpp"
#include "sys/clock.hpp"

namespace callscope {
namespace {

constexpr std::size_t kRowPairBytes = CS_UNWIND_ROW_PAIR * sizeof(cs_unwind_row);

Result<Fd> make_map(bpf_map_type type, const char* name, std::size_t value_bytes,
                    std::uint32_t elements) {
  bpf_map_create_opts options{};
  options.sz = sizeof(options);
  if (type == BPF_MAP_TYPE_ARRAY) options.map_flags = BPF_F_MMAPABLE;
  Fd fd(::bpf_map_create(type, name, sizeof(std::uint32_t), static_cast<std::uint32_t>(value_bytes),
                         elements, &options));
  if (!fd.valid())
    return std::unexpected(libbpf_error(std::string("cannot make the map ") + name, errno));
  return fd;
}

std::unexpected<Error> full(const char* what) {
  return fail(ErrorCode::kUnsupported, std::string("no room for more ") + what);
}

}  // namespace

std::size_t UnwindMaps::RuleHash::operator()(const RuleKey& key) const {
  std::uint64_t hash = 0;
  for (const std::uint64_t word : key) hash = (hash ^ word) * 0xff51afd7ed558ccdU;
  return hash ^ hash >> 32;
}

Result<UnwindMaps> UnwindMaps::create(const Sizes& sizes) {
  UnwindMaps maps(sizes);
  CS_TRY(maps.make_maps());
  const cs_unwind_rule no_table{};
  static_assert(CS_UNWIND_RULE_NO_TABLE == 0 && CS_UNWIND_NO_TABLE == 0);
  CS_TRY(maps.shared_rule(no_table));
  return maps;
}

Result<void> UnwindMaps::make_maps() {
  const auto make = [](Fd& fd, SharedArray& array, const char* name, std::size_t value_bytes,
                       std::uint32_t elements) -> Result<void> {
    Result<Fd> made = make_map(BPF_MAP_TYPE_ARRAY, name, value_bytes, elements);
    if (!made) return std::unexpected(made.error());
    fd = std::move(*made);
    Result<SharedArray> mapped = SharedArray::map(fd.get(), value_bytes, elements, true);
    if (!mapped) return std::unexpected(mapped.error());
    array = std::move(*mapped);
    return {};
  };
  Result<Fd> code =
      make_map(BPF_MAP_TYPE_HASH, "cs_code", sizeof(cs_process_code), sizes_.processes);
  if (!code) return std::unexpected(code.error());
  code_ = std::move(*code);
  CS_TRY(make(ranges_fd_, ranges_, "cs_code_ranges", sizeof(cs_code_range), sizes_.ranges));
  CS_TRY(make(pages_fd_, pages_, "cs_unwind_pages", sizeof(cs_unwind_page), sizes_.pages));
  Result<Fd> rows = make_map(BPF_MAP_TYPE_ARRAY, "cs_unwind_rows", kRowPairBytes,
                             sizes_.rows / CS_UNWIND_ROW_PAIR);
  if (!rows) return std::unexpected(rows.error());
  rows_fd_ = std::move(*rows);
  return make(rules_fd_, rules_, "cs_unwind_rules", sizeof(cs_unwind_rule), sizes_.rules);
}

Result<void> UnwindMaps::give_to(bpf_object* object) const {
  const std::pair<const char*, int> all[] = {{"cs_code", code_.get()},
                                             {"cs_code_ranges", ranges_fd_.get()},
                                             {"cs_unwind_pages", pages_fd_.get()},
                                             {"cs_unwind_rows", rows_fd_.get()},
                                             {"cs_unwind_rules", rules_fd_.get()}};
  for (const auto& [name, fd] : all) {
    bpf_map* const map = ::bpf_object__find_map_by_name(object, name);
    if (map == nullptr || ::bpf_map__reuse_fd(map, fd) != 0)
      return std::unexpected(libbpf_error(std::string("cannot share the map ") + name, errno));
  }
  return {};
}

Result<std::uint16_t> UnwindMaps::shared_rule(const cs_unwind_rule& rule) {
  RuleKey key{};
  static_assert(sizeof(key) == sizeof(rule));
  std::memcpy(key.data(), &rule, sizeof(rule));
  const auto [known, added] =
      rule_index_.try_emplace(key, static_cast<std::uint16_t>(rule_index_.size()));
  if (!added) return known->second;
  if (known->second >= sizes_.rules) {
    rule_index_.erase(known);
    return full("unwind rules");
  }
  rules_.writable_at<cs_unwind_rule>(known->second) = rule;
  return known->second;
}

// Only the part that is written is mapped, and only for so long: the whole array takes 16 MB.
Result<void> UnwindMaps::write_rows(const UnwindTable& table,
                                    std::span<const std::uint16_t> shared_rules, Run to) const {
  if (table.rows.empty()) return {};
  const std::uint32_t first = to.first / CS_UNWIND_ROW_PAIR;
  const std::uint32_t last = (to.first + to.count - 1) / CS_UNWIND_ROW_PAIR;
  const Result<SharedArray> part =
      SharedArray::map(rows_fd_.get(), kRowPairBytes, last - first + 1, true, first);
  if (!part) return std::unexpected(part.error());
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    cs_unwind_row row = table.rows[i];
    row.rule = shared_rules[row.rule];
    const std::size_t at = to.first % CS_UNWIND_ROW_PAIR + i;
    (&part->writable_at<cs_unwind_row>(at / CS_UNWIND_ROW_PAIR))[at % CS_UNWIND_ROW_PAIR] = row;
  }
  return {};
}

Result<UnwindMaps::PlacedTable> UnwindMaps::add_table(const UnwindTable& table) {
  std::vector<std::uint16_t> shared;
  shared.reserve(table.rules.size());
  for (const cs_unwind_rule& rule : table.rules) {
    const Result<std::uint16_t> index = shared_rule(rule);
    if (!index) return std::unexpected(index.error());
    shared.push_back(*index);
  }
  if (table.pages.empty()) return PlacedTable{};
  const std::uint64_t first_page = table.pages.front().start >> CS_UNWIND_PAGE_BITS;
  const std::uint64_t n_pages = (table.pages.back().start >> CS_UNWIND_PAGE_BITS) - first_page + 1;
  if (n_pages > sizes_.pages || table.rows.size() > sizes_.rows) return full("unwind tables");
  const std::uint64_t now_ns = monotonic_ns();
  const auto rows = free_rows_.take(static_cast<std::uint32_t>(table.rows.size()), now_ns);
  if (!rows) return full("unwind tables");
  const auto pages = free_pages_.take(static_cast<std::uint32_t>(n_pages), now_ns);
  if (!pages) {
    free_rows_.give_back(*rows, 0);
    return full("pages of unwind tables");
  }
  if (const Result<void> written = write_rows(table, shared, *rows); !written) {
    free_rows_.give_back(*rows, 0);
    free_pages_.give_back(*pages, 0);
    return std::unexpected(written.error());
  }
  for (std::uint32_t i = 0; i < pages->count; ++i)
    pages_.writable_at<cs_unwind_page>(pages->first + i) = {};
  for (const UnwindPage& page : table.pages)
    pages_.writable_at<cs_unwind_page>(
        pages->first +
        static_cast<std::uint32_t>((page.start >> CS_UNWIND_PAGE_BITS) - first_page)) = {
        rows->first + page.first, page.count};
  return PlacedTable{*rows, *pages, first_page};
}

void UnwindMaps::remove_table(const PlacedTable& table) {
  const std::uint64_t now_ns = monotonic_ns();
  free_rows_.give_back(table.rows, now_ns);
  free_pages_.give_back(table.pages, now_ns);
}

Result<Run> UnwindMaps::add_ranges(std::span<const cs_code_range> ranges) {
  const auto run = free_ranges_.take(static_cast<std::uint32_t>(ranges.size()), monotonic_ns());
  if (!run) return full("executable mappings");
  for (std::size_t i = 0; i < ranges.size(); ++i)
    ranges_.writable_at<cs_code_range>(run->first + i) = ranges[i];
  return *run;
}

void UnwindMaps::remove_ranges(Run ranges) { free_ranges_.give_back(ranges, monotonic_ns()); }

Result<void> UnwindMaps::set_process(std::uint32_t tgid, Run ranges) {
  const cs_process_code code{tgid, ranges.first, ranges.count, ++generation_, 0};
  if (::bpf_map_update_elem(code_.get(), &tgid, &code, BPF_ANY) != 0)
    return std::unexpected(libbpf_error("cannot publish the code of a process", errno));
  return {};
}

void UnwindMaps::remove_process(std::uint32_t tgid) { ::bpf_map_delete_elem(code_.get(), &tgid); }

std::optional<Run> UnwindMaps::process(std::uint32_t tgid) const {
  cs_process_code code{};
  if (::bpf_map_lookup_elem(code_.get(), &tgid, &code) != 0) return std::nullopt;
  return Run{code.first, code.count};
}

}  // namespace callscope
