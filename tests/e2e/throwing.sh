#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The safety of the target: a C++ program that throws through probed functions survives, with exact
# counts, and one line says why it is treated so. Asking for what would kill it is refused.
# shellcheck disable=SC2119 # stop_record without a signal: the target's exit ended the recording
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

for target in t_throw t_throw_static; do
  start_target $target --rounds 20 --deepest 10
  start_record -p "$target_pid" -f '*throw*' -F 499 -o $target.cscope
  release_target
  end_target
  stop_record
  equal "$target: the target's exit code" "$target_code" 0
  equal "$target: it came to its end" "$(grep -cx ok target.out)" 1
  equal "$target: exit code of record" "$recorder_code" 0
  json $target.cscope
  for function in throw_top throw_frame throw_again; do
    equal "$target: calls of $function" "$(call_field $function calls)" "$(truth calls $function)"
    lacks "$target: exit of $function" "$(call_field $function exit)" "uretprobe"
    # Exits that are seen at the return instructions are as exact as the calls.
    if [ "$(call_field $function exit)" = ret-site ] && [ -n "$(truth rets $function)" ]; then
      equal "$target: returns of $function" "$(call_field $function returns)" "$(truth rets $function)"
      equal "$target: unwound of $function" "$(call_field $function unwound)" \
        $(($(truth calls $function) - $(truth rets $function)))
    fi
  done
  equal "$target: lines that say why" "$(grep -ciE 'unwinder|exception' record.err)" 1
  matches "$target: the reason is in the report" "$(field '.notes[]')" "([Ee]xception|unwinder|throw)"
  refused 2 "(throw|unwinder|exception|not safe|unsafe)" record --exit-mode uretprobe -f '*throw*' -o refused.cscope \
    -- "$TARGETS/$target"
done

# Launched, so that the unwinder is not mapped yet when the recording starts.
run 0 record -f '*throw*' -o launched.cscope -- "$TARGETS/t_throw" --rounds 20 --deepest 10
equal "launched: it came to its end" "$(grep -cx ok out)" 1
json launched.cscope
for function in throw_top throw_frame throw_again; do
  equal "launched: calls of $function" "$(call_field $function calls)" "$(truth calls $function out)"
  lacks "launched: exit of $function" "$(call_field $function exit)" "uretprobe"
done

# A C program that loads an unwinder while it is recorded: pthread_exit makes libc load libgcc_s and
# unwind through probed frames.
start_target t_threads --threads 4 --calls 200 --pthread-exit 5
start_record -p "$target_pid" -f 'shared_work,even_work,odd_work,exit_inside' -o unwind.cscope
release_target
end_target
stop_record
equal "pthread_exit in a probed function: the target's exit code" "$target_code" 0
equal "pthread_exit in a probed function: exit code of record" "$recorder_code" 0
json unwind.cscope
for function in shared_work even_work odd_work exit_inside; do
  equal "pthread_exit: calls of $function" "$(call_field $function calls)" "$(truth calls $function)"
done

# Return probes over the whole C++ library and libc of a throwing program: it lives.
start_target t_throw --rounds 10 --deepest 6
start_record -p "$target_pid" -f 'libstdc++.so.6:__cxa_*' -f 'libc.so.6:mem*' -o library.cscope
release_target
end_target
stop_record
equal "probed libraries: the target's exit code" "$target_code" 0
json library.cscope
thrown=$(truth caught throw_top)
equal "probed libraries: calls of __cxa_throw" "$(call_field __cxa_throw calls)" "$thrown"
between "probed libraries: calls of __cxa_begin_catch" "$(call_field __cxa_begin_catch calls)" "$thrown" $((thrown * 10))
# A program that may fork children which load what throws gets no return probe from the start.
run 0 record -q --strict -F 0 -f 'PyImport_*' -o late.cscope -- /usr/bin/python3 -c "
import time, ctypes
time.sleep(0.5)
ctypes.CDLL('libstdc++.so.6')
time.sleep(0.5)
print('alive')"
matches "late library: the target lives" "$out" alive
json late.cscope
matches "late library: the reason" "$(field '.notes[]')" 'may fork a child that loads an unwinder'

finish
