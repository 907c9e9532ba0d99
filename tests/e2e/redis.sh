#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A real server: calls of redis's commands equal its own INFO commandstats exactly, and the average
# latency is above redis's own by no more than the shown probe cost.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
for program in redis-server redis-cli redis-benchmark; do
  command -v $program >/dev/null || { echo "skipped: no $program"; exit "$kSkip"; }
done

client() { timeout 30 redis-cli -s "$work/redis.sock" "$@" 2>/dev/null; }
# stat_of COMMAND FIELD: from INFO commandstats
stat_of() { client info commandstats | tr -d '\r' | sed -nE "s/^cmdstat_$1:(.*,)?$2=([0-9.]+).*/\2/p"; }
# shellcheck disable=SC2317 # called by wait_until
answers() { [ "$(client ping)" = PONG ]; }

# A server of our own, on a socket in our folder: it can be no other.
redis-server --port 0 --unixsocket "$work/redis.sock" --save '' --appendonly no --dir "$work" \
  >redis.log 2>&1 </dev/null {to_target}>&- &
redis_pid=$!
children+=("$redis_pid")
wait_until "redis answers" answers

# Without a budget: every call is to be timed.
start_record -p "$redis_pid" -f '*Command' --budget 0 -o redis.cscope
client config resetstat >/dev/null
for ((i = 0; i < 37; ++i)); do client set "key:$i" "$i"; done >/dev/null
for ((i = 0; i < 23; ++i)); do client get "key:$i"; done >/dev/null
client lpush list a b c >/dev/null
client lrange list 0 -1 >/dev/null
client incr counter >/dev/null
redis-benchmark -s "$work/redis.sock" -q -n 30000 -c 20 -t get,set >/dev/null 2>&1
for command in get set; do
  printf -v "${command}_calls" %s "$(stat_of $command calls)"
  printf -v "${command}_us" %s "$(stat_of $command usec_per_call)"
done
stop_record INT
equal "exit code" "$recorder_code" 0
json redis.cscope
equal "complete" "$(field .quality.complete)" true
for command in get set; do
  calls=${command}_calls us=${command}_us function=${command}Command
  equal "calls of $function, as redis has them" "$(call_field $function calls)" "${!calls}"
  equal "returns of $function" "$(call_field $function returns)" "${!calls}"
  cost=$(call_field $function probe_cost_ns)
  between "average ns of $function, redis having ${!us} us and a probe costing $cost ns" \
    "$(call_field $function avg_ns)" 50 "$(jq -n "${!us} * 1000 + $cost")"
done
equal "calls of set, as we made them" "${set_calls:?}" 30037
equal "calls of get, as we made them" "${get_calls:?}" 30023
for pair in lpushCommand:1 lrangeCommand:1 incrCommand:1; do
  equal "calls of ${pair%:*}" "$(call_field "${pair%:*}" calls)" "${pair#*:}"
done
matches "the summary has both" "$out" "setCommand.*getCommand|getCommand.*setCommand"
equal "redis is well" "$(client ping)" PONG
equal "redis has its keys" "$(client get key:36)" 36
finish
