#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# check_target.sh PROGRAM [ARGS] -- LINE...: runs PROGRAM without any probe and fails unless it goes
# through the handshake, exits 0, prints each LINE (an extended regular expression for a whole line)
# and ends its output with "done". STDIN_TEXT replaces the single byte sent on stdin.
set -u
command=()
while [ $# -gt 0 ] && [ "$1" != "--" ]; do
  command+=("$1")
  shift
done
shift
output=$(printf '%b' "${STDIN_TEXT:-x}" | timeout 60 "${command[@]}" --wait --hold)
status=$?
failures=0
fail() {
  echo "FAIL: $1"
  failures=1
}
[ "$status" -eq 0 ] || fail "exit status $status instead of 0"
[ "$(head -n 1 <<<"$output")" = ready ] || fail "the first line is not 'ready'"
[ "$(tail -n 1 <<<"$output")" = "done" ] || fail "the last line is not 'done'"
for line in "$@"; do
  grep -qxE -- "$line" <<<"$output" || fail "no line '$line'"
done
[ "$failures" -eq 0 ] || printf 'output was:\n%s\n' "$output"
exit "$failures"
