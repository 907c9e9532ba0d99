#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 200 recordings of a busy multi-threaded program, one after the other and as short as can be: nothing is left
# in its text, and every value that it computes is right.
set -u
# shellcheck source=tests/hazards/lib.sh
. "$(dirname "$0")/lib.sh"
kCycles=200
start_target t_steady
printf x >&"$to_target"
wait_until "the target works" grep -qx working target.out
recorded=0 clean=0 checked=0
for ((cycle = 0; cycle < kCycles; ++cycle)); do
  patterns='steady_*'
  [ $((cycle % 4)) -ne 3 ] || patterns="*,$libraries"
  mode=auto
  [ $((cycle % 8)) -lt 4 ] || mode=ret-site
  if [ $((cycle % 2)) -eq 0 ]; then # as short as a duration may be
    timeout 60 "$CALLSCOPE" record -q -p "$target_pid" --exit-mode $mode -f "$patterns" -d 20ms -o cycle.cscope \
      >cycle.out 2>&1 </dev/null {to_target}>&- && recorded=$((recorded + 1))
  else # ended at once when it has attached
    start_record -p "$target_pid" --exit-mode $mode -f "$patterns" -o cycle.cscope
    end_record "cycle $cycle" >end.out && recorded=$((recorded + 1))
  fi
  if [ $((cycle % 10)) -eq 9 ]; then
    checked=$((checked + 1))
    [ "$(text_differences "$target_pid")" != 0 ] || clean=$((clean + 1))
  fi
  gone "$target_pid" && break
done
equal "cycles that recorded" $recorded $kCycles
equal "text as in the file, of $checked times that it was looked at" $clean $checked
json cycle.cscope
between "calls in the last one" "$(field '[.functions[].calls] | add')" 1 100000000
text_is_clean "after the last one" "$target_pid"
let_end "after $kCycles cycles"
equal "exit code of the target" "$target_code" 0
equal "wrong values" "$(truth wrong all)" 0
finish
