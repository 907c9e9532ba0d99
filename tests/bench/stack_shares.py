# SPDX-License-Identifier: Apache-2.0
# How far stacks reach, judged alike whoever took them: a stack reaches the start of its thread if its
# outermost frame lies where readelf says that the return address is undefined (_start, clone3), or at the entry point
# of the file: that of the dynamic loader says nothing of its return address.
#   stack_shares.py callscope RECORDING
#   perf script --no-inline -F comm,pid,tid,ip,sym,dso | stack_shares.py perf
# Prints "REACHED% SAMPLES NAMED% DEEPER%": of the samples that have user frames (DEEPER: than the 640
# frames that callscope keeps, so that the middle is left out or the stack is cut), and NAMED% of their frames.
import functools
import json
import re
import sqlite3
import subprocess
import sys


def readelf(option, path):
    return subprocess.run(["readelf", option, path], capture_output=True, text=True).stdout


ENTRY = re.compile(r"Entry point address: +0x([0-9a-f]+)")
ENTRY_BYTES = 16  # from the entry point to the return address of its one call
CIE = re.compile(r"([0-9a-f]+) [0-9a-f]+ [0-9a-f]+ CIE ")
FDE = re.compile(r" FDE cie=([0-9a-f]+) pc=([0-9a-f]+)\.\.([0-9a-f]+)")
ROW = re.compile(r"[0-9a-f]{16}")


class StartCode:
    """ELF virtual addresses of code that nothing called."""

    def __init__(self, path):
        self.ranges = []
        if entry := ENTRY.search(readelf("-h", path)):
            self.ranges.append((int(entry[1], 16), int(entry[1], 16) + ENTRY_BYTES))
        undefined_cies = set()
        cie = end = row = None
        for line in readelf("-wF", path).splitlines():
            if entry := CIE.match(line):
                cie = entry[1]
            elif entry := FDE.search(line):
                cie, end = None, int(entry[3], 16)
                if entry[1] in undefined_cies:  # all of it, until a row of its own says else
                    self.ranges.append((int(entry[2], 16), end))
            elif (words := line.split()) and ROW.fullmatch(words[0]) and words[-1] == "u":
                if cie is not None:
                    undefined_cies.add(cie)
                else:
                    self.ranges.append((int(words[0], 16), end))
        self.segments = [
            (int(words[1], 16), int(words[2], 16), int(words[4], 16))
            for words in map(str.split, readelf("-lW", path).splitlines())
            if words and words[0] == "LOAD"
        ]

    def has(self, vaddr):
        return any(start <= vaddr <= end for start, end in self.ranges)

    def has_file_off(self, file_off):
        return any(
            off <= file_off < off + size and self.has(file_off - off + vaddr)
            for off, vaddr, size in self.segments
        )


start_code = functools.lru_cache(maxsize=None)(StartCode)


class Shares:
    def __init__(self):
        self.samples = self.reached = self.frames = self.named = self.deeper = 0

    def add(self, count, reached, frames, named, deeper=False):
        self.samples += count
        self.deeper += count * deeper
        self.reached += count * reached
        self.frames += count * frames
        self.named += count * named

    def show(self):
        samples = max(self.samples, 1)
        print("%.2f %d %.2f %.2f" % (100 * self.reached / samples, self.samples,
                                     100 * self.named / max(self.frames, 1), 100 * self.deeper / samples))


def judge_recording(path):
    shares = Shares()
    with sqlite3.connect("file:%s?mode=ro" % path, uri=True) as recording:
        modules = dict((row[0], row[1:]) for row in recording.execute("select id, path, kind from module"))
        frames = dict((row[0], row[1:]) for row in recording.execute(
            "select id, module, addr, function, inline_depth from frame"))
        samples = recording.execute(
            "select frames, sum(count), walk_end from cpu_sample join stack on stack.id = stack group by stack.id")
        for text, count, end in samples:
            user = [frames[i] for i in json.loads(text)]
            user = [f for f in user if modules[f[0]][1] != "kernel" and f[3] == 0]
            if not user:
                continue
            module, addr, _, _ = user[-1]
            shares.add(count, start_code(modules[module][0]).has(addr), len(user),
                       sum(1 for f in user if f[2]), end in ("depth", "deep"))
    shares.show()


SAMPLE = re.compile(r"\S.*?\s\d+/\d+\s*")
FRAME = re.compile(r"\s+([0-9a-f]+) (.*) \((.*)\)")
KERNEL = 1 << 63


def judge_perf(lines):
    """Addresses of user frames are those in the file, as perf 6.1 prints them."""
    shares = Shares()
    user = []

    def finish():
        if user:
            file_off, name, path = user[-1]
            # It often stops two frames early, in the caller of main: that may count.
            reached = name.startswith("__libc_start") or (
                path.startswith("/") and start_code(path).has_file_off(file_off))
            shares.add(1, reached, len(user), sum(1 for _, name, _ in user if name != "[unknown]"))

    for line in lines:
        line = line.rstrip("\n")
        if frame := FRAME.fullmatch(line):
            if int(frame[1], 16) < KERNEL:
                user.append((int(frame[1], 16), frame[2], frame[3]))
        elif SAMPLE.fullmatch(line):
            finish()
            user = []
    finish()
    shares.show()


if sys.argv[1:2] == ["callscope"] and len(sys.argv) == 3:
    judge_recording(sys.argv[2])
elif sys.argv[1:] == ["perf"]:
    judge_perf(sys.stdin)
else:
    sys.exit("usage: stack_shares.py callscope RECORDING | perf <SCRIPT")
