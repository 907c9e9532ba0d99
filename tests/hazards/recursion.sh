#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Recursion below, at and far beyond the 64 calls that return probes and the shadow stack hold, and 100,000
# mutual tail calls.
set -u
# shellcheck source=tests/hazards/lib.sh
. "$(dirname "$0")/lib.sh"
for depth in 10 64 65 1000; do
  survives "recursion $depth deep" '*' t_recursive --depth "$depth" --rounds 3 --tails 0
done
survives_all_ways "recursion" '*' t_recursive --rounds 2 --tails 0
survives_all_ways "mutual tail calls" '*' t_recursive --depth 1 --rounds 1 --tails 100000
survives "recursion and tail calls, libc probed" "*,$libraries" t_recursive --rounds 1 --tails 10000
survives_launch "recursion and tail calls in a launched program" '*' t_recursive --rounds 1 --tails 10000
finish
