# SPDX-License-Identifier: Apache-2.0
# Sourced by the end-to-end tests: where things are, checks that print what they compare, targets
# with their handshake, recorders in the background. Environment: CALLSCOPE (the program), TARGETS
# (folder of the target programs); ctest sets both. Everything a test starts ends with the test.
# shellcheck shell=bash
# shellcheck disable=SC2034  # some variables are only read by the tests

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CALLSCOPE=${CALLSCOPE:-$root/build-test/callscope}
TARGETS=${TARGETS:-$root/build-test/tests/targets}
kSkip=77          # ctest's SKIP_RETURN_CODE
kShownChars=500   # of a text in a failed check
kStartSeconds=60  # how long anything may take to start, to attach or to stop
work=$(mktemp -d)
chmod 755 "$work" # the tests as another user read what lies here
cd "$work" || exit 1
children=()
failures=0
# Descriptors that whoever runs us left open would be counted among those of the targets.
for descriptor in "/proc/$$/fd"/*; do
  descriptor=${descriptor##*/}
  [ "$descriptor" -le 2 ] || [ "$descriptor" -eq 255 ] || exec {descriptor}>&-
done
exec {to_target}>/dev/null # replaced by start_target; closed in every other child

die() {
  echo "$(basename "$0"): $*" >&2
  exit 2
}

cleanup() {
  local pid
  for pid in "${children[@]}"; do kill -9 "$pid" 2>/dev/null; done
  for pid in "${children[@]}"; do wait "$pid" 2>/dev/null; done
  rm -rf "$work"
}
trap cleanup EXIT

[ "$(id -u)" -eq 0 ] || { echo "skipped: recording needs root"; exit $kSkip; }
[ -x "$CALLSCOPE" ] || die "no program $CALLSCOPE; set CALLSCOPE"
unset NO_COLOR SUDO_UID SUDO_GID SUDO_USER

# ---- checks: each prints one line; a failed one makes the script fail at its end

fail() {
  echo "FAIL $*"
  failures=$((failures + 1))
}

# equal WHAT GOT WANTED
equal() {
  if [ "$2" = "$3" ]; then echo "ok   $1: $2"; else fail "$1: is '$2', should be '$3'"; fi
}

# between WHAT GOT LOW HIGH: numbers, both bounds allowed
between() {
  if [[ $2 =~ ^-?[0-9.]+$ ]] && awk "BEGIN { exit !($2 >= $3 && $2 <= $4) }"; then
    echo "ok   $1: $2 within $3..$4"
  else
    fail "$1: is '$2', should be within $3..$4"
  fi
}

# matches WHAT TEXT REGEX: a bash regular expression, anywhere in TEXT
matches() {
  if [[ $2 =~ $3 ]]; then
    echo "ok   $1: '$(head -n 1 <<<"${BASH_REMATCH[0]:0:80}")' found"
  else
    fail "$1: '$3' is not in: ${2:0:$kShownChars}"
  fi
}

# lacks WHAT TEXT REGEX
lacks() {
  if [[ $2 =~ $3 ]]; then fail "$1: '${BASH_REMATCH[0]}' is in: ${2:0:$kShownChars}"; else echo "ok   $1: no '$3'"; fi
}

# succeeds WHAT COMMAND...
succeeds() {
  local what=$1 output
  shift
  if output=$("$@" 2>&1); then echo "ok   $what"; else fail "$what: $* says: $output"; fi
}

# finish: the last line of each test
finish() {
  echo "$failures failed checks"
  [ "$failures" -eq 0 ]
  exit
}

# ---- callscope

# run CODE ARGS...: callscope in the foreground; output in $out and $err, its exit code checked
run() {
  local wanted=$1 code
  shift
  timeout -k 5 $kStartSeconds "$CALLSCOPE" "$@" >"$work/out" 2>"$work/err" </dev/null {to_target}>&-
  code=$?
  out=$(<"$work/out") err=$(<"$work/err")
  equal "exit code of 'callscope $*'" "$code" "$wanted"
  [ "$code" = "$wanted" ] || echo "     standard error: $err"
}

# refused CODE REGEX ARGS...: fails with CODE, nothing on stdout, and one line on stderr with REGEX
refused() {
  local wanted=$1 regex=$2
  shift 2
  run "$wanted" "$@"
  equal "  lines on standard output" "$(wc -l <"$work/out")" 0
  equal "  lines on standard error" "$(wc -l <"$work/err")" 1
  matches "  message" "$err" "$regex"
}

# start_record ARGS...: callscope record in the background, returns once it says that it records;
# output in $work/record.out and $work/record.err
start_record() {
  rm -f "$work/record.err" # else the line that we wait for may be an older recorder's
  "$CALLSCOPE" record "$@" >"$work/record.out" 2>"$work/record.err" </dev/null {to_target}>&- &
  recorder_pid=$!
  children+=("$recorder_pid")
  wait_until "the recorder attaches" grep -q '^callscope: recording .* into ' "$work/record.err"
}

# stop_record [SIGNAL]: with SIGNAL sends it first; its exit code is in $recorder_code
stop_record() {
  [ $# -eq 0 ] || kill -"$1" "$recorder_pid"
  wait_until "the recorder ends" gone "$recorder_pid"
  wait "$recorder_pid" 2>/dev/null
  recorder_code=$?
  out=$(<"$work/record.out") err=$(<"$work/record.err")
}

# json FILE [OPTIONS]: the recording as JSON in $work/report.json, for field, call_field and quality
json() {
  timeout 60 "$CALLSCOPE" report "$@" --json >"$work/report.json" || fail "report --json of $1"
}
field() { jq -r "$1" "$work/report.json"; }
call_field() { jq -r --arg name "$1" ".functions[] | select(.name == \$name) | .$2" "$work/report.json"; }
quality() { jq -r --arg key "$1" '.quality.items[] | select(.key == $key) | .value' "$work/report.json"; }

# ---- targets and waiting

gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }

# wait_until WHAT COMMAND...: ends the test when COMMAND does not succeed in time
wait_until() {
  local what=$1 end=$((SECONDS + kStartSeconds))
  shift
  until "$@" 2>/dev/null; do
    if [ $SECONDS -ge $end ]; then
      cat "$work"/record.err "$work"/target.err 2>/dev/null
      die "waited ${kStartSeconds} s in vain until $what"
    fi
    sleep 0.02
  done
}

# start_target PROGRAM ARGS...: a program of tests/targets (or a path), up to its handshake
start_target() {
  local program=$1
  shift
  [[ $program = /* ]] || program=$TARGETS/$program
  exec {to_target}>&-
  rm -f "$work/target.in" "$work/target.out"
  mkfifo "$work/target.in"
  "$program" "$@" --wait --hold <"$work/target.in" >"$work/target.out" 2>"$work/target.err" &
  target_pid=$!
  children+=("$target_pid")
  exec {to_target}>"$work/target.in"
  wait_until "$program is ready" grep -qx ready "$work/target.out"
}

# release_target: lets it work; returns when its work is done and its truth printed
release_target() {
  printf x >&"$to_target"
  wait_until "the target has worked" grep -qx "done" "$work/target.out"
}

# end_target: lets it exit; its exit code is in $target_code
end_target() {
  exec {to_target}>&-
  exec {to_target}>/dev/null
  wait_until "the target ends" gone "$target_pid"
  wait "$target_pid" 2>/dev/null
  target_code=$?
}

# truth WHAT NAME [FILE]: a number that the target printed about itself
truth() { awk -v what="$1" -v name="$2" '$1 == what && $2 == name { print $3 }' "${3:-$work/target.out}"; }
