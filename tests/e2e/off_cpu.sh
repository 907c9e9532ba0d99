#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Waits by stack as a user meets them: in the text, as folded stacks, as a flame graph and in JSON, of
# a C program and of Debian's python3, with and without CPU samples.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

start_target t_known
start_record -p "$target_pid" --off-cpu -o waits.cscope
release_target
stop_record INT
end_target
equal "exit code" "$recorder_code" 0
json waits.cscope
slept=$(truth total_ns sleepy)
seen=$(field '[.off_cpu.stacks[] | select(.frames | index("sleepy")) | .blocked_ns + .runq_ns] | add')
between "time in sleepy" "$seen" $((slept * 8 / 10)) "$slept"
equal "stacks of sleepy reach the start" \
  "$(field '[.off_cpu.stacks[] | select(.frames | index("sleepy")) | .end] | unique | join(" ")')" complete
for key in waits_lost wait_stacks_not_received waits_not_walked; do equal "$key" "$(quality $key)" 0; done
run 0 report waits.cscope
matches "text: what was waited" "$out" 'OFF CPU +[0-9.]+[mu]?s in [0-9]+ waits of [0-9]+ threads'
matches "text: the stack, and what it does in the kernel" "$out" 'nanosleep +clock_nanosleep.* sleepy < main'
run 0 report waits.cscope --weight off-cpu --format folded
matches "folded" "$out" 't_known;.*main;sleepy;.*nanosleep_\[k\];schedule_\[k\] [0-9]+'
run 0 report waits.cscope --weight off-cpu -o waits.svg
succeeds "the flame graph is XML" xmllint --noout waits.svg
matches "flame graph: title" "$(<waits.svg)" 'off CPU, [0-9.]+m?s of waits'
run 2 report waits.cscope --weight off-cpu --only-slow --format folded
matches "only slow" "$err" 'only-slow chooses CPU samples'

# Without CPU samples, and Python.
script=$root/tests/targets/t_python.py
run 0 record -F 0 --off-cpu -o python.cscope -- /usr/bin/python3 "$script" --ms 20 --sleep
json python.cscope
equal "no samples" "$(field .cpu.samples)" 0
run 0 report python.cscope --weight off-cpu --format folded
matches "Python functions wait" "$out" 'down \(t_python.py\)_\[p\];burn \(t_python.py\)_\[p\];.*clock_nanosleep'
lacks "in the place of the interpreter's loop" "$(grep 'burn (t_python.py)' <<<"$out")" _PyEval_EvalFrameDefault

# Not asked for.
run 0 record -d 100ms -o without.cscope -- sleep 1
run 0 report without.cscope
lacks "no section" "$out" 'OFF CPU'
run 0 report without.cscope --weight off-cpu -o without.svg
matches "the picture says what to do" "$(<without.svg)" 'record --off-cpu'

finish
