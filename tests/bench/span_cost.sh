#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a callscope::Span adds to the program that has it: while nobody listens, and while callscope
# records it by name. The target times the same function with and without a span, in turns.
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

: >"$work/idle"
: >"$work/recorded"
for ((round = 0; round < ROUNDS; ++round)); do
  "$TARGETS/t_spancost" | awk '$2 == "added" { print $3 }' >>"$work/idle"
  [ -z "$CALLSCOPE" ] ||
    timeout 120 "$CALLSCOPE" record -q -F 0 --span spanned -o "$work/r.cscope" -- \
      "$TARGETS/t_spancost" --calls 20000 --windows 5 2>>"$work/log" |
    awk '$2 == "added" { print $3 }' >>"$work/recorded"
done

idle=$(median <"$work/idle")
head_row "a callscope::Span, both ends" "ns added"
row "while nobody listens" "${idle:-none}"
row "while it is recorded (two probes)" "$(cell recorded)"
echo
ratio span_idle_ns "$idle" 2
exit "$status"
