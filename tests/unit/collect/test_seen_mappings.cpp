// SPDX-License-Identifier: Apache-2.0
// What a process mapped before it ended, from the side-band alone.
#include <catch2/catch.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "collect/seen_mappings.hpp"
#include "sys/process_events.hpp"
#include "target/maps.hpp"
#include "tests/unit/short_program.hpp"

using namespace callscope;

namespace {

ProcessEvent mapped(std::uint64_t start, std::uint64_t end, std::uint64_t inode,
                    const std::string& path) {
  ProcessEvent event;
  event.kind = ProcessEvent::Kind::kMapped;
  event.start = start;
  event.end = end;
  event.dev_major = 8;
  event.dev_minor = 1;
  event.inode = inode;
  event.protection = PROT_READ | PROT_EXEC;
  event.path = path;
  return event;
}

}  // namespace

TEST_CASE("of a program that has ended the executable and its libraries are known") {
  if (::geteuid() != 0) return;  // not allowed
  SeenMappings seen;
  CHECK(seen.empty());
  for (const ProcessEvent& event : test::events_of_short_program()) {
    if (event.kind == ProcessEvent::Kind::kExec) seen.executed();
    if (event.kind == ProcessEvent::Kind::kMapped) seen.mapped(event);
  }
  CHECK_FALSE(seen.empty());
  const Result<std::vector<Mapping>> mappings = parse_maps(seen.text("what it was before"));
  REQUIRE(mappings);
  const Result<std::vector<Mapping>> ours = read_maps(::getpid());
  REQUIRE(ours);
  const auto named = [](const std::vector<Mapping>& in, const std::string& name) {
    const auto found = std::ranges::find_if(in, [&](const Mapping& mapping) {
      return mapping.executable && mapping.path.ends_with(name);
    });
    REQUIRE(found != in.end());
    return *found;
  };
  CHECK(named(*mappings, "bin/true").inode != 0);
  CHECK(named(*mappings, "[vdso]").inode == 0);
  const Mapping libc = named(*mappings, "libc.so.6");
  const Mapping our_libc = named(*ours, "libc.so.6");
  CHECK(libc.inode == our_libc.inode);
  CHECK(libc.dev_major == our_libc.dev_major);
  CHECK(libc.dev_minor == our_libc.dev_minor);
  CHECK(libc.file_off == our_libc.file_off);
  CHECK(libc.end - libc.start == our_libc.end - our_libc.start);
}

TEST_CASE("what was mapped since the maps were read replaces what lay there") {
  const std::string kept = "1000-3000 r-xp 00000000 08:01 5 /bin/a\n";
  const std::string gone = "5000-7000 r-xp 00000000 08:01 6 /lib/old.so\n";
  const std::string newest = "6000-9000 r-xp 00000000 08:01 8 /lib/newest\\012.so\n";
  const std::string jit = "a000-b000 r-xp 00000000 08:01 0 \n";
  SeenMappings seen;
  seen.mapped(mapped(0x6000, 0x8000, 7, "/lib/new.so"));
  seen.mapped(mapped(0x6000, 0x9000, 8, "/lib/newest\n.so"));
  seen.mapped(mapped(0xa000, 0xb000, 0, "//anon"));
  CHECK(seen.text(kept + gone) == kept + newest + jit);
  seen.forget();
  CHECK(seen.empty());
  CHECK(seen.text(kept + gone) == kept + gone);
}
