#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A probed library is unloaded and another one takes its place in the address space: the probes of the
# first do not land in it; when the first comes back they are there again, and its counts are exact.
set -u
# shellcheck source=tests/hazards/lib.sh
. "$(dirname "$0")/lib.sh"
first=$TARGETS/libt_plugin.so
other=$TARGETS/libt_plugin_other.so

# tell COMMAND: the target does it, and answers with one line
tell() {
  answers=$((answers + 1))
  printf '%s\n' "$1" >&"$to_target"
  wait_until "the target has done '$1'" answered
}
# shellcheck disable=SC2317  # called by wait_until
answered() { [ "$(grep -cxE 'loaded|called|unloaded' target.out)" -ge "$answers" ]; }

for patterns in 'libt_plugin.so:*' "*,libt_plugin.so:*,$libraries"; do
  for way in "${all_ways[@]}"; do
    what="$way, $([[ $patterns == lib* ]] && echo library || echo all)"
    start_target t_dlopen "$first"
    answers=0
    tell load
    start_record -p "$target_pid" --exit-mode "$way" -f "$patterns" -o library.cscope
    text_is_probed "$what" "$target_pid"
    tell 'call 5'
    tell unload
    tell "load $other"
    [[ $patterns != lib* ]] || text_is_clean "$what: other library while recorded" "$target_pid" "$(basename "$other")"
    tell 'call 7'
    tell unload
    tell load
    [[ $patterns != lib* ]] || text_is_probed "$what: first library again" "$target_pid"
    tell 'call 3'
    end_record "$what"
    text_is_clean "$what" "$target_pid"
    tell 'call 2'
    let_end "$what"
    equal "$what: exit code of the target" "$target_code" 0
    equal "$what: loads at another address" "$(truth moved loads)" 0
    equal "$what: calls as the target knows them" "$(truth calls plugin_work)" 17
    printf '%s\n' 'calls plugin_work 8' 'calls plugin_helper 16' 'rets plugin_work 8' 'rets plugin_helper 16' >probed.truth
    counts_are_true "$what" library.cscope probed.truth
  done
done
finish
