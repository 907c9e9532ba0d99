#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What complete stacks cost at 999 Hz, against perf by frame pointers and perf by copies of the stack (dwarf): the
# target's slowdown, bytes a sample on disk, and the time from Ctrl-C to a flame graph on disk. Slowdown of
# t_busy without frame pointers, in windows as sampling_overhead.sh has them; the rest with CPython of Debian.
# Limits: slowdown at most that of perf fp plus 0.5 points; a twentieth of the bytes and a tenth of the time of dwarf.
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
need perf python3 bpftool jq

hz=999
rounds_per_window=100 # of t_busy: one window takes about 70 ms
windows=${WINDOWS:-30}
seconds=${SECONDS_RECORDED:-40}
program='
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
while True: sorted([(fib(12), i) for i in range(50)], key=lambda pair: -pair[1])'

# tool NAME PID: the command that records PID, in $command; it ends with SIGINT.
tool() {
  case $1 in
    fp) command=(perf record -q -F "$hz" -e cpu-clock --call-graph fp -p "$2" -o "$work/fp.data") ;;
    dwarf) command=(perf record -q -F "$hz" -e cpu-clock --call-graph dwarf -p "$2" -o "$work/dwarf.data") ;;
    ours) command=("$CALLSCOPE" record --functions none -F "$hz" -p "$2" -o "$work/ours.data") ;;
  esac
}

# ---- slowdown
open_target t_busy_nofp --window-rounds "$rounds_per_window"
release_target
window >/dev/null
for name in none_1 none_2 fp dwarf ours; do : >"$work/$name"; done
for ((round = 0; round < ROUNDS; ++round)); do
  measure_windows "$windows" "$work/none_1"
  for name in fp dwarf ours; do
    tool "$name" "$target_pid"
    background timeout -s INT 120 "${command[@]}"
    for ((i = 0; i < 10; ++i)); do window >/dev/null; done # to start
    measure_windows "$windows" "$work/$name"
    stop "$started" INT
  done
  measure_windows "$windows" "$work/none_2"
done
close_target
base=$(cat "$work"/none_? | undisturbed)
percent() { calculate "($(undisturbed <"$work/$1") / $base - 1) * 100"; }
noise=$(awk "BEGIN { d = $(percent none_1) - $(percent none_2); printf \"%.3f\", d < 0 ? -d : d }")

# ---- the same without noise: what the sampling program takes of a CPU that the target keeps busy, by the
# kernel's own count. The interrupts themselves are the same for all.
"$TARGETS/t_busy_nofp" --ms 60000 >/dev/null 2>&1 &
busy=$!
children+=("$busy")
tool ours "$busy"
background timeout -s INT 120 "${command[@]}"
sleep 2 # to start
sysctl -q kernel.bpf_stats_enabled=1
sleep 5
program_ns=$(bpftool prog show name cs_sample_cpu -j | jq '.. | .run_time_ns? // empty')
ticks=$(bpftool prog show name cs_sample_cpu -j | jq '.. | .run_cnt? // empty')
sysctl -q kernel.bpf_stats_enabled=0
stop "$started" INT
kill "$busy"
program_percent=$(calculate "${program_ns:-x} / ${ticks:-x} * $hz / 1e7")

# ---- bytes and time
/usr/bin/python3 -c "$program" &
python=$!
children+=("$python")
sleep 0.5
# shellcheck disable=SC2016  # awk expands them
fold='/^[^ \t]/ { if (stack) print stack, 1; stack = ""; name = $1; next }
      NF >= 2 { f = $2; sub(/\+0x.*/, "", f); stack = stack == "" ? f : f ";" stack }
      END { if (stack) print stack, 1 }'

# render NAME: a flame graph of what was recorded
render() {
  if [ "$1" = ours ]; then
    "$CALLSCOPE" report "$work/ours.data" --format svg -o "$work/ours.svg"
  else
    perf script -i "$work/$1.data" --no-inline 2>/dev/null | awk "$fold" | sort | uniq -c |
      awk '{ n = $1; $1 = ""; $NF = ""; print substr($0, 2) n }' >"$work/$1.folded"
    "$CALLSCOPE" flamegraph -o "$work/$1.svg" "$work/$1.folded"
  fi
}

samples_of() {
  if [ "$1" = ours ]; then
    report ours.data .cpu.samples
  else
    perf script -i "$work/$1.data" -F time --no-inline 2>/dev/null | grep -c .
  fi
}

for name in fp dwarf ours; do
  tool "$name" "$python"
  background timeout -s INT 120 "${command[@]}"
  sleep "$seconds"
  begin=$(now_ms)
  kill -INT "$started"
  wait "$started" # not stop, which looks every 50 ms
  render "$name" >/dev/null 2>&1
  calculate "$(now_ms) - $begin" >"$work/$name.ms"
  count=$(samples_of "$name")
  calculate "$(stat -c %s "$work/$name.data") / ${count:-0}" >"$work/$name.bytes"
done
kill "$python"

head_row "$hz Hz" "slowdown % (noise $noise)" "bytes a sample" "ms from Ctrl-C to a flame graph"
row "perf record --call-graph fp (stacks cut)" "$(percent fp)" "$(cat "$work/fp.bytes")" "$(cat "$work/fp.ms")"
row "perf record --call-graph dwarf" "$(percent dwarf)" "$(cat "$work/dwarf.bytes")" "$(cat "$work/dwarf.ms")"
row "callscope record" "$(percent ours)" "$(cat "$work/ours.bytes")" "$(cat "$work/ours.ms")"
echo
echo "The sampling program takes $program_percent % of a CPU."
echo
ratio stack_program_percent "$program_percent" 0.5
ratio stack_slowdown_above_perf_fp_points "$(calculate "$(percent ours) - $(percent fp)")" "$(calculate "0.5 + $noise")"
ratio stack_bytes_of_perf_dwarf "$(calculate "$(cat "$work/ours.bytes") / $(cat "$work/dwarf.bytes")")" 0.05
ratio stack_time_of_perf_dwarf "$(calculate "$(cat "$work/ours.ms") / $(cat "$work/dwarf.ms")")" 0.1
exit "$status"
