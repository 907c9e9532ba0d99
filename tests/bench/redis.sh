#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Accuracy on redis: calls of getCommand and setCommand in the recording equal redis's own INFO
# commandstats exactly, and the average time is consistent with its usec_per_call.
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
need redis-server redis-benchmark redis-cli jq

client() { redis-cli -s "$work/redis.sock" "$@" 2>/dev/null; }

# stat_of COMMAND FIELD: from INFO commandstats, e.g. stat_of get calls.
stat_of() {
  client info commandstats | tr -d '\r' | sed -nE "s/^cmdstat_$1:(.*,)?$2=([0-9.]+).*/\2/p"
}

[ -n "$CALLSCOPE" ] || die "no callscope program; build it or set CALLSCOPE"
start_redis

# Without a budget, which would detach both functions in a fraction of a second at this rate.
# The window is fixed by the load, not by time: the recorder is attached before the first command
# (a recording exists once it is) and is stopped after the last reply.
background "$CALLSCOPE" record -p "$redis_pid" --budget 0 -f getCommand,setCommand -d 120s -o "$work/redis.cscope"
recorder=$started
for ((i = 0; i < 200; ++i)); do
  [ -s "$work/redis.cscope" ] && break
  kill -0 "$recorder" 2>/dev/null || die "callscope ended early: $(cat "$work/log")"
  sleep 0.05
done
sleep 1 # the file may come a little before the probes
client config resetstat >/dev/null
redis-benchmark -s "$work/redis.sock" -q -n "${REQUESTS:-200000}" -t get,set >/dev/null 2>&1
# shellcheck disable=SC2034  # read by name below
get_calls=$(stat_of get calls) set_calls=$(stat_of set calls)
# shellcheck disable=SC2034
get_us=$(stat_of get usec_per_call) set_us=$(stat_of set usec_per_call)
stop "$recorder" TERM || die "callscope failed: $(cat "$work/log")"
stop "$redis_pid" TERM
"$CALLSCOPE" report "$work/redis.cscope" --format json >"$work/redis.json" || die "no report"

field() { jq -r --arg name "$1" ".functions[] | select(.name == \$name) | .$2" "$work/redis.json"; }

head_row function "redis: calls" "callscope: calls" "redis: us a call" "callscope: us a call"
for command in get set; do
  calls=${command}_calls us=${command}_us name=${command}Command
  row "$name" "${!calls}" "$(field "$name" calls)" "${!us}" "$(calculate "$(field "$name" avg_ns) / 1000")"
done
echo
for command in get set; do
  calls=${command}_calls us=${command}_us name=${command}Command
  ratio "redis_${command}_calls_wrong" "$(calculate "$(field "$name" calls) - ${!calls}" | tr -d -)" 0
  # redis times the call from outside the function, so it may see a bit more; the probe adds the rest.
  ratio "redis_${command}_us_above" \
    "$(calculate "$(field "$name" avg_ns) / 1000 - ${!us}")" "$(calculate "$(field "$name" probe_cost_ns) / 1000")"
done
exit "$status"
