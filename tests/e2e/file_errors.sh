#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Files that cannot be read or written: recordings missing, truncated, of another kind or version;
# outputs in no folder, over foreign files, on a full disk, into a closed pipe. The target never suffers.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
mounted=
# shellcheck disable=SC2317 # called by the trap
unmount() { [ -z "$mounted" ] || umount -l "$mounted"; }
trap 'unmount; cleanup' EXIT

run 0 record -f 'work_*' -F 499 -o good.cscope -- "$TARGETS/t_known" --calls 100 --sleeps 0

# ---- recordings that cannot be read
refused 4 "missing.cscope.*No such file" report missing.cscope
refused 4 "no-folder/x.cscope.*No such file" report no-folder/x.cscope
mkdir folder
refused 2 "folder.*(directory|recording)" report folder
: >empty.cscope
refused 1 "empty.cscope.*(not|no) .*recording" report empty.cscope
echo "hello, this is a text file of some length, and no database" >text.cscope
refused 1 "text.cscope.*(not|no) .*recording" report text.cscope
sqlite3 other.cscope 'create table t(x); insert into t values(1)'
refused 1 "other.cscope.*(not|no) .*recording" report other.cscope
cp good.cscope version.cscope
sqlite3 version.cscope 'pragma user_version = 999'
refused 1 "version.cscope.*999" report version.cscope
size=$(stat -c %s good.cscope)
for part in 1 100 512 $((size / 4)) $((size / 2)) $((size - 4096)) $((size - 1)); do
  head -c "$part" good.cscope >cut.cscope
  refused 1 "cut.cscope" report cut.cscope
done
cp good.cscope damaged.cscope
dd if=/dev/urandom of=damaged.cscope bs=1 seek=4096 count=3000 conv=notrunc 2>/dev/null
refused 1 "damaged.cscope" report damaged.cscope
equal "a report leaves the recording as it was, and nothing beside it" \
  "$(md5sum <good.cscope; "$CALLSCOPE" report good.cscope -o nowhere.txt; ls good.cscope*)" "$(md5sum <good.cscope; echo good.cscope)"
chmod 444 good.cscope
run 0 report good.cscope

# ---- outputs that cannot be written
start_target t_known --calls 100 --sleeps 0
refused 2 "no-folder.*No such file" record -p "$target_pid" -d 1 -o no-folder/x.cscope
cp text.cscope precious.txt
refused 2 "precious.txt.*(not|no) .*recording" record -p "$target_pid" -d 1 -o precious.txt
equal "a foreign file is left alone" "$(<precious.txt)" "$(<text.cscope)"
refused 2 "other.cscope.*(not|no) .*recording" record -p "$target_pid" -d 1 -o other.cscope
equal "a foreign database is left alone" "$(sqlite3 other.cscope 'select x from t')" 1
refused 2 "folder.*(directory|folder|regular|file)" record -p "$target_pid" -d 1 -o folder
ln -s precious.txt link.cscope
refused 2 "link.cscope.*(symbolic )?link" record -p "$target_pid" -d 1 -o link.cscope
equal "the file behind a link is left alone" "$(<precious.txt)" "$(<text.cscope)"
refused 2 "no-folder.*No such file" report good.cscope -o no-folder/x.svg
refused 2 "no-folder.*No such file" flamegraph -o no-folder/x.svg "$root/tests/e2e/data/perf.folded"
run 0 record -p "$target_pid" -d 200ms -o again.cscope
run 0 record -p "$target_pid" -d 200ms -o again.cscope # a recording may be replaced
equal "standard error of the second" "$(grep -c wrote err)" 1
start_record -p "$target_pid" -o busy.cscope
refused 2 "busy.cscope.*(being|another|in use|recorder|locked)" record -p "$target_pid" -d 1 -o busy.cscope
stop_record TERM
equal "the first recorder of the same file: exit code" "$recorder_code" 0
run 0 report busy.cscope --strict

# ---- a full disk: the recording fails with a reason, the summary is still there
mkdir small
mount -t tmpfs -o size=1m,mode=777 none small && mounted=$work/small
start_record -p "$target_pid" -f 'work_*' -F 1999 -o small/x.cscope
wait_until "something is on disk" "$CALLSCOPE" report small/x.cscope -o nowhere.txt
release_target
dd if=/dev/zero of=small/more bs=1k 2>/dev/null
equal "room left on the disk" "$(df --output=avail small | tail -n 1 | tr -d ' ')" 0
stop_record TERM
equal "full disk: exit code" "$recorder_code" 1
matches "full disk: message" "$err" "(full|No space left)"
matches "full disk: the summary is printed" "$out" "QUALITY"
matches "full disk: calls in the summary" "$out" "$(truth calls work_c) .* work_c"
equal "full disk: the message comes once" "$(grep -c full record.err)" 1
lacks "full disk: the message does not claim a written file" "$err" "wrote small/x.cscope"
equal "full disk: the target lives" "$(gone "$target_pid" || echo yes)" yes
dd if=/dev/zero of=small/last bs=1k 2>/dev/null # what SQLite gave back
run 1 report good.cscope -o small/report.json --format json
matches "full disk: a report says so" "$err" "(full|No space left)"
equal "full disk: half a report is not left" "$(find small -name '*report*')" ""
run 0 report small/x.cscope # what was flushed before
end_target
equal "full disk: the target's exit code" "$target_code" 0

start_target t_known --calls 10 --sleeps 0
run 1 record -p "$target_pid" -d 200ms -o small/y.cscope
matches "a disk that is full before: message" "$err" "(full|No space left)"
end_target

# ---- standard output that is closed or full
# into_pipe ARGS...: callscope with a reader that goes away; its exit code is in $code
into_pipe() {
  timeout 60 "$CALLSCOPE" "$@" 2>err {to_target}>&- | head -n 1 >/dev/null
  code=${PIPESTATUS[0]}
  matches "callscope $* | head -1: exit code is success, failure or SIGPIPE" "$code" "^(0|1|141)$"
  lacks "  no crash" "$(<err)" "(internal error|terminate|Aborted)"
}
into_pipe report good.cscope
into_pipe report good.cscope --json
into_pipe list "$TARGETS/t_manyfuncs"
into_pipe doctor
into_pipe record --help
into_pipe flamegraph "$root/tests/e2e/data/perf.folded"

start_target t_known --calls 10 --sleeps 0
into_pipe record -p "$target_pid" -d 300ms -o closed.cscope
run 0 report closed.cscope --strict
for command in "--help" "doctor" "list $TARGETS/t_manyfuncs" "report good.cscope" "report good.cscope --json" \
  "record -p $target_pid -d 300ms -o full.cscope"; do
  # shellcheck disable=SC2086 # words
  timeout 60 "$CALLSCOPE" $command 2>err >/dev/full {to_target}>&-
  equal "$command >/dev/full: exit code" $? 1
  matches "  message" "$(<err)" "No space left on device"
  lacks "  no crash" "$(<err)" "(internal error|terminate|Aborted)"
done
run 0 report full.cscope --strict
timeout 60 "$CALLSCOPE" record -p "$target_pid" -d 300ms -o nothing.cscope >&- 2>&- <&- {to_target}>&-
equal "record without any standard stream: exit code" $? 0
run 0 report nothing.cscope --strict
end_target
finish
