#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# CPU samples against what the target measured of itself: shares by function, number of samples,
# forked children, a target that sleeps, sampling switched off.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# sample NAME TARGET-ARGS... -- RECORD-ARGS...: samples t_busy while it works; report in report.json
sample() {
  local name=$1 arguments=()
  shift
  while [ "$1" != -- ]; do
    arguments+=("$1")
    shift
  done
  shift
  start_target t_busy "${arguments[@]}"
  start_record -p "$target_pid" "$@" -o "$name.cscope"
  release_target
  stop_record INT
  equal "$name: exit code" "$recorder_code" 0
  json "$name.cscope"
  end_target
}

# share_of FUNCTION: per cent of the samples with FUNCTION on the stack
share_of() { field "100 * ([.cpu.stacks[] | select(.frames | index(\"$1\")) | .count] | add // 0) / .cpu.samples"; }

# shares NAME POINTS: each function's share is its measured one, give or take POINTS
shares() {
  local function wanted
  for function in hot_50 hot_30 hot_20; do
    wanted=$(truth share_permille $function)
    between "$1: share of $function, its own truth being $wanted per mille" "$(share_of $function)" \
      "$(jq -n "$wanted / 10 - $2")" "$(jq -n "$wanted / 10 + $2")"
  done
}

# cpu_samples PERCENT HZ: what the CPU time that the target measured amounts to
cpu_samples() { awk -v hz="$2" -v percent="$1" '$1 == "cpu_ns" { sum += $3 } END { printf "%d", sum * hz * percent / 100 / 1e9 }' target.out; }

# allowed_points: four and a half standard errors of a share of one half. Six shares are compared in each run of
# this test, so that three errors would fail one run in sixty.
allowed_points() { field '450 * (0.25 / .cpu.samples | sqrt)'; }

# Two threads, 3 s.
sample threads --seconds 4 -- -F 499
samples=$(field .cpu.samples)
shares threads "$(allowed_points)"
between "threads: samples for the CPU time used" "$samples" "$(cpu_samples 85 499)" "$(cpu_samples 115 499)"
equal "threads: threads that were sampled" "$(field '[.cpu.stacks[].threads[].tid] | unique | length >= 2')" true
between "threads: stacks that reach the start, per cent of the user samples" \
  "$(field '100 * .cpu.reaching_start_samples / .cpu.user_samples')" 95 100
equal "threads: truncated stacks" "$(field .cpu.truncated_samples)" "$(quality truncated_samples)"
equal "threads: samples lost" "$(quality stack_table_full) $(quality stacks_not_received)" "0 0"
equal "threads: complete" "$(field .quality.complete)" true

# Children forked after the attach are sampled, by default; names hold after they are gone.
sample children --seconds 3 --fork -- -F 499
shares children "$(allowed_points)"
between "children: samples for the CPU time used" "$(field .cpu.samples)" "$(cpu_samples 85 499)" "$(cpu_samples 115 499)"
equal "children: processes that were sampled in hot_50" \
  "$(field "[.cpu.stacks[] | select(.frames | index(\"hot_50\")) | .threads[] | select(.pid != $target_pid) | .pid] | unique | length")" 2
sample alone --seconds 2 --fork -- -F 499 --no-children
equal "--no-children: samples in the children" "$(field '[.cpu.stacks[] | select(.frames | index("hot_50"))] | length')" 0
between "--no-children: samples of the waiting parent" "$(field .cpu.samples)" 0 30

# A target that sleeps nine tenths of the time; one that only waits; sampling off.
sample idle --seconds 3 --idle --workers 1 -- -F 499
between "idle: samples for the CPU time used" "$(field .cpu.samples)" "$(cpu_samples 60 499)" "$(cpu_samples 150 499)"
between "idle: at most a fifth of 3 s at 499 Hz" "$(field .cpu.samples)" 1 300
start_target t_busy
run 0 record -p "$target_pid" -F 999 -d 2 -o waiting.cscope
json waiting.cscope
equal "waiting: samples" "$(field .cpu.samples)" 0
between "waiting: interrupts, idle ones too" "$(quality sampling_ticks)" 1000 100000
run 0 record -p "$target_pid" -F 0 -d 300ms -o off.cscope
json off.cscope
equal "-F 0: hz, samples" "$(field '"\(.cpu.hz) \(.cpu.samples)"')" "0 0"
end_target

# The default rate is 99 Hz.
sample default --seconds 2 --
equal "default: hz" "$(field .cpu.hz)" 99
between "default: samples for the CPU time used" "$(field .cpu.samples)" "$(cpu_samples 75 99)" "$(cpu_samples 125 99)"
finish
