#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 of the recorder: the target lives on, no probe stays in its text, the recording can be
# read and says that it is unfinished; so does one that is still being written.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# The address of FUNCTION in PROGRAM's file, and that of its first segment in the running process.
symbol_addr() { nm "$1" | awk -v name="$2" '$3 == name { print "0x" $1 }'; }
load_addr() { awk -v path="$(readlink "/proc/$1/exe")" '$NF == path { print "0x" substr($1, 1, index($1, "-") - 1); exit }' "/proc/$1/maps"; }

# text_at FILE ADDR: 32 bytes in hexadecimal
text_at() { tail -c +$((1 + $2)) "$1" 2>/dev/null | head -c 32 | od -An -tx1 | tr -d ' \n'; }
memory_at() { dd if="/proc/$1/mem" bs=1 skip=$(($2)) count=32 2>/dev/null | od -An -tx1 | tr -d ' \n'; }

start_target t_known --calls 200 --sleeps 10
work_c=$(symbol_addr "$TARGETS/t_known" work_c)
address=$(($(load_addr "$target_pid") + work_c))
in_file=$(text_at "$TARGETS/t_known" "$work_c") # an executable made here: offset equals address
equal "text of work_c before" "$(memory_at "$target_pid" "$address")" "$in_file"

start_record -p "$target_pid" -f 'work_*' -o killed.cscope
probed=$(memory_at "$target_pid" "$address")
matches "text of work_c while recorded holds a breakpoint" "$probed" "cc"
release_target
sleep 2.5 # the recorder writes once a second; this time is what must be on disk
run 0 report killed.cscope
matches "a report while recording" "$out" "unfinished"
json killed.cscope
equal "finished while recording" "$(field .finished)" false
run 5 report killed.cscope --strict

kill -9 "$recorder_pid"
wait "$recorder_pid" 2>/dev/null
equal "the recorder was killed" $? 137
# shellcheck disable=SC2317 # called by wait_until
text_is_clean() { [ "$(memory_at "$target_pid" "$address")" = "$in_file" ]; }
wait_until "the kernel removes the probes" text_is_clean
equal "text of work_c after" "$(memory_at "$target_pid" "$address")" "$in_file"
equal "the target lives" "$(gone "$target_pid" || echo yes)" yes

run 0 report killed.cscope
matches "the report says so" "$out" "(killed|unfinished)"
run 5 report killed.cscope --strict
matches "--strict says why" "$err" "killed.cscope is incomplete: .*(killed|unfinished)"
run 5 report killed.cscope --strict --json
json killed.cscope
equal "finished" "$(field .finished)" false
equal "complete" "$(field .quality.complete)" false
for function in work_a work_b work_c; do
  equal "calls of $function up to the last flush" "$(call_field $function calls)" "$(truth calls $function)"
done
equal "integrity by sqlite3" "$(sqlite3 killed.cscope 'pragma integrity_check')" ok

end_target
equal "the target's exit code" "$target_code" 0

# A new recording may take the place of the killed one.
start_target t_known --calls 10 --sleeps 0
start_record -p "$target_pid" -f 'work_*' -o killed.cscope
release_target
stop_record TERM
equal "recording over the killed one: exit code" "$recorder_code" 0
run 0 report killed.cscope --strict
json killed.cscope
equal "calls of work_c in the new one" "$(call_field work_c calls)" 20
end_target

# A launched command outlives its killed recorder, too.
mkfifo hold
"$CALLSCOPE" record -f 'work_*' -o launched.cscope -- "$TARGETS/t_known" --wait --calls 10 --sleeps 0 \
  <hold >command.out 2>command.err {to_target}>&- &
recorder_pid=$!
children+=("$recorder_pid")
exec {to_target}>hold
wait_until "the command is ready" grep -qx ready command.out
kill -9 "$recorder_pid"
wait "$recorder_pid" 2>/dev/null
printf x >&"$to_target"
wait_until "the command has worked" grep -qx "done" command.out
equal "calls of work_c by the orphan" "$(truth calls work_c command.out)" 20
run 0 report launched.cscope
finish
