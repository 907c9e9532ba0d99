#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Numbers against the truth that the program itself prints. t_known: calls, total time, p50 and p99 of
# functions that time their own bodies. Recursion of depth 1,000, longjmp over 63 frames, throw through
# 10: calls counted and calls timed. callscope, bpftrace, libbpf-tools' funclatency and uftrace (-pg).
# Limits for callscope: every count exact, the target alive; total, p50 and p99 off by 5 % at most.
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
need bpftrace uftrace funclatency jq

# truth WHAT NAME: from the lines that the target printed.
truth() { awk -v what="$1" -v name="$2" '$1 == what && $2 == name { print $3 }' "$work/truth"; }

# under SIGNAL READY SECONDS COMMAND...: attaches the tool, lets the target work to its end, stops the
# tool. READY is in the tool's output when it has attached, or has begun to and needs some SECONDS more.
# died says whether the target did; its truth is in $work/truth, the tool's words are in $work/log.
under() {
  local signal=$1 ready=$2 seconds=$3 i line
  shift 3
  background "$@"
  for ((i = 0; i < 200; ++i)); do
    grep -q -- "$ready" "$work/log" && break
    kill -0 "$started" 2>/dev/null || break
    sleep 0.05
  done
  sleep "$seconds"
  : >"$work/truth"
  release_target
  while read -r -t 60 line <&"$from_target"; do
    [ "$line" != "done" ] || break
    echo "$line" >>"$work/truth"
  done
  stop "$started" "$signal"
  close_target
  if grep -q '^calls' "$work/truth"; then died=no; else died=yes; fi
}

ours() {
  open_target "$1"
  under TERM "recording " 0.2 timeout 90 "$CALLSCOPE" record -p "$target_pid" -f "$2" -F 0 -d 80 "${no_budget[@]}" -o "$work/r.cscope"
}
field() { report r.cscope ".functions[] | select(.name == \"$1\") | .$2"; }

bpftrace_on() {
  local program="" name file=$TARGETS/$1
  for name in $2; do
    program+="uprobe:$file:$name { @start${name}[tid] = nsecs; @calls[\"$name\"] = count(); }
uretprobe:$file:$name /@start${name}[tid]/ { \$ns = nsecs - @start${name}[tid]; @timed[\"$name\"] = count();
  @sum[\"$name\"] = sum(\$ns); @hist[\"$name\"] = hist(\$ns); delete(@start${name}[tid]); } "
  done
  open_target "$1"
  under INT Attaching 1.5 timeout 90 bpftrace -p "$target_pid" -e "$program"
}
scalar() { sed -nE "s/^@$1\[$2\]: ([0-9]+)/\1/p" "$work/log"; }

# funclatency times one function and says how many in a histogram of powers of two.
funclatency_on() {
  open_target "$1"
  under INT Tracing 0.2 timeout 90 stdbuf -oL funclatency -p "$target_pid" ":$2"
}
# histogram: lines "LOW COUNT" of a log2 histogram in $work/log, of bpftrace (one function) or bcc.
bcc_histogram() { sed -nE 's/^ *([0-9]+) -> [0-9]+ *: ([0-9]+) .*/\1 \2/p' "$work/log"; }
bpftrace_histogram() {
  awk -v name="@hist[$1]:" '$0 ~ /^@/ { on = $1 == name } on && /^\[/ {
      low = $1; gsub(/[][(,)]/, "", low); scale = 1
      if (low ~ /K$/) scale = 1024; if (low ~ /M$/) scale = 1048576; if (low ~ /G$/) scale = 1073741824
      count = $0; sub(/^[^)]*[)] */, "", count); sub(/ .*/, "", count); print (low + 0) * scale, count }' "$work/log"
}
# percentile P: of a log2 histogram on stdin, straight through the bucket that holds it.
percentile() {
  awk -v p="$1" '{ low[NR] = $1; n[NR] = $2; sum += $2 }
    END { rank = p * sum
      for (i = 1; i <= NR; ++i) { if (before + n[i] >= rank) { if (n[i]) print low[i] * (1 + (rank - before) / n[i]); exit } before += n[i] } }'
}

by() { [ -n "$1" ] && [ -n "$2" ] && [ "$2" != 0 ] && awk "BEGIN { printf \"%.3f\", $1 / $2 }"; }
off() { [ -n "$1" ] && awk "BEGIN { d = $1 - 1; printf \"%.3f\", d < 0 ? -d : d }"; }
verdict() { if [ "$1" = "$2" ]; then echo "$1"; else echo "${1:-0}, wrong"; fi; }

