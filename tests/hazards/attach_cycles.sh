#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 200 recordings of a busy multi-threaded program, one after the other and as short as can be: nothing
# is left in its text, and every value that it computes is right.
set -u
# shellcheck source=tests/hazards/lib.sh
. "$(dirname "$0")/lib.sh"
kCycles=200
[ "${HAZARDS:-full}" = short ] && kCycles=20
kEnoughSeconds=200 # whoever else holds return probes on this machine delays each detach by seconds
kMinCycles=10

# one_cycle N: even ones are as short as a duration may be, odd ones are ended as soon as they record
one_cycle() {
  local patterns='steady_*' mode=auto
  [ $(($1 % 10)) -ne 9 ] || patterns="*,$libraries"
  [ $(($1 % 8)) -lt 4 ] || mode=ret-site
  if [ $(($1 % 2)) -eq 0 ]; then
    timeout 60 "$CALLSCOPE" record -q -p "$target_pid" --exit-mode $mode -f "$patterns" -d 20ms -o cycle.cscope \
      >record.out 2>record.err </dev/null {to_target}>&-
  else
    start_record -p "$target_pid" --exit-mode $mode -f "$patterns" -o cycle.cscope
    end_record "cycle $1" >/dev/null
    [ "$recorder_code" = 0 ]
  fi
}

start_target t_steady
printf x >&"$to_target"
wait_until "the target works" grep -qx working target.out
cycles=0 recorded=0 clean=0 looked=0
while [ $cycles -lt $kCycles ] && [ $SECONDS -lt $kEnoughSeconds ] && ! gone "$target_pid"; do
  if one_cycle $cycles; then recorded=$((recorded + 1)); else cat record.err; fi
  if [ $((cycles % 10)) -eq 9 ]; then
    looked=$((looked + 1))
    [ "$(text_differences "$target_pid")" != 0 ] || clean=$((clean + 1))
  fi
  cycles=$((cycles + 1))
done
between "cycles in $SECONDS s" $cycles $kMinCycles $kCycles
equal "recordings that ended well" $recorded $cycles
equal "text as in the file, of $looked times that it was looked at" $clean $looked
json cycle.cscope
between "calls in the last one" "$(field '[.functions[].calls] | add')" 1 100000000
text_is_clean "after the last one" "$target_pid"
let_end "after $cycles cycles"
equal "exit code of the target" "$target_code" 0
equal "wrong values" "$(truth wrong all)" 0
finish
