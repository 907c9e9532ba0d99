#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What 99 Hz sampling takes from the target: t_busy times equal windows of pure work, nine frames
# deep; windows with callscope, with perf record -g, and with nothing alternate, so drift of the machine cancels.
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
need perf

rounds_per_window=100 # of t_busy: one window takes about 70 ms
windows=${WINDOWS:-40}
hz=99

# with SIGNAL FILE COMMAND...: windows while the tool records; it gets ten windows to start.
with() {
  local signal=$1 file=$2 i
  shift 2
  background "$@"
  for ((i = 0; i < 10; ++i)); do window >/dev/null; done
  if kill -0 "$started" 2>/dev/null; then measure_windows "$windows" "$file"; else cat "$work/log" >&2; fi
  stop "$started" "$signal"
}

open_target t_busy --window-rounds "$rounds_per_window"
release_target
window >/dev/null
for name in none_1 none_2 perf ours; do : >"$work/$name"; done
for ((round = 0; round < ROUNDS; ++round)); do
  measure_windows "$windows" "$work/none_1"
  with INT "$work/perf" timeout 60 perf record -q -g -F "$hz" -e cpu-clock -p "$target_pid" -o "$work/perf.data"
  measure_windows "$windows" "$work/none_2"
  [ -z "$CALLSCOPE" ] ||
    with TERM "$work/ours" timeout 60 "$CALLSCOPE" record -p "$target_pid" -F "$hz" -d 50s -o "$work/r.cscope"
done
close_target

base=$(cat "$work"/none_? | undisturbed)
percent() {
  local value
  value=$(undisturbed <"$work/$1")
  [ -n "$value" ] && calculate "($value / $base - 1) * 100"
}
perf_percent=$(percent perf)
ours_percent=$(percent ours)
# What the same measurement makes of no difference at all; a limit cannot be finer than that.
noise=$(awk "BEGIN { d = $(percent none_1) - $(percent none_2); printf \"%.3f\", d < 0 ? -d : d }")
head_row "$hz Hz, user stacks, one busy thread" "overhead %"
row "nothing against nothing (noise)" "$noise"
row "perf record -g" "${perf_percent:-none}"
row "callscope record" "${ours_percent:-none}"
echo
ratio sampling_overhead_above_perf_points \
  "$([ -n "$ours_percent" ] && calculate "$ours_percent - $perf_percent")" "$(calculate "0.05 + $noise")"
ratio sampling_overhead_percent "$ours_percent" "$(calculate "0.5 + $noise")"
exit "$status"
