#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Attach + detach of 1,000 and 10,000 functions: how much longer a 1 s recording takes with them than
# with one function, so selection of names and writing of results count against us. bpftrace is shown
# with 20 probes: each probe of its perf-event kind takes a quarter of a second to detach.
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
need bpftrace

# elapsed COMMAND...: ms that it took; nothing if it failed.
elapsed() {
  local start
  start=$(now_ms)
  "$@" >"$work/log" 2>&1 </dev/null || {
    cat "$work/log" >&2
    return 1
  }
  echo $(($(now_ms) - start))
}

ours() { elapsed timeout 60 "$CALLSCOPE" record -p "$target_pid" -f "$1" -F 99 -d 1s -o "$work/r.cscope"; }

peer() {
  local program="" i
  for ((i = 0; i < $1; ++i)); do
    program+="uprobe:$TARGETS/t_manyfuncs:f_000$(printf %02d "$i") { @calls = count(); } "
  done
  elapsed timeout 60 bpftrace -p "$target_pid" -e "$program interval:s:1 { exit(); }"
}

open_target t_manyfuncs
for ((round = 0; round < ROUNDS; ++round)); do
  if [ -n "$CALLSCOPE" ]; then
    ours f_00000 >>"$work/ours-1"
    ours 'f_00*' >>"$work/ours-1000"
    ours 'f_*' >>"$work/ours-10000"
  fi
  if [ "$round" -lt 2 ]; then
    peer 1 >>"$work/peer-1"
    peer 20 >>"$work/peer-20"
  fi
done
close_target

# over FEW MANY: median difference in ms between two series; nothing if one is missing.
over() {
  [ -s "$work/$1" ] && [ -s "$work/$2" ] && calculate "$(median <"$work/$2") - $(median <"$work/$1")"
}

few=$(over ours-1 ours-1000)
many=$(over ours-1 ours-10000)
peer_ms=$(over peer-1 peer-20)
printf '%-44s %10s\n' "attach + detach" "ms"
printf '%-44s %10s\n' "bpftrace, 20 functions (over 1)" "${peer_ms:-none}"
printf '%-44s %10s\n' "callscope, 1,000 functions (over 1)" "${few:-none}"
printf '%-44s %10s\n' "callscope, 10,000 functions (over 1)" "${many:-none}"
ratio attach_detach_1000_ms "$few" 100
ratio attach_detach_10000_ms "$many" 500
exit "$status"
