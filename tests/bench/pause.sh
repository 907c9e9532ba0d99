#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The longest pause of a running program while some 10,000 functions of a big library are attached and
# detached: gaps between clock readings of a spinning thread, and the slowest map-touch-unmap of another
# one, for attaching holds the lock of the address space. The same without callscope is the noise.
# The steps are timed by attach_time.cpp; kernel_attach, kernel_detach: an empty program at the same places. Limits: attach + detach 300 ms; each pause at most 50 ms more than the noise.
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
need nm jq
wanted=10000

# A library with enough functions: LLVM comes with clang, which the build needs.
library=${LIBRARY:-$(first_existing /usr/lib/x86_64-linux-gnu/libLLVM-19.so /usr/lib/llvm-19/lib/libLLVM.so.1 \
  /usr/lib/x86_64-linux-gnu/libLLVM-1*.so* /usr/lib/x86_64-linux-gnu/libpython3*.so.1.0)}
[ -n "$library" ] || die "no big library; set LIBRARY"
file=$(basename "$(readlink -f "$library")")

# Globs on linker names that match about as many functions as wanted: the names are put into heaps by
# their beginning, "_ZN4llvm15", and the largest heaps are taken.
globs() {
  nm -D --defined-only "$library" | awk -v wanted="$wanted" -v file="$file" '
    $2 ~ /^[TtWw]$/ && match($3, /^_ZNK?4llvm[0-9]+/) { heap[substr($3, 1, RLENGTH)]++; next }
    $2 ~ /^[TtWw]$/ { heap[substr($3, 1, 4)]++ }
    END {
      while (sum < wanted) {
        best = ""
        for (name in heap) if (best == "" || heap[name] > heap[best]) best = name
        if (best == "") break
        sum += heap[best]
        delete heap[best]
        printf "%s%s:%s[!0-9]*", separator, file, best
        separator = ","
      }
    }'
}

# pauses FILE: appends the pauses since the last call.
pauses() {
  local key kind value i
  printf x >&"$to_target"
  for i in 1 2; do
    read -r -t 60 key kind value <&"$from_target" || die "the target gave no pauses"
    [ "$key" = pause_ns ] || die "the target said '$key'"
    [ -z "$1" ] || calculate "$value / 1e6" >>"$work/$kind-$1"
    [ -z "$1" ] || echo >>"$work/$kind-$1"
  done
}

# record FILE PATTERN: one recording of 1 s; appends its ms and the pauses.
record() {
  local start
  pauses ""
  start=$(now_ms)
  timeout 90 "$CALLSCOPE" record -p "$target_pid" -f "$2" -F 0 -d 1s "${no_budget[@]}" -o "$work/r.cscope" \
    >"$work/log" 2>&1 </dev/null || { cat "$work/log" >&2; return; }
  echo $(($(now_ms) - start)) >>"$work/ms-$1"
  pauses "$1"
}

# Appends the ms of each step to FILE-STEP.
steps() {
  local key value
  while read -r key value; do echo "$value" >>"$work/$1-$key"; done < <(timeout 90 "$ATTACH_TIME" "$target_pid" "$2")
}

[ -n "$CALLSCOPE" ] || die "no callscope program; build it or set CALLSCOPE"
[ -n "$ATTACH_TIME" ] || die "no attach_time; build it or set ATTACH_TIME"
many=$(globs)
one="$file:$(nm -D --defined-only "$library" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3; exit }')"
open_target t_pause "$library"
release_target
for ((round = 0; round < ROUNDS; ++round)); do
  pauses ""
  sleep 1.3 # as long as a recording: its noise
  pauses idle
  record one "$one"
  record many "$many"
  steps one "$one"
  steps many "$many"
done
probed=$(report r.cscope '.functions | length')
exits=$(report r.cscope '[.functions[].exit] | group_by(.) | map("\(length) \(.[0])") | join(", ")')
close_target

echo "A running program with $file: $probed functions ($exits) attached and detached."
echo
head_row "" "nothing" "1 function" "$probed functions"
row "recording of 1 s, ms" - "$(cell ms-one)" "$(cell ms-many)"
for step in find plan attach detach kernel_attach kernel_detach; do
  row "$step, ms" - "$(cell "one-${step}_ms" %.1f)" "$(cell "many-${step}_ms" %.1f)"
done
row "longest gap of a spinning thread, ms" "$(cell spin-idle %.1f)" "$(cell spin-one %.1f)" "$(cell spin-many %.1f)"
row "slowest page mapped and touched, ms" "$(cell fault-idle %.1f)" "$(cell fault-one %.1f)" "$(cell fault-many %.1f)"
echo
ratio functions_missing "$(calculate "$wanted - $probed")" 500
ratio library_attach_detach_ms "$(calculate "$(cell many-attach_ms %.1f) + $(cell many-detach_ms %.1f)")" 300
ratio pause_spinning_ms "$(difference spin-many spin-idle)" 50
ratio pause_mapping_ms "$(difference fault-many fault-idle)" 50
exit "$status"
