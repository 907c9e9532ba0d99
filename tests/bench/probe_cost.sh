#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ns that timing one call adds: functions that begin with push, with endbr64, with sub rsp, in 1 and 2
# threads; callscope as it chooses and with exits on the ret instructions, against bpftrace (uprobe +
# uretprobe, hist()), libbpf-tools' and bcc's funclatency, perf probe + record, and uftrace, whose hook
# must be compiled in. The target times windows of calls itself; tools take turns, medians.
# Limits: a function that begins with endbr64 at most 0.25 of bpftrace on it, and at most 1.15 of one
# that begins with push; push at most 0.8 of bpftrace.
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
need bpftrace perf uftrace funclatency

functions=(cost_push cost_endbr64 cost_sub)
calls=5000
windows=9
program=$TARGETS/t_probecost

# The kernel's own share: both probes with nothing in them but the two clock readings that any timing
# needs. No tool that times each call by a probe at both ends can go below it.
floor_program() {
  echo "uprobe:$program:$1 { \$now = nsecs; } uretprobe:$program:$1 { \$now = nsecs; }"
}

hist_program() {
  echo "uprobe:$program:$1 { @start[tid] = nsecs; }
uretprobe:$program:$1 /@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); }"
}

measure() {
  local i
  for ((i = 0; i < windows; ++i)); do window; done | median
}

# A probe is there when calls take 50 times as long as without: 2 ns against more than 300. The tool
# may still be attaching the other one: some more windows are thrown away.
wait_for_probes() {
  local base=$1 settled deadline=$(($(now_ms) + 30000))
  while [ "$(now_ms)" -lt "$deadline" ]; do
    if awk "BEGIN { exit !($(window) > 50 * $base) }"; then
      settled=$(($(now_ms) + 500))
      while [ "$(now_ms)" -lt "$settled" ]; do window >/dev/null; done
      return 0
    fi
    kill -0 "$started" 2>/dev/null || break
    sleep 0.02
  done
  cat "$work/log" >&2
  return 1
}

# added_cost FILE SIGNAL COMMAND...: appends probed minus unprobed ns per call; nothing if the tool
# did not attach.
added_cost() {
  local file=$1 signal=$2 base probed
  shift 2
  base=$(measure)
  background "$@"
  if wait_for_probes "$base"; then
    probed=$(measure)
    calculate "$probed - $base" >>"$work/$file"
    echo >>"$work/$file"
  fi
  stop "$started" "$signal"
}

ours() {
  local file=$1 name=$2
  shift 2
  [ -z "$CALLSCOPE" ] ||
    added_cost "$file" TERM timeout 90 "$CALLSCOPE" record -p "$target_pid" -f "$name" -F 0 -d 80 \
      "${no_budget[@]}" "$@" -o "$work/r.cscope"
}

# perf's probes belong to the whole machine until they are deleted.
perf_group=bench_$$
perf_cost() {
  local file=$1 name=$2
  if ! { perf probe -q -x "$program" "$perf_group:enter=$name" &&
    perf probe -q -x "$program" "$perf_group:leave=$name%return"; } >"$work/log" 2>&1; then
    cat "$work/log" >&2
    return
  fi
  added_cost "$file" INT timeout 90 perf record -q -e "$perf_group:*" -p "$target_pid" -o "$work/perf.data"
  perf probe -q -d "$perf_group:*" >/dev/null 2>&1
}
trap 'perf probe -q -d "$perf_group:*" >/dev/null 2>&1; cleanup' EXIT

# uftrace starts the program; what its hook takes is compared to the same loop without one.
uftrace_cost() {
  local base probed
  base=$("$program" cost_push "$calls" --windows "$windows" | awk '/ns_per_call/ { print $2 }' | median)
  probed=$(cd "$work" && timeout 60 uftrace record -d uftrace.data "$TARGETS/t_probecost_pg" cost_push "$calls" \
    --windows "$windows" 2>"$work/log" | awk '/ns_per_call/ { print $2 }' | median)
  [ -n "$probed" ] && calculate "$probed - $base" >>"$work/$1" && echo >>"$work/$1"
  rm -rf "$work/uftrace.data"
}

bcc_why=$(bcc_refusal)
for threads in 1 2; do
  for name in "${functions[@]}"; do
    key=$name-$threads
    open_target t_probecost "$name" "$calls" --threads "$threads"
    release_target
    window >/dev/null
    for ((round = 0; round < ROUNDS; ++round)); do
      ours "ours-$key" "$name"
      added_cost "bpftrace-$key" INT timeout 90 bpftrace -p "$target_pid" -e "$(hist_program "$name")"
      ours "retsite-$key" "$name" --exit-mode ret-site
      added_cost "libbpf-$key" INT timeout 90 funclatency -p "$target_pid" ":$name"
      [ -n "$bcc_why" ] || added_cost "bcc-$key" INT timeout 90 funclatency-bpfcc -p "$target_pid" "$program:$name"
      [ "$key" != cost_push-1 ] ||
        added_cost floor INT timeout 90 bpftrace -p "$target_pid" -e "$(floor_program "$name")"
      [ "$key" != cost_push-1 ] || uftrace_cost "uftrace-$key"
    done
    [ "$threads" -ne 1 ] || perf_cost "perf-$key" "$name"
    close_target
  done
done

echo "ns that timing one call adds (entry, return, histogram); ratios to bpftrace in the same run."
echo
head_row "first instruction" threads "callscope / bpftrace" "ret-site / bpftrace" callscope "callscope, ret-site" \
  bpftrace "libbpf-tools funclatency" "bcc funclatency" "perf probe + record" "uftrace -pg"
for threads in 1 2; do
  for name in "${functions[@]}"; do
    key=$name-$threads
    bcc=$(cell "bcc-$key")
    [ -z "$bcc_why" ] || bcc=$bcc_why
    row "${name#cost_}" "$threads" "$(quotient "ours-$key" "bpftrace-$key")" "$(quotient "retsite-$key" "bpftrace-$key")" \
      "$(cell "ours-$key")" "$(cell "retsite-$key")" "$(cell "bpftrace-$key")" "$(cell "libbpf-$key")" "$bcc" \
      "$(cell "perf-$key")" "$(cell "uftrace-$key")"
  done
done
echo
echo "Both probes with the two clock readings and nothing else (bpftrace, push): $(cell floor) ns."
echo
ratio push_vs_bpftrace "$(quotient ours-cost_push-1 bpftrace-cost_push-1)" 0.8
ratio endbr64_vs_bpftrace "$(quotient ours-cost_endbr64-1 bpftrace-cost_endbr64-1)" 0.25
ratio endbr64_vs_bpftrace_2_threads "$(quotient ours-cost_endbr64-2 bpftrace-cost_endbr64-2)" 0.25
ratio endbr64_vs_push "$(quotient ours-cost_endbr64-1 ours-cost_push-1)" 1.15
exit "$status"
