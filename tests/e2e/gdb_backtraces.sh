#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Walks of stacks by unwind tables against gdb's backtraces of the same states, in a few programs and
# at few stops; tests/bench/gdb_backtraces.sh has more of both.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/bench/programs.sh
. "$root/tests/bench/programs.sh"
command -v gdb >/dev/null || { echo "skipped: gdb is not installed"; exit $kSkip; }
GDB_STOPS=${GDB_STOPS:-$root/build-test/tests/stopped/gdb_stops}
stops=40

compared=0
for program in redis sqlite3 python3 cc1plus; do
  has_program "$program" || { echo "     not installed: $program"; continue; }
  start_program "$program" || die "$program does not start"
  timeout 60 "$GDB_STOPS" "$program_pid" $stops >stops.txt 2>stops.err
  equal "$program: exit code, 0: no difference without a reason" "$?" 0
  between "$program: stops" "$(awk '$1 == "stops" { print $2 }' stops.txt)" $((stops / 2)) $stops
  between "$program: identical" "$(awk '$1 == "stops" { all = $2 } $1 == "identical" { print 100 * $2 / all }' stops.txt)" 97 100
  sed -n '/^differs/,$s/^/     /p' stops.txt
  stop_program
  compared=$((compared + 1))
done
[ $compared -gt 0 ] || { echo "skipped: none of the programs is installed"; exit $kSkip; }
finish
