# SPDX-License-Identifier: Apache-2.0
# Sourced by the benches: where things are, medians, result lines, programs run in the background.
# A bench prints a table and at its end one line "RATIO name value limit pass|fail" for each limit.
# Environment: CALLSCOPE (the program), TARGETS (folder of the target programs), ROUNDS.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153  # some are only read by the benches; coproc sets TARGET_PID

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

first_existing() {
  local path
  for path in "$@"; do
    [ -e "$path" ] && printf '%s' "$path" && return
  done
}

CALLSCOPE=${CALLSCOPE:-$(first_existing "$root/build-test/callscope" "$root/build/callscope")}
TARGETS=${TARGETS:-$(first_existing "$root"/build-test/tests/targets "$root"/build/tests/targets)}
ROUNDS=${ROUNDS:-5}
work=$(mktemp -d)
children=()

die() {
  echo "$(basename "$0"): $*" >&2
  exit 2
}

# Ends only what this bench started, then removes its files.
cleanup() {
  local pid
  for pid in "${children[@]}"; do kill -9 "$pid" 2>/dev/null; done
  rm -rf "$work"
}
trap cleanup EXIT

need() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || die "$program is missing; scripts/install_deps.sh --test installs it"
  done
}

[ "$(id -u)" -eq 0 ] || die "needs root for BPF"
[ -n "$TARGETS" ] || die "no target programs; build the tests or set TARGETS"

# median: of the numbers on stdin, one a line.
median() { sort -g | awk '{ v[NR] = $1 } END { if (NR) print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

calculate() { awk "BEGIN { printf \"%.4g\", $1 }"; }

# ratio NAME VALUE LIMIT: VALUE must be at most LIMIT; an empty VALUE (not measured) fails.
status=0
ratio() {
  local verdict=fail
  [ -n "$2" ] && awk "BEGIN { exit !($2 <= $3) }" && verdict=pass
  [ "$verdict" = pass ] || status=1
  printf 'RATIO %s %s %s %s\n' "$1" "${2:-none}" "$3" "$verdict"
}

now_ms() { printf '%s' "$((${EPOCHREALTIME/./} / 1000))"; }

# background COMMAND...: runs it with its output in $work/log, pid in $started.
background() {
  "$@" >"$work/log" 2>&1 </dev/null &
  started=$!
  children+=("$started")
}

# stop PID SIGNAL: asks it to end and waits; its status is that of stop.
stop() {
  kill -"$2" "$1" 2>/dev/null
  wait "$1" 2>/dev/null
}

# open_target PROGRAM ARGS...: starts a target with --wait; sets target_pid and descriptors to_target, from_target.
open_target() {
  local program=$1 line
  shift
  coproc TARGET { exec "$TARGETS/$program" "$@" --wait --hold 2>>"$work/target.log"; }
  target_pid=$TARGET_PID
  children+=("$target_pid")
  # shellcheck disable=SC2153  # set by coproc
  exec {to_target}>&"${TARGET[1]}" {from_target}<&"${TARGET[0]}"
  read -r -t 10 line <&"$from_target" || die "$program did not start: $(cat "$work/target.log")"
  [ "$line" = ready ] || die "$program said '$line' instead of ready"
}

release_target() { printf x >&"$to_target"; }

close_target() {
  # The coprocess ends when it reads EOF; bash holds copies of both ends.
  exec {to_target}>&- {from_target}<&-
  # shellcheck disable=SC2086
  [ -n "${TARGET[1]:-}" ] && eval "exec ${TARGET[1]}>&- ${TARGET[0]}<&-"
  kill "$target_pid" 2>/dev/null
  wait "$target_pid" 2>/dev/null || true
}
