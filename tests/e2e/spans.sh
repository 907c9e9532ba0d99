#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Spans and markers from the command line to the report: --span between functions, markers and by
# name, -f usdt:, the semaphores of a killed recorder, and what is refused.
# shellcheck disable=SC2119 # stop_record without a signal: the exit of the target ended the recording
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

span_field() { jq -r --arg name "$1" ".spans[] | select(.name == \$name) | .$2" "$work/report.json"; }
words="begun finished restarted unmatched open abandoned"

# Jobs by argument, steps by thread; the target attaches running.
start_target t_async --pause-us 500
start_record -p "$target_pid" -F 0 -o async.cscope --span 'job=job_submit..job_finish@entry:arg1' \
  --span 'whole=job_submit..job_finish:arg1' --span 'step=step_enter..step_leave@entry'
release_target
end_target
stop_record
equal "the target's exit code" "$target_code" 0
equal "exit code of record" "$recorder_code" 0
json async.cscope
for word in $words; do
  equal "$word of job" "$(span_field job "$word")" "$(truth "$word" job)"
  equal "$word of whole" "$(span_field whole "$word")" "$(truth "$word" job)"
  equal "$word of step" "$(span_field step "$word")" "$(truth "$word" step)"
done
equal "what pairs a job" "$(span_field job keyed_by)" arg1
equal "what pairs a step" "$(span_field step keyed_by)" thread
between "share of the time of jobs that the program saw" \
  "$(($(span_field job sum_ns) * 100 / $(truth sum_ns job)))" 99 150
between "p50 of a job" "$(span_field job p50_ns)" "$(span_field job min_ns)" "$(span_field job max_ns)"
run 0 report async.cscope --strict
matches "SPANS of the text report" "$out" "SPANS .*job  job_s"
equal "spans by sqlite3" "$(sqlite3 async.cscope 'select sum(finished) from span where name = "job"')" \
  "$(truth finished job)"
equal "histogram by sqlite3" "$(sqlite3 async.cscope 'select sum(h.count) from span s join span_histogram h on h.span = s.id where s.name = "job"')" \
  "$(truth finished job)"

# Launched: nothing is missed. Markers of the program, of a library, and by name.
run 0 record -F 0 -f 'usdt:demo:*' --span 'job=usdt:demo:begin..usdt:demo:end:arg2' -o usdt.cscope -- \
  "$TARGETS/t_usdt" --jobs 50
json usdt.cscope
for marker in begin end alone; do
  equal "hits of demo:$marker" "$(span_field "demo:$marker" begun)" "$(truth hits "demo:$marker" out)"
  equal "end of demo:$marker" "$(span_field "demo:$marker" to)" null
done
equal "jobs between markers" "$(span_field job finished)" 50
run 0 report usdt.cscope
matches "MARKERS of the text report" "$out" "MARKERS"
run 0 record -F 0 --span 'catch=usdt:libstdcxx:throw..usdt:libstdcxx:catch' -o catch.cscope -- "$TARGETS/t_throw"
json catch.cscope
equal "caught exceptions" "$(span_field catch finished)" "$(truth caught throw_top out)"
run 0 record -F 0 --span '*' -o own.cscope -- "$TARGETS/t_spans" --rounds 10
json own.cscope
for name in outer inner thrown hop; do
  equal "spans by the program: $name" "$(span_field $name finished)" "$(truth finished $name out)"
done
equal "a span around main" "$(span_field before open)$(span_field before finished)" 01

# Recorded together with functions.
run 0 record -F 0 -f 'job_*' --span 'job=job_submit..job_finish@entry:arg1' -o both.cscope -- "$TARGETS/t_async"
json both.cscope
equal "submitted and begun" "$(call_field job_submit calls)" "$(span_field job begun)"
equal "exit code with functions" "$(span_field job finished)" "$(truth finished job out)"

# kill -9: the kernel takes the semaphores back.
symbol_addr() { nm "$1" | awk -v name="$2" '$3 == name { print "0x" $1 }'; }
load_addr() { awk -v path="$(readlink "/proc/$1/exe")" '$NF == path { print "0x" substr($1, 1, index($1, "-") - 1); exit }' "/proc/$1/maps"; }
semaphore() { dd if="/proc/$target_pid/mem" bs=1 skip=$((address)) count=2 2>/dev/null | od -An -tu2 | tr -d ' \n'; }
start_target t_usdt
address=$(($(load_addr "$target_pid") + $(symbol_addr "$TARGETS/t_usdt" demo_begin_semaphore)))
equal "semaphore before" "$(semaphore)" 0
start_record -p "$target_pid" -F 0 -f 'usdt:demo:begin' -o killed.cscope
equal "semaphore while recorded" "$(semaphore)" 1
kill -9 "$recorder_pid"
wait "$recorder_pid" 2>/dev/null
# shellcheck disable=SC2317 # called by wait_until
is_down() { [ "$(semaphore)" = 0 ]; }
wait_until "the kernel lowers the semaphore" is_down
release_target
end_target
equal "the target outlives the killed recorder" "$target_code" 0

# Which markers there are.
run 0 list "$TARGETS/t_usdt" 'usdt:*:*'
matches "list: a marker with its places and semaphore" "$out" "2 +yes +t_usdt +usdt:demo:alone +8@"
run 0 list "$TARGETS/t_usdt" 'usdt:demo:*' --json
equal "list: markers as JSON" "$(jq -r '[.[].marker] | join(" ")' <<<"$out")" \
  "usdt:demo:alone usdt:demo:begin usdt:demo:end"
start_target t_throw
run 0 list -p "$target_pid" 'usdt:libstdcxx:*'
equal "list: markers of a library" "$(grep -c 'libstdc++.so.6.* usdt:libstdcxx:' <<<"$out")" 3
end_target
refused 2 "matches no marker" list "$TARGETS/t_usdt" 'usdt:a:b'

# What cannot be had is refused in one line.
refused 2 "no '..'" record -p 1 --span 'x=a'
refused 2 "has no name" record -p 1 --span 'a..b'
refused 2 "names no marker" record -p 1 -f usdt:x
refused 2 "job_submit" record --span 'x=job_*..job_finish' -o refused.cscope -- "$TARGETS/t_async"
refused 2 "libc.so.6:malloc" record --span 'x=malloc..job_finish' -o refused.cscope -- "$TARGETS/t_async"
refused 2 "the process has none" record -f usdt:a:b -o refused.cscope -- "$TARGETS/t_async"
refused 2 "usdt:demo:begin" record -f usdt:a:b -o refused.cscope -- "$TARGETS/t_usdt"
refused 2 "has 5 arguments only" record --span 'x=usdt:demo:begin..usdt:demo:end:arg7' -o refused.cscope -- "$TARGETS/t_usdt"
refused 3 "g_static_id" record --span 'x=usdt:demo:begin..usdt:demo:end:arg3' -o refused.cscope -- "$TARGETS/t_usdt_stripped"
refused 3 "never returns .*@entry" record --span 'x=job_submit..libc.so.6:exit' -o refused.cscope -- "$TARGETS/t_async"
refused 2 "marks no spans" record --span '*' -o refused.cscope -- "$TARGETS/t_async"
finish
