#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Attach + detach against the number of functions: how much longer a recording of 1 s takes with them
# than without any, so choosing names, loading, calibrating and writing results count as well. Peers
# that use one perf event a probe get 20 functions at most: each takes a quarter of a second to detach.
# Limits: 1,000 functions over one 100 ms, 10,000 over one 300 ms.
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
need bpftrace

# elapsed FILE COMMAND...: appends the ms that it took; nothing if it failed.
elapsed() {
  local file=$1 start
  shift
  start=$(now_ms)
  if timeout 90 "$@" >"$work/log" 2>&1 </dev/null; then
    echo $(($(now_ms) - start)) >>"$work/$file"
  else
    cat "$work/log" >&2
  fi
}

ours() {
  local functions=$1 pattern=$2
  elapsed "ours-$functions" "$CALLSCOPE" record -p "$target_pid" ${pattern:+-f "$pattern"} -F 99 -d 1s \
    "${no_budget[@]}" -o "$work/r.cscope"
}

peer() {
  local functions=$1 program="" i
  for ((i = 0; i < functions; ++i)); do
    program+="uprobe:$TARGETS/t_manyfuncs:f_000$(printf %02d "$i") { @start[tid] = nsecs; }
uretprobe:$TARGETS/t_manyfuncs:f_000$(printf %02d "$i") /@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); } "
  done
  elapsed "bpftrace-$functions" bpftrace -p "$target_pid" -e "$program interval:s:1 { exit(); }"
}

declare -A patterns=([0]="" [1]=f_00000 [10]='f_0000*' [100]='f_000*' [1000]='f_00*' [10000]='f_*')
open_target t_manyfuncs
for ((round = 0; round < ROUNDS; ++round)); do
  if [ -n "$CALLSCOPE" ]; then
    for functions in 0 1 10 100 1000 10000; do ours "$functions" "${patterns[$functions]}"; done
  fi
  [ "$round" -ge 2 ] || for functions in 0 1 10; do peer "$functions"; done
done
close_target

echo "ms that attaching and detaching add to a recording of one second."
echo
head_row functions callscope "bpftrace, entry + return"
for functions in 1 10 100 1000 10000; do
  bpftrace=$(difference "bpftrace-$functions" bpftrace-0)
  [ "$functions" -le 10 ] || bpftrace="(not tried)"
  row "$functions" "$(difference "ours-$functions" ours-0)" "${bpftrace:--}"
done
echo
ratio attach_detach_1000_ms "$(difference ours-1000 ours-1)" 100
ratio attach_detach_10000_ms "$(difference ours-10000 ours-1)" 300
exit "$status"
