#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One recording in every report format, each read by a program that is not ours.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# well_formed WHAT FILE: XML, self-contained, one picture with a title and rectangles
well_formed() {
  succeeds "$1 is well-formed XML" xmllint --noout --nonet "$2"
  equal "$1: addresses other than name spaces" \
    "$(grep -oE '(https?|ftp|file):[^"'\'' )<]*' "$2" | grep -vcE '^http://www\.w3\.org/(2000/svg|1999/xlink|1999/xhtml)$')" 0
  equal "$1: things loaded from elsewhere" "$(grep -cE '<(image|link|iframe)|@import|src=' "$2")" 0
  between "$1: rectangles" "$(grep -o '<rect' "$2" | wc -l)" 5 100000
}

run 0 record -f 'hot_*' -F 499 -o busy.cscope -- "$TARGETS/t_busy" --seconds 2
json busy.cscope
samples=$(field .cpu.samples)
between "samples of two workers in 2 s at 499 Hz on $(nproc) CPUs" "$samples" 200 2500

# text
run 0 report busy.cscope
text=$out
for section in FUNCTIONS CPU RESOURCES QUALITY; do
  equal "text: section $section" "$(grep -c "^$section" out)" 1
done
matches "text: target" "$text" "t_busy \(pid [0-9]+\)"
matches "text: build-id" "$text" "build-id +$(file -L "$TARGETS/t_busy" | grep -oP 'BuildID\[sha1\]=\K[0-9a-f]+')"
matches "text: kernel" "$text" "$(uname -r)"
for function in hot_50 hot_30 hot_20; do
  matches "text: a row for $function" "$text" "[^0-9]$(truth calls $function out) .* $function"
done
run 0 report busy.cscope --format text -o text.txt
succeeds "text: -o writes the same" test "$(<text.txt)" = "$text"
equal "text: no line ends in blanks" "$(grep -c ' $' text.txt)" 0
for key in calls total avg p99 max name; do run 0 report busy.cscope --sort $key; done
run 0 report busy.cscope --sort name
functions_of() { sed -n '/^FUNCTIONS/,/^$/p' out | grep -oE ' hot_[0-9]+' | tr -d '\n'; }
equal "text: --sort name" "$(functions_of)" " hot_20 hot_30 hot_50"
for key in oncpu blocked runq threw skipped probe-time; do run 0 report busy.cscope --sort $key; done
run 0 report busy.cscope --wide
for column in self-cpu p90 p95 p99.9 site exit; do
  matches "text: --wide has column $column" "$out" " $column "
done
matches "text: --wide names the exit" "$out" "(uretprobe|ret-site) +hot_50"
run 0 report busy.cscope --callers --histogram='hot_5*' --heatmap=hot_50 --slow --per-thread
for section in CALLERS HISTOGRAMS "HEAT MAPS" "SLOW CALLS" THREADS; do
  equal "text: section $section" "$(grep -c "^$section" out)" 1
done
lacks "text: --histogram=GLOB leaves the others out" "$(sed -n '/^HISTOGRAMS/,/^HEAT/p' out)" "hot_30"
refused 2 "unexpected argument 'hot_50'" report busy.cscope --callers hot_50
refused 2 "--weight latency means nothing to format text" report busy.cscope --weight latency
refused 2 "give one of them" report busy.cscope --format folded --weight latency --only-slow

# json
succeeds "json validates against its schema" /usr/bin/python3 -W ignore -m jsonschema \
  -i report.json "$root/userspace/report/report.schema.json"
equal "json: schema" "$(field .schema)" "callscope.report/1"
equal "json: sum of the stacks" "$(field '[.cpu.stacks[].count] | add')" "$samples"
equal "json: hz" "$(field .cpu.hz)" 499
for key in calls returns unwound running total_ns self_ns avg_ns min_ns max_ns p50_ns p90_ns p95_ns \
  p99_ns p999_ns exit probe_cost_ns on_cpu_ns runq_ns blocked_ns threw skipped sample_every callers; do
  equal "json: hot_50 has $key" "$(field ".functions[] | select(.name == \"hot_50\") | has(\"$key\")")" true
done
equal "json: order of the percentiles" "$(field '[.functions[] | .min_ns <= .p50_ns and .p50_ns <= .p90_ns
  and .p90_ns <= .p95_ns and .p95_ns <= .p99_ns and .p99_ns <= .p999_ns and .p999_ns <= .max_ns] | all')" true
run 0 report busy.cscope --json
equal "json: --json is --format json" "$(cmp out report.json && echo same)" same

