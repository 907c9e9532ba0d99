#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Memory, descriptors, threads, CPU time and switches over time, against what the target knows and
# what /proc says; the interval of snapshots and their bound.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# at INDEX NAME: a value of one snapshot, -1 the last
at() { field ".resources.snapshots[$1].$2"; }
from_status() { awk -v name="$1:" '$1 == name { print $2 }' "/proc/$target_pid/status"; }

start_target t_grow --ms 4000 --kb-per-second 8192 --files 11 --socket-pairs 2 --pipes 3 --eventfds 4 --threads 5
start_record -p "$target_pid" -F 0 -i 100ms -o grow.cscope
release_target
rss_kib=$(from_status VmRSS) vms_kib=$(from_status VmSize)
voluntary=$(from_status voluntary_ctxt_switches)
minor=$(awk '{ print $10 }' "/proc/$target_pid/stat")
stop_record TERM
json grow.cscope
duration_ns=$(field .duration_ns)

# The shell's standard streams of the target: its input and two files.
equal "descriptors that are sockets" "$(at -1 fd_sockets)" "$(truth fds socket)"
equal "descriptors that are pipes, standard input too" "$(at -1 fd_pipes)" $(($(truth fds pipe) + 1))
equal "descriptors that are files, standard output and error too" "$(at -1 fd_files)" $(($(truth fds file) + 2))
equal "descriptors that are eventfds" "$(at -1 fd_anon)" "$(truth fds eventfd)"
equal "descriptors, all" "$(at -1 fds)" "$(find "/proc/$target_pid/fd" -type l | wc -l)"
equal "threads" "$(at -1 threads)" "$(truth threads all)"
equal "threads are steady" "$(field '[.resources.snapshots[].threads] | unique | length')" 1
between "VMS, bytes" "$(at -1 vms_bytes)" $((vms_kib * 1024)) $((vms_kib * 1024))
between "RSS, bytes, as /proc has it" "$(at -1 rss_bytes)" $((rss_kib * 1000)) $((rss_kib * 1048))
grown=$(truth bytes grown)
between "growth of RSS, bytes, the truth being $grown" "$(($(at -1 rss_bytes) - $(at 0 rss_bytes)))" \
  $((grown * 95 / 100)) $((grown * 105 / 100))
between "growth of PSS, bytes" "$(($(at -1 pss_bytes) - $(at 0 pss_bytes)))" $((grown * 95 / 100)) $((grown * 105 / 100))
# The slope covers the whole window, of which the target grew 4 s.
between "growth of RSS per minute, the rate being $((8192 * 1024 * 60))" "$(field .resources.growth_per_minute.rss_bytes)" \
  $((8192 * 1024 * 60 * 80 / 100)) $((8192 * 1024 * 60 * 110 / 100))
equal "growth of descriptors per minute" "$(field .resources.growth_per_minute.fds)" 0
between "minor faults of the growth" "$(($(at -1 minor_faults) - $(at 0 minor_faults)))" $((grown / 4096)) $((grown * 11 / 40960 + 50))
equal "minor faults, as /proc has them" "$(at -1 minor_faults)" "$minor"
between "voluntary switches: one for each of 200 steps" "$(($(at -1 voluntary_switches) - $(at 0 voluntary_switches)))" 190 260
equal "voluntary switches of the process, all threads" "$(test "$(at -1 voluntary_switches)" -ge "$voluntary" && echo yes)" yes
between "swap" "$(at -1 swap_bytes)" 0 0
between "snapshots at 100 ms" "$(field '.resources.snapshots | length')" \
  $((duration_ns * 8 / 1000000000)) $((duration_ns / 100000000 + 3))
equal "snapshots are in order" "$(field '[.resources.snapshots[].t_ns] | . == sort')" true
matches "growth in the summary" "$out" "rss .*MiB .*\+[0-9.]+MiB"
end_target

# CPU time: a worker that spins, in user mode.
start_target t_busy --ms 2000 --workers 1
start_record -p "$target_pid" -F 0 -i 200ms -o busy.cscope
release_target
stop_record TERM
json busy.cscope
cpu_ms=$(awk '$1 == "cpu_ns" { sum += $3 } END { print int(sum / 1e6) }' target.out)
between "user CPU time in ms, the truth being $cpu_ms" "$(($(at -1 utime_ns) / 1000000))" \
  $((cpu_ms * 90 / 100 - 20)) $((cpu_ms * 110 / 100 + 20))
between "system CPU time in ms" "$(($(at -1 stime_ns) / 1000000))" 0 200
end_target

# The default interval, and bounds on the number of snapshots: the first, the last, extremes stay.
start_target t_grow --ms 3000 --kb-per-second 16384
start_record -p "$target_pid" -F 0 -i 50ms --max-snapshots 12 -o bound.cscope
release_target
stop_record TERM
json bound.cscope
between "snapshots with --max-snapshots 12" "$(field '.resources.snapshots | length')" 6 12
between "the first is from the start, ms" "$(($(at 0 t_ns) / 1000000))" 0 200
between "the last is from the end, ms before it" "$((($(field .duration_ns) - $(at -1 t_ns)) / 1000000))" 0 300
between "the extremes are kept: growth" "$(field '[.resources.snapshots[].rss_bytes] | max - min')" \
  $(($(truth bytes grown) * 95 / 100)) $(($(truth bytes grown) * 105 / 100))
run 0 record -p "$target_pid" -F 0 -d 3500ms -o second.cscope
json second.cscope
between "snapshots of 3.5 s at the default of 1 s" "$(field '.resources.snapshots | length')" 4 5
end_target

finish