echo "Known durations: what a tool says, by the truth of the same run (1 is right)."
echo
head_row tool function calls truth "total" p50 p99
worst=0
wrong=0
known() {
  local name
  for name in work_a work_b work_c sleepy; do
    [ "$2" != one ] || [ "$name" = work_c ] || continue
    local calls total p50 p99
    case $1 in
      callscope) calls=$(field "$name" calls) total=$(field "$name" total_ns) p50=$(field "$name" p50_ns) p99=$(field "$name" p99_ns) ;;
      bpftrace)
        calls=$(scalar calls "$name") total=$(scalar sum "$name")
        p50=$(bpftrace_histogram "$name" | percentile 0.5) p99=$(bpftrace_histogram "$name" | percentile 0.99)
        ;;
      funclatency)
        calls=$(bcc_histogram | awk '{ n += $2 } END { print n }') total=""
        p50=$(bcc_histogram | percentile 0.5) p99=$(bcc_histogram | percentile 0.99)
        ;;
    esac
    total=$(by "$total" "$(truth total_ns "$name")") p50=$(by "$p50" "$(truth p50_ns "$name")") p99=$(by "$p99" "$(truth p99_ns "$name")")
    row "$1" "$name" "$calls" "$(truth calls "$name")" "${total:--}" "${p50:--}" "${p99:--}"
    [ "$1" = callscope ] || continue
    [ "$calls" = "$(truth calls "$name")" ] || wrong=$((wrong + 1))
    worst=$(awk "BEGIN { w = $worst; split(\"$(off "$total") $(off "$p50") $(off "$p99")\", d); for (i in d) if (d[i] > w) w = d[i]; print w }")
  done
}
if [ -n "$CALLSCOPE" ]; then
  ours t_known 'work_*,sleepy'
  known callscope all
fi
bpftrace_on t_known "work_a work_b work_c sleepy"
known bpftrace all
funclatency_on t_known work_c
known funclatency one

echo
echo "Calls that do not simply return. Timed: of how many calls there is a duration."
echo
head_row target function calls returns "callscope: calls" "timed" "bpftrace: calls" "timed" "funclatency: timed" "uftrace -pg: calls"
deaths=0
hard() {
  local target=$1 name=$2 calls="" returns=- unwound="" bpf_calls bpf_timed latency traced expected rets
  "$TARGETS/$target" >"$work/truth"
  expected=$(truth calls "$name") rets=$(truth rets "$name")
  [ -z "$CALLSCOPE" ] || {
    ours "$target" "$name"
    calls=$(field "$name" calls) returns=$(field "$name" returns) unwound=$(field "$name" unwound)
    [ "$died" = no ] || deaths=$((deaths + 1))
  }
  bpftrace_on "$target" "$name"
  bpf_calls=$(verdict "$(scalar calls "$name")" "$expected") bpf_timed=$(scalar timed "$name")
  [ "$died" = no ] || bpf_calls="the target died" bpf_timed=-
  funclatency_on "$target" "$name"
  latency=$(bcc_histogram | awk '{ n += $2 } END { print n + 0 }')
  [ "$died" = no ] || latency="the target died"
  # uftrace starts the program; in some of these it never comes to an end.
  traced="did not end"
  (cd "$work" && timeout 5 uftrace record -d uftrace.data "$TARGETS/${target}_pg" >/dev/null 2>"$work/log") &&
    traced=$(cd "$work" && timeout 20 uftrace report -d uftrace.data 2>/dev/null |
      awk -v name="$name" '$NF ~ "^" name { print $(NF - 1) }') && traced=$(verdict "$traced" "$expected")
  rm -rf "$work/uftrace.data"
  row "$target" "$name" "$expected" "$rets" "$(verdict "$calls" "$expected")" "$returns and ${unwound:--} unwound" \
    "$bpf_calls" "$bpf_timed" "$latency" "$traced"
  [ "$calls" = "$expected" ] || wrong=$((wrong + 1))
  [ "$unwound" = $((expected - rets)) ] || wrong=$((wrong + 1))
}
hard t_recursive recurse
hard t_longjmp jump_frame
hard t_throw throw_frame

echo
ratio accuracy_counts_wrong "$wrong" 0
ratio accuracy_targets_killed "$deaths" 0
ratio accuracy_time_off "$([ "$worst" != 0 ] && echo "$worst")" 0.05
exit "$status"
