#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What complete stacks cost at 999 Hz, against perf by frame pointers and perf by copies of the stack (dwarf): the
# target's slowdown, bytes a sample on disk, and the time from Ctrl-C to a flame graph on disk. Slowdown is how long a
# sample stops a program that looks at the clock all the time, as work would drown it in noise: of native code (t_gaps)
# and of CPython below 60 different functions (gaps.py), at 4995 Hz, so that most of what stops it are samples.
# Limits: slowdown at most that of perf fp plus 0.5 points; a twentieth of the bytes and a tenth of the time of dwarf.
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
need perf python3 bpftool jq

hz=999
gap_hz=4995
windows=${WINDOWS:-4} # of half a second
seconds=${SECONDS_RECORDED:-40}
program='
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
while True: sorted([(fib(12), i) for i in range(50)], key=lambda pair: -pair[1])'

# tool NAME PID HZ: the command that records PID, in $command; it ends with SIGINT.
tool() {
  case $1 in
    fp) command=(perf record -q -F "$3" -e cpu-clock --call-graph fp -p "$2" -o "$work/fp.data") ;;
    dwarf) command=(perf record -q -F "$3" -e cpu-clock --call-graph dwarf -p "$2" -o "$work/dwarf.data") ;;
    ours) command=("$CALLSCOPE" record --functions none -F "$3" -p "$2" -o "$work/ours.data") ;;
  esac
}

# ---- slowdown: measure_gaps KIND PROGRAM ARGS... into $work/KIND_{fp,dwarf,ours}, in each round of a new process, as
# they differ by where their memory lies, and the difference that a round found into $work/KIND_above.
measure_gaps() {
  local kind=$1 name
  shift
  for ((round = 0; round < 2 * ROUNDS; ++round)); do
    open_target "$@"
    release_target
    window >/dev/null
    for name in fp dwarf ours; do
      tool "$name" "$target_pid" "$gap_hz"
      background timeout -s INT 120 "${command[@]}"
      for ((i = 0; i < 3; ++i)); do window >/dev/null; done # to start
      : >"$work/windows_$name"
      measure_windows "$windows" "$work/windows_$name"
      stop "$started" INT
      median <"$work/windows_$name" >>"$work/${kind}_$name"
    done
    difference windows_ours windows_fp >>"$work/${kind}_above"
    echo >>"$work/${kind}_above"
    close_target
  done
}
measure_gaps native t_gaps
measure_gaps python "$root/tests/bench/gaps.py" 60
# percent KIND NAME: of the time, at 999 Hz
percent() { calculate "$(median <"$work/$1_$2") * $hz / 1e7"; }

# ---- what the sampling program takes of a CPU that the target keeps busy at 999 Hz, by the kernel's own count.
"$TARGETS/t_busy_nofp" --ms 60000 >/dev/null 2>&1 &
busy=$!
children+=("$busy")
tool ours "$busy" "$hz"
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
  tool "$name" "$python" "$hz"
  background timeout -s INT 120 "${command[@]}"
  sleep "$seconds"
  sync # what the tool before has written shall not delay this one
  begin=$(now_ms)
  kill -INT "$started"
  wait "$started" # not stop, which looks every 50 ms
  render "$name" >/dev/null 2>&1
  calculate "$(now_ms) - $begin" >"$work/$name.ms"
  count=$(samples_of "$name")
  calculate "$(stat -c %s "$work/$name.data") / ${count:-0}" >"$work/$name.bytes"
done
kill "$python"

head_row "$hz Hz" "stops native code, %" "stops CPython, %" "bytes a sample" "ms from Ctrl-C to a flame graph"
result() { row "$2" "$(percent native "$1")" "$(percent python "$1")" "$(cat "$work/$1.bytes")" "$(cat "$work/$1.ms")"; }
result fp "perf record --call-graph fp (stacks cut)"
result dwarf "perf record --call-graph dwarf"
result ours "callscope record"
echo
echo "The sampling program takes $program_percent % of a CPU."
echo
ratio stack_program_percent "$program_percent" 0.5
ratio stack_native_above_perf_fp_points "$(percent native above)" 0.5
ratio stack_python_above_perf_fp_points "$(percent python above)" 0.5
ratio stack_bytes_of_perf_dwarf "$(calculate "$(cat "$work/ours.bytes") / $(cat "$work/dwarf.bytes")")" 0.05
ratio stack_time_of_perf_dwarf "$(calculate "$(cat "$work/ours.ms") / $(cat "$work/dwarf.ms")")" 0.1
exit "$status"
