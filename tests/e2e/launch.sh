#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# record -- COMMAND: no early call is missed, the exit code is passed on, the command runs as the
# user who called sudo, who also owns the recording, and output of the command is left alone.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
early=$TARGETS/t_early

# Calls before main, in main, and the first ones of a longer program.
run 0 record -f early_work -o early.cscope -- "$early"
json early.cscope
equal "calls before and in main" "$(call_field early_work calls)" "$(truth calls early_work out)"
equal "  as the program has them" "$(call_field early_work calls)" 7
equal "returns" "$(call_field early_work returns)" 7
equal "launched" "$(field .target.launched)" true
equal "complete" "$(field .quality.complete)" true
equal "the summary follows the command's output" \
  "$(grep -nE '^(calls early_work|callscope|QUALITY)' out | cut -d: -f2 | cut -d' ' -f1 | tr '\n' ' ')" "calls callscope QUALITY "

run 0 record -f 'work_*,sleepy' -o known.cscope -- "$TARGETS/t_known" --calls 40 --sleeps 3
json known.cscope
for function in work_a work_b work_c sleepy; do
  equal "calls of $function" "$(call_field $function calls)" "$(truth calls $function out)"
  equal "returns of $function" "$(call_field $function returns)" "$(truth calls $function out)"
done

# A library function is there before the program maps libc.
run 0 record -f 'libc.so.6:getuid' -o libc.cscope -- "$early"
json libc.cscope
equal "calls of getuid in libc" "$(field '[.functions[] | select(.name | test("getuid$")) | .calls] | add')" 1

# Functions of a library that the program, executed by another one, loads later.
# shellcheck disable=SC2016 # the inner shell expands them
run 0 record -f 'libt_plugin.so:plugin_work' -o later.cscope -- bash -c \
  'exec "$0" "$1" < <(echo load; sleep 1; echo "call 3"; echo quit)' "$TARGETS/t_dlopen" "$TARGETS/libt_plugin.so"
json later.cscope
equal "calls in a library that was loaded later" "$(call_field plugin_work calls)" 3
matches "it was waited for" "$(field '.notes[]')" "libraries that are loaded later"

# Exit codes are passed on; 128 + number for a signal.
run 7 record -o seven.cscope -- "$early" exit 7
json seven.cscope
equal "wait status of exit 7" "$(field .target.exit_status)" $((7 * 256))
run 137 record -o nine.cscope -- "$early" signal 9
json nine.cscope
equal "wait status of SIGKILL" "$(field .target.exit_status)" 9
run 143 record -o term.cscope -- "$early" signal 15
run 255 record -o max.cscope -- "$early" exit 255
run 0 record -o shell.cscope -- sh -c 'exit 0'
run 7 record --quiet -o quiet.cscope -- "$early" exit 7

# -d ends the recording, not the command; its exit code still comes.
before=$SECONDS
run 3 record -d 200ms -o short.cscope -- sh -c 'sleep 2; exit 3'
between "seconds until a slow command ended" $((SECONDS - before)) 1 30
json short.cscope
between "recorded ns" "$(field .duration_ns)" 200000000 900000000

# Options behind -- belong to the command.
run 0 record -o options.cscope -- printf '%s\n' -p --strict --help
equal "the command's own options" "$(head -n 3 "$work/out" | tr '\n' ' ')" "-p --strict --help "

# The user who called sudo.
user=nobody user_id=$(id -u nobody) group_id=$(id -g nobody)
mkdir -m 777 shared
export SUDO_UID=$user_id SUDO_GID=$group_id SUDO_USER=$user
run 0 record -f early_work -o shared/user.cscope -- "$early"
equal "user of the command" "$(truth id user out)" "$user_id"
equal "effective user of the command" "$(truth id effective_user out)" "$user_id"
equal "group of the command" "$(truth id group out)" "$group_id"
equal "owner of the recording" "$(stat -c %u:%g shared/user.cscope)" "$user_id:$group_id"
equal "files left in the folder" "$(ls shared)" user.cscope
json shared/user.cscope
equal "calls as that user" "$(call_field early_work calls)" 7
run 0 record -o shared/groups.cscope -- id -G
lacks "groups of the command hold no root" " $(head -n 1 "$work/out") " " 0 "
run 0 report shared/user.cscope -o shared/user.svg
equal "owner of the report" "$(stat -c %u:%g shared/user.svg)" "$user_id:$group_id"
run 0 flamegraph -o shared/folded.svg "$root/tests/e2e/data/perf.folded"
equal "owner of the flame graph" "$(stat -c %u:%g shared/folded.svg)" "$user_id:$group_id"
run 0 record --as-root -o shared/root.cscope -- "$early"
equal "user of the command with --as-root" "$(truth id user out)" 0
unset SUDO_UID SUDO_GID SUDO_USER

# What cannot be started. Nothing is left behind.
refused 4 'no-such-program' record -o missing.cscope -- no-such-program
refused 4 '/no/such/program' record -o missing.cscope -- /no/such/program
refused 3 'Permission denied' record -o missing.cscope -- "$root/tests/e2e/data/perf.folded"
equal "no file of a command that never ran" "$(ls missing.cscope* 2>/dev/null)" ""
finish
