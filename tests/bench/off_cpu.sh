#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What off-CPU stacks cost a server that sleeps at each request: redis answers one client at a time, under
# callscope and under offcputime of libbpf-tools (which walks by frame pointers), in turn. The kernel
# counts the time of their programs (kernel.bpf_stats_enabled): each request has four context switches,
# and whole seconds of the machine hide what a microsecond costs. And the share of the waiting time whose
# stack reaches the start of its thread. Limits: no dearer than offcputime; 99 % of the time that has a
# stack.
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
need redis-server redis-benchmark redis-cli offcputime jq bpftool
[ -n "$CALLSCOPE" ] || die "no callscope program; build it or set CALLSCOPE"
start_redis

# bpf_time PATTERN: ns and runs of the programs of that name so far.
bpf_time() {
  bpftool prog show --json | jq -r --arg name "$1" \
    '[.[] | select(.name | test($name))] | "\([.[].run_time_ns // 0] | add) \([.[].run_cnt // 0] | max)"'
}

# under NAME PATTERN COMMAND...: requests while the tool records; its time a switch and in percent of a CPU.
under() {
  local name=$1 pattern=$2 ns switches start
  shift 2
  background "$@"
  sleep 1.5 # until it has attached
  start=$(now_ms)
  redis-benchmark -s "$work/redis.sock" -c 1 -n 60000 -t get --csv >"$work/requests" 2>/dev/null
  read -r ns switches < <(bpf_time "$pattern")
  calculate "$ns / ($(now_ms) - $start) / 1e4" >>"$work/percent-$name"
  calculate "$ns / $switches" >>"$work/ns-$name"
  echo >>"$work/percent-$name"
  echo >>"$work/ns-$name"
  stop "$started" INT
}

stats=$(sysctl -n kernel.bpf_stats_enabled)
trap 'sysctl -q kernel.bpf_stats_enabled="$stats"; cleanup' EXIT
sysctl -q kernel.bpf_stats_enabled=1
for ((round = 0; round < ROUNDS; ++round)); do
  under callscope '^cs_(switch|wake)_stacks' \
    timeout 60 "$CALLSCOPE" record -p "$redis_pid" --off-cpu -F 0 --functions none -o "$work/waits.cscope"
  under offcputime '^sched_switch' timeout 60 offcputime -p "$redis_pid"
done

time_of() { report waits.cscope "[.off_cpu.stacks[] | select($1) | .blocked_ns + .runq_ns] | add // 0"; }
with_stack=$(time_of '.frames != []') complete=$(time_of '.end == "complete" or .end == "deep"') all=$(time_of true)

stop "$redis_pid" TERM

head_row "" callscope "offcputime (libbpf-tools)"
row "ns a context switch of the machine" "$(cell ns-callscope)" "$(cell ns-offcputime)"
row "percent of one CPU" "$(cell percent-callscope %.1f)" "$(cell percent-offcputime %.1f)"
row "waits a recording" "$(report waits.cscope .off_cpu.waits)" -
row "of their time with a stack, %" "$(calculate "100 * $with_stack / $all")" -
row "of that, to the start of the thread, %" "$(calculate "100 * $complete / $with_stack")" -
echo
ratio off_cpu_vs_offcputime "$(quotient ns-callscope ns-offcputime)" 1
ratio off_cpu_stacks_cut_percent "$(calculate "100 * (1 - $complete / $with_stack)")" 1
exit "$status"
