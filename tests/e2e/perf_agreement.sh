#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# CPU shares by function against perf record -g on the same run: a program with frame pointers, both
# samplers at once. Every function over 5 % must agree within 2 points, or within four standard
# errors where a busy machine gives too few samples for that.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
command -v perf >/dev/null || { echo "skipped: perf is not installed"; exit $kSkip; }

start_target t_busy --seconds 8
start_record -p "$target_pid" -F 997 -o agreement.cscope
perf record -q -g -e cpu-clock -F 997 -p "$target_pid" -o perf.data >perf.log 2>&1 </dev/null &
perf_pid=$!
children+=("$perf_pid")
wait_until "perf samples" test -s perf.data
release_target
kill -INT "$perf_pid"
wait_until "perf ends" gone "$perf_pid"
stop_record INT
equal "exit code of record" "$recorder_code" 0
json agreement.cscope --no-inlines # perf report leaves them out, too
end_target

# Self time by function, user code only: "45.12 hot_50".
perf report -i perf.data --no-children -g none --stdio -F overhead,sym 2>/dev/null |
  awk '$2 == "[.]" { sub("%", "", $1); print $1, $3 }' >perf.shares
# shellcheck disable=SC2016 # $all is a variable of jq
field '.cpu.samples as $all | [.cpu.stacks[] | {name: .frames[-1], count}] | group_by(.name)[]
  | "\(100 * (map(.count) | add) / $all) \(.[0].name)"' >our.shares
samples=$(field .cpu.samples)
points=$(jq -n "[2, 400 * (2 * 0.25 / $samples | sqrt)] | max")
compared=0
while read -r share name; do
  awk "BEGIN { exit !($share > 5) }" || continue
  compared=$((compared + 1))
  ours=$(awk -v name="$name" '$2 == name { sum += $1 } END { print sum + 0 }' our.shares)
  between "$name: our share, perf's being $share" "$ours" "$(jq -n "$share - $points")" "$(jq -n "$share + $points")"
done <perf.shares
between "functions over 5 %" "$compared" 3 10
finish
