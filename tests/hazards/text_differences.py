#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""text_differences.py PID [NAME]: compares every executable file mapping of a process with its file.
With NAME only those of files whose path ends so.

Prints how many bytes differ; the first ones go to standard error with their address. A breakpoint
that is still there, or was put back wrongly, differs. Exit status 2: the process cannot be read.
"""
import os
import re
import sys

SHOWN = 5
LINE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) \S+ (\d+)\s*(.*)")


def executable_mappings(pid):
    with open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            start, end, flags, offset, inode, path = LINE.match(line).groups()
            if "x" in flags and inode != "0":
                yield int(start, 16), int(end, 16), int(offset, 16), path


def differences(pid, memory, start, end, offset):
    # map_files reaches deleted files and other mount namespaces too.
    with open(f"/proc/{pid}/map_files/{start:x}-{end:x}", "rb") as file:
        file.seek(offset)
        wanted = file.read(end - start).ljust(end - start, b"\0")
    memory.seek(start)
    found = memory.read(end - start)
    if found == wanted:
        return []
    return [(start + i, wanted[i], found[i]) for i in range(len(wanted)) if wanted[i] != found[i]]


def main():
    pid = int(sys.argv[1])
    name = sys.argv[2] if len(sys.argv) > 2 else ""
    count = 0
    with open(f"/proc/{pid}/mem", "rb") as memory:
        for start, end, offset, path in executable_mappings(pid):
            if not path.endswith(name):
                continue
            different = differences(pid, memory, start, end, offset)
            for address, wanted, found in different[: max(0, SHOWN - count)]:
                where = f"{path}+{address - start + offset:#x}"
                print(f"{where}: {found:02x} instead of {wanted:02x}", file=sys.stderr)
            count += len(different)
    print(count)


try:
    main()
except OSError as error:
    print(f"text_differences.py: {error}", file=sys.stderr)
    sys.exit(2)
