#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A function that is called five million times a second, recorded as a user would: callscope keeps its
# probes within the budget. t_hot does equal windows of work for 5 s each, with and without callscope in
# turn, from the moment of its start; also one rarely called function is recorded. Limits: slowdown at
# most the default budget (5 %) + 2 points + what the same measure makes of nothing; every call of the
# rare function counted and timed; every call of the hot one counted for as long as it was probed.
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
need jq
budget_percent=5
seconds=${SECONDS_EACH:-5}
calls=400000 # a window of some 80 ms on an idle machine

# windows FILE: windows for so many seconds; appends their times, adds up $window_count.
windows() {
  local end=$(($(now_ms) + seconds * 1000))
  while [ "$(now_ms)" -lt "$end" ]; do
    window >>"$work/$1"
    window_count=$((window_count + 1))
  done
}

mean() { awk '{ sum += $1 } END { if (NR) printf "%.4g", sum / NR }' "$work/$1"; }
percent_over() { awk "BEGIN { printf \"%.2f\", ($(mean "$1") / $(mean "$2") - 1) * 100 }"; }

[ -n "$CALLSCOPE" ] || die "no callscope program; build it or set CALLSCOPE"
open_target t_hot --calls "$calls"
release_target
window_count=0
rounds=$((ROUNDS < 3 ? ROUNDS : 3))
for ((round = 0; round < rounds; ++round)); do
  windows none_1
  # The recorder is stopped after the last window that counts; the first begins when it says that it
  # records, so every call of these windows is its to count.
  background timeout 90 "$CALLSCOPE" record -p "$target_pid" -f hot_step,cold_step -d 80s -o "$work/r.cscope"
  for ((i = 0; i < 400; ++i)); do
    grep -q 'recording ' "$work/log" && break
    sleep 0.05
  done
  window_count=0
  windows ours
  stop "$started" TERM || cat "$work/log" >&2
  windows_recorded=$window_count
  windows none_2
  report r.cscope '.functions[] | [.name, .calls, .returns, .skipped // 0, .unwound + .running + .untimed,
    .sample_every // 1, .untimed_ns // 0, .detached_ns // 0] | @tsv' >"$work/functions-$round"
  {
    echo "hot_step $((windows_recorded * calls))"
    echo "cold_step $((windows_recorded * ((calls + 9999) / 10000)))"
  } >"$work/truth-$round"
done
close_target

slowdown=$(percent_over ours none_1)
noise=$(awk "BEGIN { d = $(percent_over none_2 none_1); printf \"%.2f\", d < 0 ? -d : d }")
echo "A function called $(awk "BEGIN { printf \"%.1f\", 1000 / $(mean none_1) }") million times a second, default options, $seconds s."
echo
head_row "" value
row "ns per call, without callscope" "$(mean none_1)"
row "ns per call, recorded" "$(mean ours)"
row "slowdown, %" "$slowdown"
row "the same measure of nothing, %" "$noise"
echo
head_row round function "calls made" counted timed "left out" "one in" "timed until, s" "probed until, s"
wrong=0
for ((round = 0; round < rounds; ++round)); do
  while IFS=$'\t' read -r name counted timed skipped other every untimed_ns detached_ns; do
    made=$(awk -v name="$name" '$1 == name { print $2 }' "$work/truth-$round")
    row "$round" "$name" "$made" "$counted" "$timed" "$skipped" "$every" "$(calculate "$untimed_ns / 1e9")" \
      "$(calculate "$detached_ns / 1e9")"
    [ "$counted" = "$made" ] || [ "$detached_ns" != 0 ] || wrong=$((wrong + 1))
    [ "$counted" -le "$made" ] || wrong=$((wrong + 1))
    [ "$((timed + skipped + other))" = "$counted" ] || wrong=$((wrong + 1))
    [ "$name" != cold_step ] || [ "$timed" = "$made" ] || wrong=$((wrong + 1))
  done <"$work/functions-$round"
done
echo
ratio budget_slowdown_percent "$slowdown" "$(calculate "$budget_percent + 2 + $noise")"
ratio budget_counts_wrong "$([ -s "$work/functions-0" ] && echo "$wrong")" 0
exit "$status"
