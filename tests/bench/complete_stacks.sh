#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Share of CPU stacks that reach the first function of their thread, for programs as Debian ships
# them: callscope, perf with DWARF and perf with frame pointers, one after the other on the same
# load. Bytes are those that each writes for a sample.
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
need perf
need sqlite3
need python3

seconds=${SECONDS_EACH:-5}
hz=${HZ:-99}
start='(^|;)(_start|__libc_start_main|__libc_start_call_main|start_thread|clone3|__clone3|main)(;|_\[|$)'

sqlite_load() {
  echo "create table t(a,b); with recursive c(x) as (select 1 union all select x+1 from c where x<300000)
    insert into t select x, hex(x*7919%10007) from c;"
  while :; do echo "select b, count(*) from t group by b order by 2 desc limit 2;"; done
}
run_sqlite() { sqlite_load | sqlite3 :memory: >/dev/null; }
run_python() { exec /usr/bin/python3 -c 'while True: sorted(str(i) for i in range(20000))'; }
run_cc1plus() {
  while :; do
    echo '#include <regex>
      std::regex r("a"); int main() { return std::regex_match("a", r); }' |
      "$(g++ -print-prog-name=cc1plus)" -quiet -O2 -o /dev/null - 2>/dev/null || return
  done
}

# Per cent of samples whose folded stack matches the start of a thread.
share() { awk -v start="$start" '{ n = $NF; sum += n; if ($0 ~ start) reached += n } END { if (sum) printf "%.2f %d", 100 * reached / sum, sum }'; }

perf_share() { # CALLGRAPH PID
  timeout 60 perf record -q --call-graph "$1" -F "$hz" -e cpu-clock -p "$2" -o "$work/perf.data" -- sleep "$seconds" 2>/dev/null
  perf script -i "$work/perf.data" -F comm,ip,sym 2>/dev/null |
    awk 'NF == 0 { if (line != "") print line " 1"; line = ""; next }
         /^[^ \t]/ { line = $1; next } { line = line ";" $2 }
         END { if (line != "") print line " 1" }' | share
}

measure() { # NAME PID
  local ours
  timeout 90 "$CALLSCOPE" record -p "$2" -F "$hz" -d "${seconds}s" -q -o "$work/r.cscope" >/dev/null 2>"$work/log"
  ours=$("$CALLSCOPE" report "$work/r.cscope" --json |
    python3 -c 'import json, sys
stacks = json.load(sys.stdin)["cpu"]["stacks"]
total = sum(s["count"] for s in stacks)
done = sum(s["count"] for s in stacks if s["end"] in ("complete", "no-user"))
print("%.2f %d" % (100 * done / max(total, 1), total))')
  row "$1" "$ours" "$(perf_share dwarf,16384 "$2")" "$(perf_share fp "$2")"
}

head_row "stacks that reach the start of their thread: %, samples" "callscope" "perf dwarf" "perf fp"
for program in sqlite3 python3 cc1plus; do
  "run_${program%3}" >/dev/null 2>&1 &
  load=$!
  sleep 2
  pid=$(pgrep -P "$load" -x "$program" | head -1)
  measure "$program" "${pid:-$load}"
  pkill -P "$load"
  kill "$load" 2>/dev/null
  wait "$load" 2>/dev/null
done
