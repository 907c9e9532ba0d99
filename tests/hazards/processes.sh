#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# fork, vfork and exec inside probed calls, exec in place, also of a program that throws through the
# libraries that are probed, exit inside a call, and a child that outlives the recording.
set -u
# shellcheck source=tests/hazards/lib.sh
. "$(dirname "$0")/lib.sh"
survives "exec in place" '*' t_fork --exec
record_options=(--no-children)
survives "fork, vfork and exec, children left alone" '*' t_fork --exec
record_options=()
survives_all_ways "fork, vfork and exec" '*' t_fork
survives "fork, vfork and exec, libc probed" "*,$libraries" t_fork --exec
survives_launch "fork, vfork and exec in a launched program" "*,$libraries" t_fork --exec
survives_all_ways "exit inside a call" '*' t_exit_in_call
survives_launch "exit inside a call of a launched program" "*,$libraries" t_exit_in_call

# A C program, whose libraries may have return probes, becomes one that throws through them.
check_counts=no # the truth is that of a program that was never asked for
for round in "${rounds[@]}"; do
  survives "exec of a program that throws, $round" "*,$libraries" t_exec "$TARGETS/t_throw_nested" --rounds 4
  survives_launch "exec of a program that throws, launched, $round" "*,$libraries" \
    t_exec "$TARGETS/t_throw_nested" --rounds 4
done

# A child that is born inside a probed call while recorded, and lives on.
for way in "${all_ways[@]}"; do
  [ "$way" != entry-only ] || continue
  start_target t_steady --fork
  start_record -p "$target_pid" --exit-mode "$way" -f "*,$libraries" -o "child-$way.cscope"
  text_is_probed "living child, $way: parent" "$target_pid"
  printf x >&"$to_target"
  wait_until "the child is born" grep -qx working target.out
  child=$(truth child pid)
  sleep 1 # of work by both
  end_record "living child, $way"
  text_is_clean "living child, $way: parent" "$target_pid"
  text_is_clean "living child, $way: child" "$child"
  let_end "living child, $way"
  equal "living child, $way: exit code of the target" "$target_code" 0
  equal "living child, $way: status of the child" "$(truth status child)" 0
  equal "living child, $way: wrong values" "$(truth wrong all)" 0
done
finish
