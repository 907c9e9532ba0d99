#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# On a terminal: colours unless NO_COLOR, a progress line that is gone at the end, Ctrl-C typed there,
# no SVG into it. In a pipe: none of that.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
escape=$'\e['

# on_terminal COMMAND...: its output as a terminal got it, in $shown; exit code in $code
on_terminal() {
  script -qec "$(printf '%q ' "$@")" /dev/null </dev/null >shown 2>/dev/null {to_target}>&-
  code=$?
  shown=$(<shown)
}
colors() { grep -oF "${escape}" <<<"$shown" | wc -l; }

run 0 record -f 'work_*' -o run.cscope -- "$TARGETS/t_known" --calls 20 --sleeps 0
run 0 report run.cscope
plain=$out
lacks "report into a file: no escape" "$plain" $'\e'

export TERM=xterm
on_terminal "$CALLSCOPE" report run.cscope
equal "report on a terminal: exit code" "$code" 0
between "  escapes" "$(colors)" 2 10000
on_terminal env NO_COLOR=1 "$CALLSCOPE" report run.cscope
equal "report with NO_COLOR: escapes" "$(colors)" 0
on_terminal env NO_COLOR= "$CALLSCOPE" report run.cscope
between "report with an empty NO_COLOR, which means nothing: escapes" "$(colors)" 2 10000
on_terminal env TERM=dumb "$CALLSCOPE" report run.cscope
equal "report with TERM=dumb: escapes" "$(colors)" 0
on_terminal "$CALLSCOPE" report run.cscope --color never
equal "report --color never: escapes" "$(colors)" 0
run 0 report run.cscope --color always
matches "report --color always into a file" "$out" $'\e\\['
sed -E $'s/\e\\[[0-9;]*m//g' out >uncolored
succeeds "  the same text without its escapes" test "$(<uncolored)" = "$plain"
on_terminal "$CALLSCOPE" doctor
between "doctor on a terminal: escapes" "$(colors)" 2 10000
on_terminal env NO_COLOR=1 "$CALLSCOPE" doctor
equal "doctor with NO_COLOR: escapes" "$(colors)" 0

for command in "report run.cscope --format svg" "flamegraph $root/tests/e2e/data/perf.folded"; do
  # shellcheck disable=SC2086 # words
  on_terminal "$CALLSCOPE" $command
  equal "$command on a terminal: exit code" "$code" 2
  matches "  message" "$shown" "will not write .* to a terminal.*-o"
done
on_terminal "$CALLSCOPE" flamegraph -o none.svg
equal "flamegraph that would read the terminal: exit code" "$code" 2

# The progress line counts, and is wiped before the summary.
start_target t_known --calls 100 --sleeps 0
release_target &
on_terminal "$CALLSCOPE" record -p "$target_pid" -f 'work_*' -d 2500ms -o progress.cscope
equal "record on a terminal: exit code" "$code" 0
between "  progress lines" "$(grep -oE '[0-9]+ s  [0-9]+ samples  [0-9]+ calls  [0-9]+ lost' shown | wc -l)" 2 6
matches "  elapsed time" "$shown" "2 s  [0-9]+ samples"
last=$(tr '\r' '\n' <shown | grep -nE '[0-9]+ samples  [0-9]+ calls' | tail -n 1 | cut -d: -f1)
wiped=$(tr '\r' '\n' <shown | grep -nF "${escape}K" | tail -n 1 | cut -d: -f1)
between "  wiped after the last one, at line" "$wiped" $((last + 1)) $((last + 1))
matches "  the file is named" "$shown" "wrote progress.cscope"
on_terminal "$CALLSCOPE" record -p "$target_pid" -d 1200ms -q -o quiet.cscope
lacks "record -q on a terminal: no progress" "$shown" "samples"

# Ctrl-C typed at the terminal ends the recording of a command, which gets it too.
# shellcheck disable=SC2094 # the reader of the file is the one that waits for its text
(
  wait_until "it records" grep -q 'Ctrl-C ends it' typed
  sleep 0.5
  printf '\003'
  sleep 2
) | script -qec "$(printf '%q ' "$CALLSCOPE" record -o typed.cscope -- sleep 30)" /dev/null 2>/dev/null | cat >typed
code=${PIPESTATUS[1]}
equal "Ctrl-C typed: exit code" "$code" 130
matches "  the summary" "$(<typed)" "QUALITY"
run 0 report typed.cscope --strict
end_target
finish
