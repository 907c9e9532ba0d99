// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "report/renderer.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::Recording;
using callscope::render_csv;
using callscope::test::sample_recording;

namespace {

const std::string kHeader =
    "name,module,calls,returns,unwound,running,untimed,total_ns,self_ns,avg_ns,min_ns,max_ns,"
    "p50_ns,p90_ns,p95_ns,p99_ns,p999_ns,exit,probe_cost_ns,tail_exits,on_cpu_ns,runq_ns,"
    "blocked_ns,self_on_cpu_ns,self_runq_ns,self_blocked_ns,estimated_total_ns,estimated_self_ns,"
    "threw,skipped,sample_every,untimed_ns,detached_ns,probe_time_ns,entry_class,exit_class,"
    "inlined_copies,attached_ns,file,line\r\n";

}  // namespace

TEST_CASE("csv has one header line and raw nanoseconds, absent times empty", "[unit]") {
  CHECK(
      render_csv(sample_recording(), {}) ==
      kHeader +
          "getCommand,/usr/bin/redis-server,1000,997,1,1,1,1994000,1200000,2000,900,61000,911,"
          "2111,8447,8447,61000,uretprobe,1450,5,1400000,94000,500000,840000,60000,300000,,,1,0,"
          "1,0,0,1448830,emulated,,2,0,/src/t_string.c,82\r\n"
          "setCommand,/usr/bin/redis-server,8000,1990,10,0,10,1990000,1296000,250,112,2200,113,"
          "113,113,113,2200,ret-site,1100,0,1800000,190000,0,1146000,150000,0,,,8,5990,4,"
          "3900000000,4300000000,3880000,emulated,emulated,0,400000000,,\r\n"
          "_ZN4demo6Server6handleERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE,"
          "/usr/lib/x86_64-linux-gnu/libc.so.6,250,0,0,0,250,,,,,,,,,,,entry-only,800,0,,,,,,,0,0,"
          "0,0,1,0,0,200000,,,0,0,,\r\n");
}

TEST_CASE("csv quotes names as RFC 4180 says", "[unit]") {
  Recording recording = sample_recording();
  recording.functions.resize(1);
  recording.functions[0].name = "f(int, char const*) \"x\"";
  const std::string text = render_csv(recording, {});
  CHECK(text.substr(kHeader.size()).starts_with("\"f(int, char const*) \"\"x\"\"\",/usr/bin"));
}

TEST_CASE("csv without functions is the header", "[unit]") {
  CHECK(render_csv(Recording{}, {}) == kHeader);
}
