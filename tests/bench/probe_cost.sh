#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Cost of entry + return probe on a function that begins with push: callscope against bpftrace's
# uprobe + uretprobe with hist(). Windows of calls are timed by the target; tools alternate.
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
need bpftrace

function_name=cost_push
calls=20000
windows=7
program=$TARGETS/t_probecost
peer_program="uprobe:$program:$function_name { @start[tid] = nsecs; }
uretprobe:$program:$function_name /@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); }"

# The kernel's own share: both probes with nothing in them but the two clock readings that any timing
# needs. No tool that times each call can go below it.
floor_program="uprobe:$program:$function_name { \$now = nsecs; }
uretprobe:$program:$function_name { \$now = nsecs; }"

# One window of the target; prints its ns per call.
window() {
  local key value
  printf x >&"$to_target"
  read -r -t 60 key value <&"$from_target" || die "the target gave no window"
  [ "$key" = ns_per_call ] || die "the target said '$key'"
  printf '%s\n' "$value"
}

measure() {
  local i
  for ((i = 0; i < windows; ++i)); do window; done | median
}

# A probe is there when calls take 100 times as long as without: 1.4 ns against more than 500. The
# tool may still be attaching the other one: half a second of windows is thrown away.
wait_for_probes() {
  local value settled deadline=$(($(now_ms) + 20000))
  while [ "$(now_ms)" -lt "$deadline" ]; do
    value=$(window)
    if awk "BEGIN { exit !($value > 100) }"; then
      settled=$(($(now_ms) + 500))
      while [ "$(now_ms)" -lt "$settled" ]; do window >/dev/null; done
      return 0
    fi
    kill -0 "$started" 2>/dev/null || break
    sleep 0.02
  done
  cat "$work/log" >&2
  return 1
}

# added_cost SIGNAL COMMAND...: prints probed minus unprobed ns per call; nothing if it never attached.
added_cost() {
  local signal=$1 base probed
  shift
  base=$(measure)
  background "$@"
  if wait_for_probes; then
    probed=$(measure)
    calculate "$probed - $base"
    echo
  fi
  stop "$started" "$signal"
}

open_target t_probecost "$function_name" "$calls"
release_target
: >"$work/peer"
: >"$work/ours"
: >"$work/floor"
for ((round = 0; round < ROUNDS; ++round)); do
  added_cost INT timeout 60 bpftrace -p "$target_pid" -e "$peer_program" >>"$work/peer"
  added_cost INT timeout 60 bpftrace -p "$target_pid" -e "$floor_program" >>"$work/floor"
  [ -z "$CALLSCOPE" ] ||
    added_cost TERM timeout 60 "$CALLSCOPE" record -p "$target_pid" -f "$function_name" -d 50 -o "$work/r.cscope" >>"$work/ours"
done
close_target

peer=$(median <"$work/peer")
ours=$(median <"$work/ours")
printf '%-44s %10s\n' "entry + return of $function_name" "ns/call"
printf '%-44s %10s\n' "bpftrace uprobe + uretprobe hist()" "${peer:-none}"
printf '%-44s %10s\n' "bpftrace, the two clock readings alone" "$(median <"$work/floor")"
printf '%-44s %10s\n' "callscope record -f" "${ours:-none}"
ratio probe_cost_vs_bpftrace "$([ -n "$ours" ] && [ -n "$peer" ] && calculate "$ours / $peer")" 0.8
exit "$status"
