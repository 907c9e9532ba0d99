#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The target survives, whatever is probed: programs print the same and end the same with a probe on
# each function of the program, of libc and of the dynamic linker, from their first instruction on.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
linker=$(basename "$(readlink -f /lib64/ld-linux-x86-64.so.2)")

# unharmed PATTERNS COMMAND...: the same output and exit code with and without a recording. A program
# without any function of its own (stripped, nothing exported) is left out where nothing else is probed.
unharmed() {
  local patterns=$1 wanted code
  shift
  if [ "$patterns" = '*' ]; then
    "$CALLSCOPE" list "$(command -v "$1")" --json 2>/dev/null | jq -e 'any(.refused == null)' >/dev/null || return
  fi
  timeout 60 "$@" >plain.out 2>plain.err </dev/null {to_target}>&-
  wanted=$?
  timeout -k 5 120 "$CALLSCOPE" record -q -F 0 -f "$patterns" -o all.cscope -- "$@" \
    >probed.out 2>probed.err </dev/null {to_target}>&-
  code=$?
  equal "'$patterns' in $(basename "$1"): exit code" "$code" "$wanted"
  succeeds "  output" cmp plain.out probed.out
  json all.cscope
  between "  probed functions that were called" "$(field '[.functions[] | select(.calls > 0)] | length')" 1 5000
}

for patterns in '*' 'libc.so.6:*' "$linker:*" "*,libc.so.6:*,$linker:*"; do
  unharmed "$patterns" "$TARGETS/t_longjmp"
  unharmed "$patterns" "$TARGETS/t_early"
  unharmed "$patterns" "$TARGETS/t_fork"
  # shellcheck disable=SC2016 # expanded by the inner shell
  unharmed "$patterns" bash -c 'x=$(echo hi; ls -d / | wc -l); for i in 1 2 3; do /bin/true; done
    trap "echo caught" USR1; kill -USR1 $$; printf "%5d|%s|%x\n" 42 "$x" 255; exit 3'
  unharmed "$patterns" /usr/bin/python3 -c 'import subprocess, threading
print("%d %s" % (1, "x"), subprocess.run(["echo", "child"], capture_output=True).stdout)
thread = threading.Thread(target=print, args=("thread",)); thread.start(); thread.join()'
  unharmed "$patterns" sqlite3 :memory: 'select printf("%08.3f", 2.5), upper("text"), hex(zeroblob(300))'
done

# Signal handlers run on probed code; their number is fixed, the rest of the output is not.
run 0 record -q -F 0 -f "*,libc.so.6:*,$linker:*" -o signals.cscope -- "$TARGETS/t_signals" --signals 50
equal "signals handled by a program probed all over" "$(truth calls handler_work out)" 100

# A running process, attached to and left again in the middle of its calls.
start_target t_busy --seconds 3
release_target &
for ((i = 0; i < 4; ++i)); do
  run 0 record -q -p "$target_pid" -F 99 -f "*,libc.so.6:*,$linker:*" -d 300ms -o again.cscope
done
wait_until "the target has worked" grep -qx "done" target.out
end_target
equal "a process attached to four times: exit code" "$target_code" 0
finish
