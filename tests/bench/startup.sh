#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Start to first sample, stop to written recording (on redis), and peak memory at 1,000 functions.
# The first sample of a busy process comes at most one sampling period after the recording's start,
# which the recording file states (recording.start_unix_ns).
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
need sqlite3 redis-server redis-benchmark redis-cli
hz=99

now_ns() { printf '%s' "$((${EPOCHREALTIME/./} * 1000))"; }

first_sample_ms() {
  local start recorded
  open_target t_busy --seconds 30 --workers 1
  release_target
  start=$(now_ns)
  if timeout 60 "$CALLSCOPE" record -p "$target_pid" -F "$hz" -d 1s -o "$work/first.cscope" >"$work/log" 2>&1; then
    recorded=$(sqlite3 "$work/first.cscope" 'SELECT start_unix_ns FROM recording')
    calculate "($recorded - $start) / 1e6 + 1000 / $hz"
    echo
  else
    cat "$work/log" >&2
  fi
  close_target
}

# Prints ms from SIGTERM to the end of the recorder, with redis under load.
stop_ms() {
  local start recorder
  redis-benchmark -s "$work/redis.sock" -q -n 100000000 -t get,set >/dev/null 2>&1 &
  local load=$!
  children+=("$load")
  background "$CALLSCOPE" record -p "$redis_pid" -f '*Command' -d 60s -o "$work/stop.cscope"
  recorder=$started
  sleep 3 # not a handshake: lets samples and calls gather
  start=$(now_ns)
  if stop "$recorder" TERM && [ -s "$work/stop.cscope" ]; then
    calculate "($(now_ns) - $start) / 1e6"
    echo
  else
    cat "$work/log" >&2
  fi
  stop "$load" TERM
}

# Peak resident size in MB (10^6 bytes) of the recorder with 1,000 functions, by the kernel's VmHWM.
peak_mb() {
  local peak_kb="" line
  open_target t_manyfuncs
  background "$CALLSCOPE" record -p "$target_pid" -f 'f_00*' -d 2s -o "$work/peak.cscope"
  while kill -0 "$started" 2>/dev/null; do
    line=$(grep VmHWM "/proc/$started/status" 2>/dev/null) || break
    peak_kb=$(awk '{ print $2 }' <<<"$line")
    sleep 0.05
  done
  if stop "$started" 0; then calculate "${peak_kb:-0} * 1024 / 1e6"; fi
  close_target
}

[ -n "$CALLSCOPE" ] || die "no callscope program; build it or set CALLSCOPE"
start_redis

for ((round = 0; round < ROUNDS; ++round)); do
  first_sample_ms >>"$work/first"
  stop_ms >>"$work/stop"
done
first=$(median <"$work/first")
written=$(median <"$work/stop")
peak=$(peak_mb)
stop "$redis_pid" TERM

head_row callscope value
row "start to first sample, ms" "${first:-none}"
row "stop to written recording on redis, ms" "${written:-none}"
row "peak RSS at 1,000 functions, MB" "${peak:-none}"
echo
ratio start_to_first_sample_ms "$first" 300
ratio stop_to_written_ms "$written" 500
ratio peak_rss_mb "$peak" 80
exit "$status"
