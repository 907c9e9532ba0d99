#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 of callscope in the middle of a recording and at any moment of its start: the target works on and
# its values are right, the kernel takes the probes away, the recording can be read.
set -u
# shellcheck source=tests/hazards/lib.sh
. "$(dirname "$0")/lib.sh"
for way in "${all_ways[@]}"; do
  start_target t_steady
  start_record -p "$target_pid" --exit-mode "$way" -f "*,$libraries" -o killed.cscope
  printf x >&"$to_target"
  wait_until "the target works" grep -qx working target.out
  text_is_probed "$way" "$target_pid"
  sleep 2.5 # the recorder writes once a second
  kill -9 "$recorder_pid"
  recorder_ended "$way"
  equal "$way: exit code of record" "$recorder_code" 137
  text_is_clean "$way" "$target_pid"
  run 0 report killed.cscope
  json killed.cscope
  equal "$way: finished" "$(field .finished)" false
  between "$way: calls up to the last flush" "$(call_field steady_round calls)" 1 100000000
  sleep 0.5 # of work without probes, through what return probes have left on the stacks
  let_end "$way"
  equal "$way: exit code of the target" "$target_code" 0
  equal "$way: wrong values" "$(truth wrong all)" 0
done

start_target t_steady
printf x >&"$to_target"
wait_until "the target works" grep -qx working target.out
for delay in 0.005 0.01 0.02 0.03 0.04 0.05 0.06 0.08 0.1 0.15 0.2 0.3; do
  "$CALLSCOPE" record -q -p "$target_pid" -f "*,$libraries" -o started.cscope >started.out 2>&1 </dev/null {to_target}>&- &
  recorder_pid=$!
  children+=("$recorder_pid")
  sleep $delay
  kill -9 "$recorder_pid"
  recorder_ended "killed after $delay s"
  equal "killed after $delay s: exit code of record" "$recorder_code" 137
  text_is_clean "killed after $delay s" "$target_pid"
done
let_end "killed while it starts"
equal "killed while it starts: exit code of the target" "$target_code" 0
equal "killed while it starts: wrong values" "$(truth wrong all)" 0
finish
