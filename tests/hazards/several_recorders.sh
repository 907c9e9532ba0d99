#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two processes that run the same code of libc, one of which throws exceptions through it: recorded by two
# recorders, started in either order or at once, and by one. A return probe for the one must not end in the other.
set -u
# shellcheck source=tests/hazards/lib.sh
. "$(dirname "$0")/lib.sh"
run_alone t_throw_nested --rounds 4

# calm_starts: the C program, whose functions may have return probes; works until let go
calm_starts() {
  start_target t_steady
  calm_pid=$target_pid
  exec {calm_input}>&"$to_target" # the next target closes the other one
  printf x >&"$calm_input"
  wait_until "the calm program works" grep -qx working target.out
  cp target.out calm.start
}

# calm_is_well WHAT: it goes on, and ends with right values
calm_is_well() {
  exec {calm_input}>&-
  wait_briefly gone "$calm_pid" || fail "$1: the calm program does not exit"
  wait "$calm_pid" 2>/dev/null
  equal "$1: exit code of the calm program" $? 0
}

for order in "calm first" "throwing first" "at once" "one recorder"; do
  calm_starts
  start_target t_throw_nested --rounds 4
  thrower_pid=$target_pid
  case "$order" in
    "calm first" | "at once") recorded=("$calm_pid" "$thrower_pid") ;;
    "throwing first") recorded=("$thrower_pid" "$calm_pid") ;;
    *) recorded=("$calm_pid,$thrower_pid") ;;
  esac
  recorders=()
  for pid in "${recorded[@]}"; do
    output=recorder-${#recorders[@]}.cscope
    if [ "$order" = "at once" ]; then
      "$CALLSCOPE" record -p "$pid" -f "*,$libraries" -o "$output" >/dev/null 2>"$output.err" </dev/null &
      recorder_pid=$!
      children+=("$recorder_pid")
    else
      start_record -p "$pid" -f "*,$libraries" -o "$output"
    fi
    recorders+=("$recorder_pid")
  done
  if [ "$order" = "at once" ]; then
    for output in recorder-0.cscope recorder-1.cscope; do
      wait_until "both recorders attach" grep -q '^callscope: recording .* into ' "$output.err"
    done
  fi
  let_work "$order"
  for recorder_pid in "${recorders[@]}"; do end_record "$order"; done
  text_is_clean "$order: throwing program" "$thrower_pid"
  text_is_clean "$order: calm program" "$calm_pid"
  let_end "$order"
  ended_as_alone "$order: throwing program"
  calm_is_well "$order"
done
finish
