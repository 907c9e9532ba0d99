#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every normal end of a recording (-d, Ctrl-C, SIGTERM, the target's exit): exit code 0, a complete
# recording, the summary on standard output, the name of the file, exact counts, an unharmed target.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# ended_well NAME WHY: the recording NAME is complete and was printed
ended_well() {
  equal "$1: exit code" "$recorder_code" 0
  matches "$1: summary on standard output" "$out" "QUALITY"
  matches "$1: summary names the function" "$out" "work_c"
  matches "$1: the file is named" "$err" "wrote $1.cscope"
  json "$1.cscope"
  equal "$1: finished" "$(field .finished)" true
  equal "$1: complete" "$(field .quality.complete)" true
  equal "$1: no progress line without a terminal" "$(grep -c $'\r' record.err)" 0
  run 0 report "$1.cscope" --strict
}

# exact NAME CALLS: counts of t_known in the report
exact() {
  local function
  for function in work_a work_b work_c sleepy; do
    equal "$1: calls of $function" "$(call_field $function calls)" "$(truth calls $function)"
    equal "$1: returns of $function" "$(call_field $function returns)" "$(truth calls $function)"
    equal "$1: unwound of $function" "$(call_field $function unwound)" 0
    equal "$1: running of $function" "$(call_field $function running)" 0
  done
}

for signal in INT TERM HUP; do
  start_target t_known --calls 50 --sleeps 5
  start_record -p "$target_pid" -f 'work_*,sleepy' -o "$signal.cscope"
  release_target
  stop_record "$signal"
  ended_well "$signal"
  exact "$signal"
  equal "$signal: the target lives" "$(gone "$target_pid" || echo yes)" yes
  end_target
  equal "$signal: the target's exit code" "$target_code" 0
done

start_target t_known --calls 50 --sleeps 5
start_record -p "$target_pid" -f 'work_*,sleepy' -o exit.cscope
release_target
end_target
equal "exit: the target's exit code" "$target_code" 0
stop_record
ended_well exit
exact exit

start_target t_known --calls 50 --sleeps 5
before=${EPOCHREALTIME/./}
start_record -p "$target_pid" -f 'work_*,sleepy' -d 2500ms -o duration.cscope
release_target
stop_record
took_ms=$(((${EPOCHREALTIME/./} - before) / 1000))
ended_well duration
exact duration
between "duration: recorded ns" "$(field .duration_ns)" 2500000000 2900000000
between "duration: wall ms with start and stop" "$took_ms" 2500 10000
end_target

# Without -o the file gets a name that tells the program and the PID, in the current folder.
start_target t_known --calls 5 --sleeps 0
start_record -p "$target_pid" -d 300ms
stop_record
equal "default name: exit code" "$recorder_code" 0
name=$(sed -n 's/^callscope: wrote //p' record.err)
matches "default name" "$name" "^callscope-t_known-$target_pid-[0-9]{8}-[0-9]{6}\.cscope$"
run 0 report "$name"
end_target

# A second signal during the end does not spoil the recording.
start_target t_known --calls 5 --sleeps 0
start_record -p "$target_pid" -f 'work_*' -o twice.cscope
release_target
kill -INT "$recorder_pid"
kill -INT "$recorder_pid" 2>/dev/null
stop_record
equal "two signals: exit code" "$recorder_code" 0
run 0 report twice.cscope --strict

# --quiet: nothing on standard output; standard error only names the file.
run 0 record -p "$target_pid" -d 300ms --quiet -o quiet.cscope
equal "--quiet: lines on standard output" "$(wc -l <"$work/out")" 0
equal "--quiet: standard error" "$err" "callscope: wrote quiet.cscope"
end_target
finish