# folded
run 0 report busy.cscope --format folded -o busy.folded
equal "folded: lines that do not parse" "$(grep -cvE '^[^;]+(;[^;]+)* [0-9]+$' busy.folded)" 0
equal "folded: sum" "$(awk '{ sum += $NF } END { print sum }' busy.folded)" "$samples"
equal "folded: the first frame is the command" "$(cut -d';' -f1 busy.folded | sort -u)" t_busy
matches "folded: a whole stack" "$(<busy.folded)" ";worker;chain_1;chain_2;chain_3;chain_4;chain_5;chain_6;chain_7;timed;hot_50;burn_\[i\] "

# weighed by call time: as many ns as the functions have self time, once the tree is recorded
run 0 report busy.cscope --format folded --weight latency -o latency.folded
if [ "$(field '.call_tree | length')" -gt 0 ]; then
  equal "folded by latency: sum" "$(awk '{ sum += $NF } END { printf "%.0f", sum }' latency.folded)" \
    "$(field '[.call_tree[].self_ns] | add')"
fi

# calltree
run 0 report busy.cscope --format calltree
matches "calltree" "$out" "^CALL TREE"
run 0 report busy.cscope --format calltree --depth 1 --min-share 0

# svg
run 0 report busy.cscope -o busy.svg
well_formed "svg" busy.svg
for name in t_busy hot_50 hot_30 hot_20 chain_7; do
  matches "svg: $name" "$(<busy.svg)" "$name"
done

run 0 report busy.cscope --format svg --weight latency -o latency.svg
succeeds "svg by latency is well-formed" xmllint --noout --nonet latency.svg
matches "svg by latency says so" "$(<latency.svg)" "time in probed functions"
run 0 report busy.cscope --format heatmap -o heat.svg
succeeds "heatmap is well-formed" xmllint --noout --nonet heat.svg

# csv
run 0 report busy.cscope --format csv -o busy.csv
succeeds "csv parses, all rows as wide as the header" /usr/bin/python3 -c '
import csv, sys
rows = list(csv.DictReader(open("busy.csv", newline=""), strict=True))
calls = {row["name"]: int(row["calls"]) for row in rows if row.get("name", "").startswith("hot_")}
assert len(calls) == 3, calls
assert all(None not in row and None not in row.values() for row in rows), rows'

# The same for a recording without functions or samples.
run 0 record -F 0 -d 200ms -o empty.cscope -- sleep 1
for format in text json folded svg csv calltree heatmap; do
  run 0 report empty.cscope --format $format -o "empty.$format"
done
run 0 report empty.cscope --json -o empty.json
succeeds "json of nothing validates" /usr/bin/python3 -W ignore -m jsonschema \
  -i empty.json "$root/userspace/report/report.schema.json"
succeeds "svg of nothing is well-formed" xmllint --noout --nonet empty.svg
equal "folded of nothing" "$(<empty.folded)" ""

# flamegraph: from a pipe, and from a file that another profiler wrote
"$CALLSCOPE" report busy.cscope --format folded | "$CALLSCOPE" flamegraph --title "piped title" -o piped.svg
equal "flamegraph from a pipe: exit codes" "${PIPESTATUS[*]}" "0 0"
well_formed "flamegraph from a pipe" piped.svg
matches "flamegraph: title" "$(<piped.svg)" "piped title"
run 0 flamegraph "$root/tests/e2e/data/perf.folded" -o perf.svg
well_formed "flamegraph of perf's file" perf.svg
matches "flamegraph: a name with brackets is escaped" "$(<perf.svg)" "operator new\(unsigned long, std::nothrow_t const&amp;\)"
matches "flamegraph: the sum of all" "$(<perf.svg)" "200"
run 0 flamegraph "$root/tests/e2e/data/perf.folded"
well_formed "flamegraph to standard output" out
run 0 flamegraph "$root/tests/e2e/data/perf.folded" --reverse --icicle --minwidth 2 --width 800 -o reverse.svg
well_formed "flamegraph --reverse" reverse.svg
printf 'a;b 3\nnonsense\na;c 4\n' | "$CALLSCOPE" flamegraph - -o partly.svg 2>err
equal "flamegraph with a bad line: exit code" "${PIPESTATUS[1]}" 0
matches "flamegraph names the bad line" "$(<err)" "skipped 1 of 3 lines.* line 2"
printf 'nonsense\n' | "$CALLSCOPE" flamegraph - -o none.svg 2>err
equal "flamegraph of nonsense: exit code" "${PIPESTATUS[1]}" 1
equal "flamegraph of nonsense leaves no file" "$([ -e none.svg ] || echo none)" none
finish
