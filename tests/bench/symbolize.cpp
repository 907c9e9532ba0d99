// SPDX-License-Identifier: Apache-2.0
// symbolize lines|names FILE COUNT: looks COUNT random code addresses of an ELF file up, as a
// recorder does at its end, and prints "CPU_SECONDS PEAK_MB FOUND". lines: file, line and inlined
// functions by DWARF; names: by the symbol table, which is built first. The addresses are the same
// in every run.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "symbols/debug_info.hpp"
#include "symbols/module_symbols.hpp"
#include "symbols/source_frames.hpp"
#include "sys/clock.hpp"
#include "sys/parse_number.hpp"

namespace {

using namespace callscope;

std::vector<std::uint64_t> random_addrs(const ElfSection& text, std::uint64_t count) {
  std::uint64_t state = 7;
  std::vector<std::uint64_t> addrs;
  for (std::uint64_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    addrs.push_back(text.vaddr + (state >> 20) % text.size);
  }
  std::ranges::sort(addrs);
  const auto doubles = std::ranges::unique(addrs);
  addrs.erase(doubles.begin(), doubles.end());
  return addrs;
}

std::uint64_t by_dwarf(const ModuleImage& module, const std::string& path,
                       const std::vector<std::uint64_t>& addrs) {
  const auto info = DebugInfo::open(module, path, {});
  std::uint64_t found = 0;
  if (info && *info)
    std::ignore = find_source_frames((*info)->dwarf(), addrs, ~std::uint64_t{0},
                                     [&](std::uint64_t, const SourceFrames&) { ++found; });
  return found;
}

std::uint64_t by_symbols(const ModuleImage& module, const std::string& path,
                         const std::vector<std::uint64_t>& addrs) {
  const ModuleSymbols symbols = ModuleSymbols::load(module, path, {});
  return static_cast<std::uint64_t>(std::ranges::count_if(
      addrs, [&](std::uint64_t addr) { return symbols.table().find(addr) != nullptr; }));
}

}  // namespace

int main(int argc, char** argv) {
  const auto count = argc == 4 ? parse_number<std::uint64_t>(argv[3], 1, 10'000'000) : std::nullopt;
  if (!count) {
    std::fputs("usage: symbolize lines|names FILE COUNT\n", stderr);
    return EXIT_FAILURE;
  }
  const auto module = ModuleImage::open(argv[2]);
  const ElfSection* const text = module ? module->image().section(".text") : nullptr;
  if (text == nullptr || text->size == 0) {
    std::fprintf(stderr, "%s: no program code\n", argv[2]);
    return EXIT_FAILURE;
  }
  const auto look_up = std::string_view(argv[1]) == "lines" ? by_dwarf : by_symbols;
  const std::uint64_t found = look_up(*module, argv[2], random_addrs(*text, *count));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf("%.3f %.0f %llu\n", static_cast<double>(clock_ns(CLOCK_PROCESS_CPUTIME_ID)) / 1e9,
              static_cast<double>(usage.ru_maxrss) / 1024, static_cast<unsigned long long>(found));
  return EXIT_SUCCESS;
}
