# SPDX-License-Identifier: Apache-2.0
# Sourced by the benches: where things are, medians, result lines, programs run in the background.
# A bench prints its figures as Markdown tables, ready for a README, and at its end one line
# "RATIO name value limit pass|fail" for each limit.
# Environment: CALLSCOPE (the program), ATTACH_TIME, TARGETS (folder of the target programs), ROUNDS.
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
ATTACH_TIME=${ATTACH_TIME:-$(first_existing "$root"/build-test/tests/bench/attach_time "$root"/build/tests/bench/attach_time)}
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
    command -v "$program" >/dev/null || die "$program is missing; scripts/install_deps.sh --bench installs it"
  done
}

[ "$(id -u)" -eq 0 ] || die "needs root for BPF"
[ -n "$TARGETS" ] || die "no target programs; build the tests or set TARGETS"

# median: of the numbers on stdin, one a line.
median() { sort -g | awk '{ v[NR] = $1 } END { if (NR) print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

calculate() { awk "BEGIN { printf \"%.4g\", $1 }"; }

# quotient FILE FILE: of the medians of two series; nothing if one of them is empty.
quotient() {
  [ -s "$work/$1" ] && [ -s "$work/$2" ] && calculate "$(median <"$work/$1") / $(median <"$work/$2")"
}

# cell FILE [FORMAT]: the median of a series for a table, or a dash.
cell() {
  if [ -s "$work/$1" ]; then
    # shellcheck disable=SC2059  # the format is ours
    printf "${2:-%.0f}" "$(median <"$work/$1")"
  else
    printf -- '-'
  fi
}

# difference FILE FILE: of the medians of two series; nothing if one of them is empty.
difference() {
  [ -s "$work/$1" ] && [ -s "$work/$2" ] && calculate "$(median <"$work/$1") - $(median <"$work/$2")"
}

# row CELL...: one line of a Markdown table; head CELL...: its first two.
row() {
  printf '|'
  printf ' %s |' "$@"
  printf '\n'
}
head_row() {
  row "$@"
  printf '|%s\n' "$(printf -- '---|%.0s' "$@")"
}

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
  : >"$work/log" # now, not when the process gets to it: what the last one said must not be read
  "$@" >>"$work/log" 2>&1 </dev/null &
  started=$!
  children+=("$started")
}

# stop PID SIGNAL: asks it to end and waits; its status is that of stop. Asks again every five seconds:
# bpftrace now and then misses a signal.
stop() {
  local i
  for ((i = 0; i < 1200; ++i)); do
    [ $((i % 100)) -ne 0 ] || kill -"$2" "$1" 2>/dev/null
    kill -0 "$1" 2>/dev/null || break
    sleep 0.05
  done
  wait "$1" 2>/dev/null
}

# start_redis: one that stores nothing, at $work/redis.sock; sets redis_pid.
start_redis() {
  local i
  redis-server --port 0 --unixsocket "$work/redis.sock" --save '' --dir "$work" >/dev/null 2>&1 &
  redis_pid=$!
  children+=("$redis_pid")
  for ((i = 0; i < 100; ++i)); do
    [ "$(redis-cli -s "$work/redis.sock" ping 2>/dev/null)" = PONG ] && return
    sleep 0.05
  done
  die "redis-server does not answer"
}

# open_target PROGRAM ARGS...: starts a target with --wait; sets target_pid and descriptors to_target, from_target.
# A PROGRAM with a slash is none of $TARGETS.
open_target() {
  local program=$1 line
  shift
  [[ $program == */* ]] || program=$TARGETS/$program
  coproc TARGET { exec "$program" "$@" --wait --hold 2>>"$work/target.log"; }
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

# One window of a target that times its own work: t_probecost, t_hot, t_busy, t_gaps. Prints ns per turn.
window() {
  local key value
  printf x >&"$to_target"
  read -r -t 120 key value <&"$from_target" || die "the target gave no window"
  [[ $key == ns_per_* ]] || die "the target said '$key'"
  printf '%s\n' "$value"
}

# undisturbed: the 5th percentile of such windows. Other work on the machine (or on the other half of the core) makes windows
# slower by up to a half, never faster, while sampling is in every window.
undisturbed() { sort -g | awk '{ v[NR] = $1 } END { if (NR) print v[int(NR / 20) + 1] }'; }

# measure_windows COUNT FILE: adds so many of them to it.
measure_windows() {
  local i
  for ((i = 0; i < $1; ++i)); do window; done >>"$2"
}

# report FILE FILTER: jq over its JSON report.
report() { "$CALLSCOPE" report "$work/$1" --format json | jq -r "$2"; }

# Benches of the probes themselves must not have them thinned out or taken away.
no_budget=()
if [ -n "$CALLSCOPE" ] && "$CALLSCOPE" record --help 2>/dev/null | grep -q -- --budget; then
  no_budget=(--budget 0)
fi

# As installed, BCC's Python tools compile against the headers of the running kernel. Why they do not
# run here, or nothing.
bcc_refusal() {
  if ! command -v funclatency-bpfcc >/dev/null; then
    echo "not installed"
  elif [ ! -e "/lib/modules/$(uname -r)/build" ] && [ ! -e /sys/kernel/kheaders.tar.xz ] &&
    [ -z "${BCC_KERNEL_SOURCE:-}" ]; then
    echo "no headers of this kernel"
  fi
}
