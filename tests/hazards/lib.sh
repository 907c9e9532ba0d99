# SPDX-License-Identifier: Apache-2.0
# Sourced by the hazard tests, on top of tests/e2e/lib.sh: a target runs alone, then recorded, and
# nobody must be able to tell from what it does. `survives` is the whole promise in one call.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables are shared with tests/e2e/lib.sh and the tests

hazards=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/e2e/lib.sh
. "$hazards/../e2e/lib.sh"
trap '' PIPE       # writing to a target that died is a failed check, not the end of the test
kHangSeconds=60    # a target, or a recorder at its end, that takes longer hangs
unstable='^$'      # lines of a target's output that differ from run to run: an extended regex
record_options=()  # of every recording that follows
check_counts=yes   # no: what the target prints is not about the functions that are probed
# HAZARDS=short: with the defaults alone, and fewer repeats
if [ "${HAZARDS:-full}" = short ]; then all_ways=(auto) rounds=(1); else all_ways=(auto ret-site entry-only) rounds=(1 2 3); fi
ways=("${all_ways[@]}")
# use_ways WAY...: of survives_all_ways from here on, as far as this run takes them
use_ways() {
  local way
  ways=()
  for way in "$@"; do [[ " ${all_ways[*]} " != *" $way "* ]] || ways+=("$way"); done
}
libraries='libc.so.6:*,libgcc_s.so.1:*,libstdc++.so.6:*,libm.so.6:*,ld-linux-x86-64.so.2:*'

# ---- the text of a process

# text_differences PID [FILE]: how many bytes of its executable mappings are not as in their files
text_differences() { python3 "$hazards/text_differences.py" "$@" 2>"$work/text.err"; }

# text_is_clean WHAT PID [FILE]. The kernel takes the probes of a killed recorder away a little later.
text_is_clean() {
  local end=$((SECONDS + 10)) found
  while found=$(text_differences "${@:2}") && [ "$found" != 0 ] && [ $SECONDS -lt $end ]; do sleep 0.2; done
  equal "$1: bytes of text that are not as in the file" "$found" 0
  [ "$found" = 0 ] || cat "$work/text.err"
}

# text_is_probed WHAT PID: the same comparison sees the probes, so that it proves something
text_is_probed() {
  between "$1: bytes of text that differ while recorded" "$(text_differences "$2")" 1 10000000
}

# ---- running a target

# wait_briefly COMMAND...: unlike wait_until it leaves a failure to the checks that follow
wait_briefly() {
  local end=$((SECONDS + kHangSeconds))
  until "$@" 2>/dev/null; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.02
  done
}

# shellcheck disable=SC2317  # called by wait_briefly
worked_or_gone() { grep -qx "done" "$work/target.out" || gone "$target_pid"; }

# let_work WHAT: the target works and prints its truth
let_work() {
  printf x >&"$to_target"
  wait_briefly worked_or_gone || fail "$1: the target hangs"
}

# let_end WHAT: the target exits; its exit code is in $target_code
let_end() {
  exec {to_target}>&-
  exec {to_target}>/dev/null
  if ! wait_briefly gone "$target_pid"; then
    fail "$1: the target does not exit"
    kill -9 "$target_pid"
  fi
  wait "$target_pid" 2>/dev/null
  target_code=$?
}

# end_record WHAT: as Ctrl-C does. A recorder that hangs ends with its target.
end_record() {
  kill -INT "$recorder_pid" 2>/dev/null # it may have ended with a target that died
  recorder_ended "$1"
  equal "$1: exit code of record" "$recorder_code" 0
}

