#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Walks of stacks by unwind tables against gdb's backtraces of the very same states: programs as Debian
# ships them, and some of tests/targets, are stopped at random moments. Limits: 99.5 % of all are
# identical, address by address, and none of the others is without a reason (STOPS: 300 a program).
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/bench/programs.sh
. "$(dirname "$0")/programs.sh"
need gdb
GDB_STOPS=${GDB_STOPS:-$(first_existing "$root"/build-test/tests/stopped/gdb_stops "$root"/build/tests/stopped/gdb_stops)}
[ -n "$GDB_STOPS" ] || die "no gdb_stops; build the tests"
stops=${STOPS:-300}
targets="t_busy_nofp t_signals t_throw t_recursive"
: >"$work/reasons"
all_stops=0 all_identical=0 wrong=0

start_target_program() {
  case "$1" in
    t_busy_nofp) lead "$TARGETS/$1" --seconds 600 ;;
    t_signals) lead "$TARGETS/$1" --signals 600000 ;;
    t_throw) lead "$TARGETS/$1" --rounds 100000000 ;;
    t_recursive) lead "$TARGETS/$1" --rounds 1000000000 --tails 0 ;;
  esac
  program_pid=$!
  sleep 0.2
}

# value KEY: of the last run.
value() { awk -v key="$1" '$1 == key { print $2 }' "$work/stops"; }

compare() {
  timeout 280 "$GDB_STOPS" "$program_pid" "$stops" >"$work/stops" 2>"$work/log" || wrong=$((wrong + 1))
  local made same
  made=$(value stops) same=$(value identical)
  all_stops=$((all_stops + ${made:-0})) all_identical=$((all_identical + ${same:-0}))
  row "$1" "${made:-0}" "$(calculate "100 * ${same:-0} / (${made:-0} + !${made:-0})") %" \
    "$(calculate "100 * $(value complete) / (${made:-0} + !${made:-0})") %" \
    "$(calculate "100 * $(value deep) / (${made:-0} + !${made:-0})") %"
  [ -s "$work/log" ] && sed "s/^/$1: /" "$work/log" >&2
  sed -n "/^differs/,\$p" "$work/stops" | sed "s/^differs/$1: differs/" >>"$work/reasons"
}

head_row program "random stops" "identical to gdb" "walks that are complete" "deeper than 512 frames"
for program in ${PROGRAMS:-$real_programs $targets}; do
  program_groups=()
  if [[ $program == t_* ]]; then
    start_target_program "$program"
  elif ! has_program "$program" || ! start_program "$program"; then
    die "$program is missing or does not start; scripts/install_deps.sh --bench installs it"
  fi
  compare "$program"
  stop_program
done
echo
if [ -s "$work/reasons" ]; then
  printf 'What differs, and an example of each:\n\n'
  sed 's/^/    /' "$work/reasons" # a block of code in Markdown
  echo
fi
ratio gdb_backtraces_not_identical_percent "$(calculate "100 * ($all_stops - $all_identical) / $all_stops")" 0.5
ratio gdb_backtraces_programs_with_an_unexplained_difference "$wrong" 0
exit "$status"
