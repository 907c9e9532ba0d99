#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# list shows what can be probed in a process or a file, with sizes as nm has them; doctor tells what
# this machine and a target are like, as text and JSON, and leaves the target alone.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
known=$TARGETS/t_known

# nm_size PROGRAM FUNCTION: its size, decimal
nm_size() { printf '%d' "0x$(nm -S "$1" | awk -v name="$2" '$4 == name { print $2 }')"; }

# ---- list BINARY
run 0 list "$known" 'work_*'
equal "rows for work_*" "$(grep -cE ' work_[abc]$' out)" 3
matches "a header" "$(head -n 1 out)" "SIZE +SITE +ENTRY +EXIT +EXITS +COST.* +MODULE +FUNCTION"
run 0 list "$known" 'work_*' --json
cp out list.json
for function in work_a work_b work_c; do
  equal "size of $function, as nm has it" \
    "$(jq --arg name $function '.[] | select(.name == $name) | .size_bytes' list.json)" "$(nm_size "$known" $function)"
done
equal "module" "$(jq -r '[.[].module] | unique[]' list.json)" "$known"
between "predicted cost of a probe, ns" "$(jq '[.[].probe_cost_ns] | max' list.json)" 100 100000
equal "the first instruction of a function with a frame is emulated" "$(jq -r '[.[].entry] | unique[]' list.json)" emulated
equal "so the probe stands there" "$(jq -c '[.[].site_off_bytes] | unique' list.json)" '[0]'
equal "a return probe needs no exit sites" "$(jq -c '[.[].exit_sites] | unique' list.json)" '[{"emulated":0,"stepped":0}]'
run 0 list "$TARGETS/t_manyfuncs" 'f_*' --json
equal "functions in a large program" "$(jq length out)" 10000
run 0 list "$known"
between "all functions of a file" "$(grep -c ' t_known ' out)" 5 100
run 0 list "$TARGETS/t_throw" 'throw_frame*' --json
equal "C++ names match without parameters" "$(jq -r '.[].name' out | sort -u)" throw_frame
run 0 list /lib/x86_64-linux-gnu/libc.so.6 '*' --json
cp out libc.json
equal "rows of the C library: each can be probed or says why not" \
  "$(jq '[.[] | select((.refused // "") == "" and .exit == null)] | length' libc.json)" 0
between "its entries at emulated instructions, percent" \
  "$(jq '[.[] | select(.entry)] | 100 * (map(select(.entry == "emulated")) | length) / length | floor' libc.json)" 70 100
between "its entry probes behind the first instruction" "$(jq '[.[] | select(.site_off_bytes > 0)] | length' libc.json)" 300 3000
equal "setjmp gets no return probe" "$(jq -r '.[] | select(.name == "_setjmp") | .exit + ": " + .why_not_better' libc.json)" \
  "ret-site: looks at its return address"
equal "nor does what switches stacks" "$(jq -r '.[] | select(.name == "setcontext") | .exit' libc.json)" entry-only
between "exits of asprintf at its stack check" "$(jq '.[] | select(.name | test("^_*asprintf$")) | .exit_sites.emulated' libc.json)" 1 1
refused 4 "no/such/file.*No such file" list /no/such/file
refused 1 "not an ELF" list "$root/tests/e2e/README.md"

# ---- list -p
start_target t_known --calls 1 --sleeps 0
run 0 list -p "$target_pid" 'work_*' --json
equal "functions of a process" "$(jq -r '.[].name' out | sort | tr '\n' ' ')" "work_a work_b work_c "
equal "exit of a plain C program" "$(jq -r '[.[].exit] | unique[]' out)" uretprobe
run 0 list -p "$target_pid" 'libc.so.6:malloc' --json
equal "a library function" "$(jq -r '[.[] | select(.refused == null) | .name | sub("^__libc_"; "")] | unique[]' out)" malloc
matches "its module" "$(jq -r '.[0].module' out)" "/libc.so.6$"
run 0 list -p "$target_pid" 'libc.so.6:*alloc'
between "rows for *alloc in libc" "$(grep -c 'libc.so.6 ' out)" 4 100

# ---- doctor
run 0 doctor
for check in kernel btf capabilities lockdown "CPU sampling"; do
  matches "doctor: $check" "$(tr '_' ' ' <out)" "$check"
done
matches "doctor: verdict" "$out" "callscope can record here"
matches "doctor: the kernel" "$out" "$(uname -r)"
run 0 doctor --json
equal "doctor --json: schema" "$(jq -r .schema out)" "callscope.doctor/1"
equal "doctor --json: can_record" "$(jq -r .can_record out)" true
equal "doctor --json: keys of each check" "$(jq -c '[.machine[] | keys] | unique' out)" '[["advice","finding","name","status"]]'
equal "doctor --json: states" "$(jq '[.machine[].status] - ["ok", "warn", "fail"] | length' out)" 0
equal "doctor --json: nothing about a target" "$(jq 'has("target")' out)" false
equal "doctor --json: what failed has advice" "$(jq '[.machine[] | select(.status == "fail" and .advice == "")] | length' out)" 0

run 0 doctor -p "$target_pid"
matches "doctor -p: the process" "$out" "$target_pid \(t_known\)"
run 0 doctor -p "$target_pid" --json
facts=$(jq -r '.target[] | .name + ": " + .finding' out)
for name in unwinder Go fiber seccomp shadow frame symbols; do
  matches "doctor -p: says something about $name" "${facts,,}" "${name,,}"
done
equal "doctor -p: a plain C program needs no warning" "$(jq -r '[.target[] | select(.status != "ok") | .name] | join(" ")' out)" ""
end_target
equal "the target's exit code after list and doctor" "$target_code" 0

start_target t_throw
run 0 doctor -p "$target_pid" --json
matches "doctor -p: a C++ program maps an unwinder" "$(jq -r '.target[] | select(.status != "ok") | .finding' out)" "may throw: .*t_throw"
run 0 list -p "$target_pid" 'throw_*' --json
equal "list -p: no return probes in a C++ program" "$(jq -r '[.[].exit] | unique | index("uretprobe")' out)" null
between "list -p: their exits are probed instead" "$(jq '[.[] | select(.exit == "ret-site") | .exit_sites | .emulated + .stepped] | min' out)" 1 100
end_target
start_target t_known_stripped --calls 1 --sleeps 0
run 0 doctor -p "$target_pid" --json
matches "doctor -p: a stripped program" "$(jq -r '.target[] | select(.status != "ok") | .finding' out)" "symbols|stripped"
end_target
start_target t_busy_nofp --ms 1
run 0 doctor -p "$target_pid" --json
matches "doctor -p: a program without frame pointers" "$(jq -r '.target[] | select(.name | test("frame")) | .status + " " + .finding' out)" "^warn"
end_target
finish