# all_gone PID: it ended with all its threads; one of them may wait in the kernel for probes to go
all_gone() {
  local -a threads=("/proc/$1/task"/*)
  gone "$1" && [ ${#threads[@]} -eq 1 ]
}

# recorder_ended WHAT: it was told to end; $recorder_code
recorder_ended() {
  recorder_code=hung
  wait_briefly all_gone "$recorder_pid" || { fail "$1: the recorder does not end"; return; }
  wait "$recorder_pid" 2>/dev/null
  recorder_code=$?
}

stable_lines() { grep -vE "$unstable" "$1"; }

# run_alone PROGRAM ARGS...: without callscope; leaves alone.out and $alone_code
run_alone() {
  start_target "$@"
  let_work "alone"
  let_end "alone"
  mv target.out alone.out
  alone_code=$target_code
}

# ended_as_alone WHAT: the target has ended; it printed and returned what it does alone
ended_as_alone() {
  equal "$1: exit code of the target" "$target_code" "$alone_code"
  if cmp -s <(stable_lines alone.out) <(stable_lines target.out); then
    echo "ok   $1: output as without callscope"
  else
    fail "$1: output differs: $(diff <(stable_lines alone.out) <(stable_lines target.out) | head -n 10)"
    head -n 5 "$work/target.err"
  fi
}

# ---- what the recording says

# kFields: of each function, as the columns of functions.tsv
kFields='[.name, .calls, .returns, .unwound, .running, .untimed, .skipped // 0, .exit,
  .sample_every // 1, .untimed_ns // 0, .detached_ns // 0,
  .attached_ns // 0] | @tsv'

# count WHAT GOT TRUTH MARKED: equal, or below it where the recording says that calls are missing
count() {
  if [ "$4" = 0 ]; then equal "$1" "$2" "$3"; else between "$1, marked as incomplete" "$2" 0 "$3"; fi
}

# also_elsewhere NAME: calls that the target's children or the program that it executed made
also_elsewhere() {
  awk -v name="$1" '($1 == "child_calls" || $1 == "exec_calls") && $2 == name { sum += $3 } END { print sum + 0 }' \
    "$work/target.out"
}

# check_function WHAT WORD NAME TRUTH: one line of truth against functions.tsv
check_function() {
  local what="$1: $2 of $3" name calls returns unwound running untimed skipped exit every untimed_ns detached_ns attached_ns
  local counts_marked times_marked=0
  if ! IFS=$'\t' read -r name calls returns unwound running untimed skipped exit every untimed_ns detached_ns attached_ns \
    < <(grep -P "^\Q$3\E\t" functions.tsv); then
    # What the kernel cannot probe without harm is left alone, and the user is told.
    if jq -e --arg name "$3" 'any(.notes[]; contains("cannot be probed") and contains($name + " ("))' report.json >/dev/null; then
      echo "ok   $what: refused, and said so"
    else
      fail "$what: not in the recording"
    fi
    return
  fi
  counts_marked=$((detached_ns > 0 || attached_ns > 0 || $(quality return_probes_dropped || echo 0) + 0 > 0))
  [ $((untimed + skipped + untimed_ns + counts_marked)) -eq 0 ] && [ "$every" = 1 ] || times_marked=1
  # Whether children and executed programs count is no matter here, nor that a child's first moment is missing
  # when the recording says so.
  local wanted=$4 elsewhere
  elsewhere=$(also_elsewhere "$3")
  if [ "$calls" -eq $((wanted + elsewhere)) ] || { [ "$calls" -gt "$wanted" ] &&
    [ "$calls" -lt $((wanted + elsewhere)) ] && grep -q 'children count from when' report.json; }; then
    wanted=$calls
  fi
  case "$2:$3" in
    calls:*) count "$what" "$calls" "$wanted" "$counts_marked" ;;
    # A jump ends the call that makes it, though no ret instruction runs.
    rets:tail_* | rets:exit_inside) count "$what by jump" "$((returns + unwound))" "$calls" "$times_marked" ;;
    rets:*) count "$what" "$returns" "$4" "$times_marked" ;;
    unwound:*) count "$what" "$unwound" "$4" "$times_marked" ;;
    running:*) count "$what" "$running" "$4" "$times_marked" ;;
  esac
}

# counts_are_true WHAT RECORDING TRUTH-FILE: every count that the target told, and the balance of all functions
counts_are_true() {
  local what=$1 word name value
  json "$2"
  jq -r ".functions[] | $kFields" report.json >functions.tsv
  while read -r word name value; do
    [ $check_counts = yes ] || break
    case "$word" in calls | rets | unwound | running) check_function "$what" "$word" "$name" "$value" ;; esac
  done <"$3"
  equal "$what: functions whose counts do not add up" "$(jq '[.functions[]
    | select(.calls != .returns + .unwound + .running + .untimed + (.skipped // 0)) | .name] | length' report.json)" 0
}

# ---- the whole promise

# survives WHAT PATTERNS PROGRAM ARGS...: recorded from its handshake to its truth, the target prints
# and ends as alone, its text is clean again while it lives on, and the recording tells the truth.
survives() {
  local what=$1 patterns=$2
  shift 2
  run_alone "$@"
  start_target "$@"
  start_record -p "$target_pid" "${record_options[@]}" -f "$patterns" -o hazard.cscope
  text_is_probed "$what" "$target_pid"
  let_work "$what"
  end_record "$what"
  if gone "$target_pid"; then fail "$what: the target is gone"; else text_is_clean "$what" "$target_pid"; fi
  let_end "$what"
  ended_as_alone "$what"
  counts_are_true "$what" hazard.cscope target.out
}

# survives_all_ways WHAT PATTERNS PROGRAM ARGS...: by every way to see the end of a call
survives_all_ways() {
  local what=$1 way
  shift
  for way in "${ways[@]}"; do
    record_options=(--exit-mode "$way")
    survives "$what, $way" "$@"
  done
  record_options=()
}

# survives_launch WHAT PATTERNS PROGRAM ARGS...: probed before its first instruction, until its exit
survives_launch() {
  local what=$1 patterns=$2 program=$TARGETS/$3
  shift 3
  "$program" "$@" >alone.out 2>/dev/null </dev/null {to_target}>&-
  alone_code=$?
  timeout -k 5 120 "$CALLSCOPE" record -q "${record_options[@]}" -f "$patterns" -o hazard.cscope -- "$program" "$@" \
    >target.out 2>target.err </dev/null {to_target}>&-
  target_code=$?
  ended_as_alone "$what"
  counts_are_true "$what" hazard.cscope target.out
}
