#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""As tests/targets/t_gaps.c, in Python: looks at the clock all the time, below as many functions as argv[1] says,
each another one; for each byte on stdin after the first prints "ns_per_gap" and the median of the times that were
missing between two looks."""
import os
import statistics
import sys
import time

GAP_NS = 1500
WINDOW_NS = 500_000_000


def watch():
    look = time.perf_counter_ns
    gaps = []
    before = look()
    end = before + WINDOW_NS
    while before < end:
        now = look()
        if now - before > GAP_NS:
            gaps.append(now - before)
        before = now
    return gaps


DEPTH = int(sys.argv[1])
callees = [f"step_{i + 1}" for i in range(DEPTH - 1)] + ["watch"]
exec("".join(f"def step_{i}():\n    return {callee}()\n\n" for i, callee in enumerate(callees)))

print("ready", flush=True)
os.read(0, 1)
while os.read(0, 1):
    print("ns_per_gap", int(statistics.median(step_0() or [0])), flush=True)
