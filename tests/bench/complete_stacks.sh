#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Share of CPU stacks that reach the first function of their thread, for programs as Debian ships
# them under a load: callscope, perf with DWARF (as much stack as it takes) and perf with frame
# pointers, all three at the same time. One judge for all: stack_shares.py. Limit: 99 % for each program.
# Environment: SECONDS_EACH (5), HZ (99), PROGRAMS.
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/bench/programs.sh
. "$(dirname "$0")/programs.sh"
need perf python3 readelf
[ -n "$CALLSCOPE" ] || die "no callscope program; build it or set CALLSCOPE"
seconds=${SECONDS_EACH:-5}
hz=${HZ:-99}
judge=$(dirname "$0")/stack_shares.py

record_perf() { # NAME CALLGRAPH
  perf record -q --call-graph "$2" -F "$hz" -e cpu-clock -p "$program_pid" -o "$work/$1.data" -- sleep "$seconds" \
    2>>"$work/perf.log" >&2 &
  recorders+=("$!")
}

judge_perf() { # NAME
  timeout 200 perf script -i "$work/$1.data" --no-inline --max-stack 1024 -F comm,pid,tid,ip,sym,dso \
    2>>"$work/perf.log" | python3 "$judge" perf
}

measure() { # NAME
  local recorders=() ours dwarf fp
  timeout 120 "$CALLSCOPE" record -p "$program_pid" -F "$hz" -d "${seconds}s" -q -o "$work/r.cscope" >"$work/log" 2>&1 &
  recorders+=("$!")
  record_perf dwarf dwarf,65528
  record_perf fp fp
  wait "${recorders[@]}"
  read -ra ours < <(python3 "$judge" callscope "$work/r.cscope")
  read -ra dwarf < <(judge_perf dwarf)
  read -ra fp < <(judge_perf fp)
  row "$1" "${ours[@]:0:2}" "${ours[3]:-}" "${ours[2]:-}" "${dwarf[@]:0:2}" "${dwarf[2]:-}" "${fp[@]:0:2}" "${fp[2]:-}"
  [ "${#ours[@]}" -eq 4 ] || cat "$work/log" >&2
  cut+=("$1 ${ours[0]:+$(calculate "100 - ${ours[0]}")}")
}

cut=()
head_row "program" "callscope: reach the start, %" samples "middle left out or cut by depth, %" "named frames, %" \
  "perf dwarf: %" samples "named, %" "perf fp: %" samples "named, %"
for program in ${PROGRAMS:-$real_programs node g++}; do
  { has_program "$program" && start_program "$program"; } ||
    die "$program is missing or does not start; scripts/install_deps.sh --bench installs it"
  measure "$program"
  stop_program
  rm -f "$work"/*.data "$work"/r.cscope
done
echo
for one in "${cut[@]}"; do
  ratio "stacks_cut_percent_${one% *}" "${one##* }" 1
done
exit "$status"
