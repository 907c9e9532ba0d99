#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Inlined functions and lines in every output, against binutils' addr2line; without debug files, with
# debug files of a debuginfod server that is ours, and with servers that do not answer.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

chain='main;inlined_stack::outer_work;inlined_stack::\(anonymous namespace\)::Worker::step_\[i\];[^;]*\{lambda\(\)\}::operator\(\)_\[i\];[^;]*burn_\[i\]'

# worked PROGRAM ARGS...: records PROGRAM while it works, into run.cscope
worked() {
  local program=$1
  shift
  start_target "$program" --ms 1200
  start_record -p "$target_pid" -F 499 -f '*outer_work*' -o run.cscope "$@"
  release_target
  end_target
  # shellcheck disable=SC2119  # the target's end ends it, no signal
  stop_record
  equal "exit code of record" "$recorder_code" 0
  json run.cscope
}

# share JQ_CONDITION: per cent of the samples whose stack fulfils it
share() { field "100 * ([.cpu.stacks[] | select($1) | .count] | add // 0) / .cpu.samples"; }

# ---- with debug information in the program
worked t_inlined_stack
between "per cent of samples in what is inlined" "$(share '.frames[-1] | endswith("burn_[i]")')" 90 100
run 0 report run.cscope --format folded
matches "folded: the chain" "$out" "$chain "
run 0 report run.cscope
matches "text: marked" "$out" "burn \(inlined\)"
run 0 report run.cscope --lines
matches "text: lines" "$out" "burn \(inlined\) t_inlined_stack.cpp:[0-9]+ < "
run 0 report run.cscope --format svg -o flame.svg
svg=$(<flame.svg)
succeeds "svg is XML" xmllint --noout flame.svg
matches "svg: legend" "$svg" ">inlined</text>"
matches "svg: tooltip" "$svg" "at t_inlined_stack.cpp:[0-9]+</title>"
run 0 report run.cscope --format csv
matches "csv: file and line of the probed function" "$out" "/t_inlined_stack.cpp,[0-9]+"
run 0 report run.cscope --format folded --demangle full
matches "full names keep arguments" "$out" "burn<(unsigned long|long unsigned int)>.*_\[i\] "
run 0 report run.cscope --format folded --no-inlines
matches "--no-inlines of report" "$out" "main;inlined_stack::outer_work [0-9]"
lacks "--no-inlines of report" "$out" "_\[i\]"

# Where the program was interrupted: what addr2line says of the address, which leaves .. in paths.
sqlite3 -separator ' ' run.cscope "SELECT printf('%x', frame.addr), replace(file, rtrim(file, replace(file, '/', '')), '') || ':' || line
  FROM frame JOIN module ON module.id = module WHERE path LIKE '%/t_inlined_stack' AND file <> ''
  AND frame.id IN (SELECT json_extract(frames, '\$[0]') FROM stack) ORDER BY 1" >lines.ours
cut -d' ' -f1 lines.ours >addrs
addr2line -e "$TARGETS/t_inlined_stack" <addrs | sed -e 's/ (discriminator.*//' -e 's|.*/||' >places
paste -d' ' addrs places >lines.theirs
between "sampled addresses with a line" "$(wc -l <lines.ours)" 1 1000
equal "lines that differ from addr2line's" "$(diff lines.ours lines.theirs | grep -c '^<')" 0

worked t_inlined_stack --no-inlines
run 0 report run.cscope --format folded --lines
matches "--no-inlines of record keeps lines" "$out" "outer_work \(t_inlined_stack.cpp:[0-9]+\) [0-9]"
lacks "--no-inlines of record" "$out" "_\[i\]"

# ---- stripped; a debuginfod server has the rest
strip -o stripped "$TARGETS/t_inlined_stack"
id=$(readelf -n stripped | awk '/Build ID/ { print $3 }')
mkdir -p "served/buildid/$id"
objcopy --only-keep-debug "$TARGETS/t_inlined_stack" "served/buildid/$id/debuginfo"
(cd served && exec python3 -u -m http.server --bind 127.0.0.1 0 >../server.log 2>&1) &
children+=($!)
wait_until "the server listens" grep -q 'port [0-9]' server.log
port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' server.log | head -n 1)
export DEBUGINFOD_CACHE_PATH=$work/cache
unset DEBUGINFOD_URLS

# stripped_run: as worked, without -f, since a stripped program has no functions to be named
stripped_run() {
  start_target "$work/stripped" --ms 700
  start_record -p "$target_pid" -F 499 --functions none -o run.cscope
  release_target
  end_target
  # shellcheck disable=SC2119  # the target's end ends it, no signal
  stop_record
  equal "exit code of record" "$recorder_code" 0
  json run.cscope
}

stripped_run
equal "no variable, no request" "$(grep -c GET server.log)" 0
equal "no variable, no name" "$(share '.frames[-1] | endswith("burn_[i]")')" 0
export DEBUGINFOD_URLS="http://127.0.0.1:$port"
stripped_run
between "debuginfod: per cent of samples with names" "$(share '.frames[-1] | endswith("burn_[i]")')" 90 100
run 0 report run.cscope --format folded
matches "debuginfod: the chain" "$out" "$chain "
matches "debuginfod: a note says so" "$(field '.notes[]')" "stripped: names and lines by debuginfod"

# A server that accepts and says nothing, and none at all: one note, and the recording is there.
cat >mute.py <<'PYTHON'
import socket, time
server = socket.create_server(("127.0.0.1", 0))
print("port", server.getsockname()[1], flush=True)
time.sleep(600)
PYTHON
python3 mute.py >mute.log &
children+=($!)
wait_until "the mute server listens" grep -q port mute.log
for port in "$(awk '{ print $2 }' mute.log)" 1; do
  export DEBUGINFOD_URLS="http://127.0.0.1:$port" DEBUGINFOD_CACHE_PATH=$work/cache.$port
  begin=$SECONDS
  stripped_run
  between "port $port: seconds" $((SECONDS - begin)) 0 25
  equal "port $port: notes about it" "$(field '.notes[]' | grep -c debuginfod)" 1
done
finish
