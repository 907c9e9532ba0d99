#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every wrong command line: exit code 2, one line that says what is wrong and what to do, nothing
# on standard output, no file. Also that help is no error.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
start_target t_known --calls 1 --sleeps 0
pid=$target_pid

# commands
refused 2 "no command.*callscope --help"
refused 2 "unknown command 'recrod'.*did you mean record\?" recrod
refused 2 "unknown command 'xyzzyxyzzy'.*callscope --help" xyzzyxyzzy
refused 2 "unknown command '--pid'.*callscope --help" --pid 1

# options
refused 2 "unknown option '--frequency'.*did you mean --freq\?" record --frequency 99 -p "$pid"
refused 2 "unknown option '--durration'.*did you mean --duration\?" record -p "$pid" --durration 1
refused 2 "unknown option '--fromat'.*did you mean --format\?" report --fromat json
refused 2 "unknown option '-x'.*--help" list -x
refused 2 "unexpected argument 'more'" record -p "$pid" more
refused 2 "unexpected argument 'two'" report one two
refused 2 "--pid needs a value.*--help" record -p
refused 2 "FILE.*required" report

# what to record
refused 2 "nothing to record.*-p PID.*COMMAND" record
refused 2 "both -p and a command.*one of them" record -p "$pid" -- true
refused 2 "no program behind '--'" record --
refused 2 "'--' has no place" report -- true

# numbers, each as typed by mistake: text, empty, signs, units, fractions, ranges
for number in abc '' -1 +5 0 1.5 12x ' 12' 99999999999999999999 4194305 0x10; do
  refused 2 "pid.*'?$number" record -p "$number"
done
for rate in abc '' -1 1.5 99hz 20001 99999999999999999999; do
  refused 2 "freq.*$rate" record -p "$pid" -F "$rate"
done
for time in abc '' -1s 10x 5ss '1 s' 0 0s 1ns 99999999999d 1e3; do
  refused 2 "duration.*$time" record -p "$pid" -d "$time"
done
refused 2 "interval.*1ms" record -p "$pid" -i 1ms
refused 2 "max-snapshots.*1" record -p "$pid" --max-snapshots 1
refused 2 "top.*x" report --top x some.cscope
refused 2 "width.*10" flamegraph --width 10 some.folded
refused 2 "minwidth.*-1" flamegraph --minwidth=-1 some.folded
refused 2 "duration was given more than once" record -p "$pid" -d 1 -d 2

# choices name what there is
refused 2 "format.*'?yaml.*json" report --format yaml some.cscope
refused 2 "sort.*'?speed.*total" report --sort speed some.cscope
refused 2 "demangle.*'?some.*simple" report --demangle some some.cscope
refused 2 "event.*'?instructions.*cycles" record -p "$pid" --event instructions
refused 2 "mechanism.*'?kprobe.*session" record -p "$pid" --probe-mechanism kprobe
refused 2 "exit-mode.*'?jump.*ret-site" record -p "$pid" --exit-mode jump
refused 2 "color.*'?sometimes.*never" report --color sometimes some.cscope
refused 2 "contradicts" report --json --format csv some.cscope

# patterns
refused 2 "no_such_function.*match.*(list|glob|name)" record -p "$pid" -f 'no_such_function*' -o none.cscope
refused 2 "libnothing" record -p "$pid" -f 'libnothing.so:*' -o none.cscope
refused 2 "function: '' is not valid" record -p "$pid" -f '' -o none.cscope
refused 2 "'libc.so.6:' names no function.*LIB:GLOB" record -p "$pid" -f 'libc.so.6:' -o none.cscope
refused 2 "matches no function" list -p "$pid" 'no_such_function*'
refused 2 "matches no function" list "$TARGETS/t_known" 'no_such_function*'
refused 2 "nothing to list" list
refused 2 "say stats, clear or warm" cache
refused 2 "expected stats, clear or warm" cache wrm
refused 2 "nothing to warm" cache warm
refused 2 "neither files nor a process" cache clear /bin/true
equal "files that the refused recordings left" "$(ls ./*.cscope* 2>/dev/null)" ""

# help is data: standard output, exit code 0
for command in record report flamegraph list doctor cache; do
  run 0 $command --help
  matches "help of $command" "$out" "^usage: callscope $command"
  equal "  standard error" "$err" ""
  between "  widest line" "$(awk '{ if (length > w) w = length } END { print w }' out)" 40 100
done
run 0 --help
run 0 help
matches "help names the exit codes" "$out" "[Ee]xit codes: 0 ok, 2 usage, 3 not"
run 0 --version
matches "version" "$out" "^callscope [0-9]+\.[0-9]+\.[0-9]+$"

equal "the target was left alone" "$(gone "$pid" || echo yes)" yes
finish
