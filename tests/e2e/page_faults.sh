#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Page faults by stack as a user meets them: in the text, as folded stacks, as a flame graph and in JSON, of
# a C program and of Debian's python3.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

start_target t_grow --ms 1000
start_record -p "$target_pid" --page-faults -o faults.cscope
release_target
stop_record INT
end_target
equal "exit code" "$recorder_code" 0
json faults.cscope
pages=$(($(truth bytes grown) / 4096))
seen=$(field '[.page_faults.stacks[] | select(any(.frames[]; startswith("grow"))) | .count] | add')
between "faults in grow" "$seen" "$pages" $((pages + 100))
equal "they reach the start" \
  "$(field '[.page_faults.stacks[] | select(any(.frames[]; startswith("grow"))) | .end] | unique | join(" ")')" complete
for key in faults_lost fault_stacks_not_received; do equal "$key" "$(quality $key)" 0; done
run 0 report faults.cscope
matches "text: how much" "$out" 'PAGE FAULTS +[0-9]+ by [0-9]+ threads: [0-9.]+[KM]iB or more'
matches "text: where" "$out" "[0-9.]+% +$pages +grow.* < main"
run 0 report faults.cscope --weight page-faults --format folded
matches "folded" "$out" 't_grow;.*main;grow(_\[i\])? [0-9]+'
run 0 report faults.cscope --weight page-faults -o faults.svg
succeeds "the flame graph is XML" xmllint --noout faults.svg
matches "flame graph: title" "$(<faults.svg)" '[0-9]+ page faults in'

# Python, whose function stands in the place of the interpreter's loop.
cat >grows.py <<'END'
def hoard(kept):
    for _ in range(200):
        kept.append(bytearray(100000))
hoard([])
END
run 0 record -F 0 --page-faults -o python.cscope -- /usr/bin/python3 grows.py
run 0 report python.cscope --weight page-faults --format folded
matches "Python functions touch memory" "$out" 'hoard \(grows.py\)_\[p\]'

# Not asked for.
run 0 record -d 100ms -o without.cscope -- sleep 1
run 0 report without.cscope
lacks "no section" "$out" 'PAGE FAULTS'
run 0 report without.cscope --weight page-faults -o without.svg
matches "the picture says what to do" "$(<without.svg)" 'record --page-faults'

finish
