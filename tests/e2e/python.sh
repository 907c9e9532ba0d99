#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Interpreters and JITs as a user meets them: Debian's python3 and node, with a perf map and with a
# jitdump, from a run that callscope starts and from one that it attaches to.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

script=$root/tests/targets/t_python.py

# A Python program is started, and attached to.
run 0 record -F 499 -o launched.cscope -- /usr/bin/python3 "$script" --ms 20
json launched.cscope
between "launched: samples with Python functions" "$(quality python_samples)" 100 1000000
start_target /usr/bin/python3 "$script" --ms 20
start_record -p "$target_pid" -F 499 -o attached.cscope
release_target
stop_record INT
end_target
equal "attached: exit code" "$recorder_code" 0
json attached.cscope
samples=$(quality python_samples)
between "attached: samples with Python functions" "$samples" 300 1000000
for key in python_no_thread python_broken python_mismatch python_without_name python_unknown_code; do
  equal "attached: $key" "$(quality $key)" 0
done
equal "modules of kind python are files" \
  "$(field '[.cpu.functions[] | select(.name == "burn") | .module] | unique | join(" ")')" "$script"

# How they are shown.
run 0 report attached.cscope --format folded
matches "folded: recursion" "$out" 'down \(t_python.py\)_\[p\];down \(t_python.py\)_\[p\];burn \(t_python.py\)_\[p\]'
matches "folded: through C" "$out" 'of_c \(t_python.py\)_\[p\];[^;]*[^p]\];.*of_c.<locals>.<lambda> \(t_python.py\)_\[p\];burn'
matches "folded: made from text" "$out" 'made_07 \(<made>\)_\[p\];burn'
run 0 report attached.cscope --format folded --lines
matches "folded with lines" "$out" 'main \(t_python.py:[0-9]+\)_\[p\];all_ways \(t_python.py:[0-9]+\)_\[p\]'
run 0 report attached.cscope -o python.svg
succeeds "the flame graph is XML" xmllint --noout python.svg
matches "flame graph" "$(<python.svg)" 'burn \(t_python.py\)'
equal "sqlite3: modules" "$(sqlite3 attached.cscope "select count(*) > 0 from module where kind = 'python'")" 1

# Switched off.
start_target /usr/bin/python3 "$script" --ms 5
start_record -p "$target_pid" -F 499 --python off -o off.cscope
release_target
stop_record INT
end_target
run 0 report off.cscope --format folded
matches "off: the interpreter's loop" "$out" _PyEval_EvalFrameDefault
lacks "off: no Python function" "$out" 't_python.py'

# An interpreter that is not known.
start_target t_no_python --ms 300
start_record -p "$target_pid" -o unknown.cscope
release_target
stop_record INT
end_target
run 0 report unknown.cscope
matches "unknown: one line" "$out" 'python functions are not shown, only native ones: .*t_no_python is CPython 3.14.0'

# node writes a perf map or a jitdump.
cat >busy.js <<'JS'
function inner_of_js(n) { let s = 0; for (let i = 0; i < n; i++) s = (s * 31 + i) | 0; return s; }
function outer_of_js() { let s = 0; for (let i = 0; i < 100; i++) s ^= inner_of_js(20000); return s; }
const end = Date.now() + Number(process.argv[2]);
while (Date.now() < end) outer_of_js();
JS
if command -v /usr/bin/node >/dev/null; then
  for option in --perf-basic-prof --perf-prof; do
    run 0 record -F 499 -o node.cscope -- /usr/bin/node "$option" --interpreted-frames-native-stack busy.js 2000
    run 0 report node.cscope --format folded
    # What of it has been compiled into one is up to node.
    matches "node $option" "$out" '(inner_of_js|outer_of_js|busy.js)[^;]*_\[j\]'
    # Of the samples in code that was compiled at run time, those without a name.
    read -r compiled unnamed < <(awk '/_\[j\] [0-9]+$/ { all += $NF } /\[jit\+[^;]*$/ { unnamed += $NF }
      END { print all + 0, unnamed + 0 }' <<<"$out")
    between "node $option: samples in compiled code" "$compiled" 50 100000
    between "node $option: those without a name" "$unnamed" 0 "$((compiled / 20))"
    json node.cscope
    between "node $option: per cent of stacks that reach the start, through V8's builtins" \
      "$(field '100 * ([.cpu.stacks[] | select(.end == "complete") | .count] | add // 0) / .cpu.samples')" 95 100
  done
else
  echo "skipped: no /usr/bin/node"
fi
finish
