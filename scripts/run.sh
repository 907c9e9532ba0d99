#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sudo scripts/run.sh                    installs, builds, profiles the bundled demo for 5 s
# sudo scripts/run.sh -p PID [OPTIONS]   the same for a process of yours (options of callscope record)
# sudo scripts/run.sh SUBCOMMAND ...     callscope report, list, doctor ... from the build
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_root "$@"
# shellcheck disable=SC2154  # lib.sh sets root
build=$root/build
callscope=$build/callscope
out_dir=${CALLSCOPE_OUT:-$PWD}

run_demo() {
  local recording=$out_dir/demo.cscope picture=$out_dir/demo.svg pid status=0
  rm -f "$recording" "$recording"-wal "$recording"-shm
  section "starting the demo workload: a small key-value store under load"
  cc -O2 -g -fno-omit-frame-pointer -D_GNU_SOURCE -pthread -o "$build/demo" \
    "$root/tests/targets/demo.c" "$root/tests/targets/demo_store.c"
  "$build/demo" --ms 30000 >/dev/null &
  pid=$!
  section "callscope record -p $pid -f 'request_*,store_*,slow_path' -d 5 -o $recording"
  "$callscope" record -p "$pid" -f 'request_*,store_*,slow_path' -d 5 -o "$recording" || status=$?
  if [ "$status" -eq 0 ]; then
    "$callscope" report "$recording" --format svg -o "$picture" || status=$?
  fi
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  [ "$status" -eq 0 ] || die "callscope ended with status $status; 'sudo scripts/run.sh doctor' says what this machine lacks"
  give_to_caller "$recording" "$picture"
  section "done"
  cat >&2 <<TEXT
recording    $recording
flame graph  $picture   (open it in a browser)
again        $callscope report $recording
your process sudo scripts/run.sh -p PID -f 'some_function*' -d 10
TEXT
}

section "packages"
"$root/scripts/install_deps.sh" >&2
section "build"
configure_and_build "$build" all -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCALLSCOPE_TESTS=OFF

case "${1:-}" in
  "") run_demo ;;
  -*) exec "$callscope" record "$@" ;;
  *) exec "$callscope" "$@" ;;
esac
