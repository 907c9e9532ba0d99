#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Targets that cannot be recorded, or not fully: each with its exit code and a reason.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# No such process: a child that we have already reaped.
true &
ended=$!
wait $ended
for command in record list doctor; do
  refused 4 "$ended" $command -p $ended
done

# A process that has ended but is not reaped, a kernel thread, callscope itself.
/usr/bin/python3 -c 'import os, time
pid = os.fork()
if pid == 0: os._exit(0)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
print(pid, flush=True)
time.sleep(60)' >zombie &
children+=($!)
wait_until "there is a zombie" test -s zombie
refused 4 "$(<zombie)" record -p "$(<zombie)"
kernel_thread=$(pgrep -x kthreadd)
refused 2 "$kernel_thread.*kernel thread" record -p "$kernel_thread"
bash -c 'echo $$ >self; exec "$0" record -p $$ -d 1' "$CALLSCOPE" >out 2>err
equal "recording itself: exit code" $? 2
matches "recording itself: message" "$(<err)" "itself"
equal "recording itself: lines on standard error" "$(wc -l <err)" 1

# Another user: no permission, and the message says sudo.
start_target t_known --calls 1 --sleeps 0
cp "$CALLSCOPE" callscope && chmod 755 callscope
as_nobody() { timeout 60 setpriv --reuid nobody --regid nogroup --clear-groups ./callscope "$@" >out 2>err; }
mkdir -m 777 theirs
as_nobody record -p "$target_pid" -d 1 -o theirs/x.cscope
equal "not root: exit code" $? 3
matches "not root: message" "$(<err)" "sudo"
equal "not root: lines on standard error" "$(wc -l <err)" 1
equal "not root: standard output" "$(<out)" ""
as_nobody record -o theirs/x.cscope -- sh -c 'echo started >theirs/ran'
equal "not root, a command: exit code" $? 3
equal "not root: the command did not run, no file is left" "$(ls theirs)" ""
as_nobody doctor
equal "doctor, not root: exit code" $? 3
matches "doctor, not root: advice" "$(<out)" "sudo"
as_nobody list /bin/sh 'main*' # needs no root; a stripped program has nothing to list
as_nobody list "$TARGETS/t_known" 'work_*'
equal "list of a file, not root: exit code" $? 0
equal "list of a file, not root: functions" "$(grep -c ' work_[abc]$' out)" 3

# Functions that are none. Data symbols and absent names are told apart.
refused 2 "main_arena|__environ|data|not a function" record -p "$target_pid" -f 'libc.so.6:environ' -o data.cscope
run 0 list -p "$target_pid" 'libc.so.6:*environ*'
matches "list says why a data symbol cannot be probed" "$out" "environ: .*(data|not a function|object)"
end_target

# A stripped program: its own names are gone, so a hint; its libraries and CPU sampling still work.
start_target t_known_stripped --calls 20 --sleeps 0
refused 2 "work_\*.*(stripped|symbol|match)" record -p "$target_pid" -f 'work_*' -o stripped.cscope
equal "no file is left" "$(ls ./*.cscope* 2>/dev/null)" ""
start_record -p "$target_pid" -F 499 -o stripped.cscope
release_target
stop_record TERM
equal "sampling a stripped program: exit code" "$recorder_code" 0
matches "its frames carry module and offset" "$out" "t_known_stripped\+0x[0-9a-f]+|\[t_known_stripped\]"
json stripped.cscope
equal "the samples with an unnamed frame are counted" "$(field .cpu.unresolved_samples)" "$(quality unresolved_samples)"
between "  most of them" "$(field .cpu.unresolved_samples)" 1 "$(field .cpu.samples)"
end_target

# One pattern of two that matches nothing is named, at once and in the recording.
start_target t_known --calls 5 --sleeps 0
start_record -p "$target_pid" -f 'work_a,wrok_b' -o partly.cscope
release_target
stop_record TERM
equal "one of two patterns matches: exit code" "$recorder_code" 0
matches "  standard error" "$err" "wrok_b.* matches no function"
json partly.cscope
equal "  calls of the other" "$(call_field work_a calls)" 5
matches "  notes of the recording" "$(field '.notes[]')" "wrok_b.* matches no function"
end_target
finish
