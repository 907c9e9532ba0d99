#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks JSON reports against their schema, and that the schema refuses broken ones.

usage: validate_report.py SCHEMA SAMPLE_PROGRAM
"""
import copy
import json
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)


def delete(*path):
    def edit(report):
        for key in path[:-1]:
            report = report[key]
        del report[path[-1]]
    return edit


def put(value, *path):
    def edit(report):
        for key in path[:-1]:
            report = report[key]
        report[path[-1]] = value
    return edit


BREAKS = {
    "other version": put("callscope.report/2", "schema"),
    "no functions": delete("functions"),
    "function without calls": delete("functions", 0, "calls"),
    "negative calls": put(-1, "functions", 0, "calls"),
    "text for a time": put("5 ms", "functions", 0, "p99_ns"),
    "unknown exit": put("magic", "functions", 0, "exit"),
    "frames are no list": put("main;f", "cpu", "stacks", 0, "frames"),
    "snapshot without rss": delete("resources", "snapshots", 0, "rss_bytes"),
    "fraction of a byte": put(1.5, "resources", "snapshots", 0, "rss_bytes"),
    "no verdict": delete("quality", "complete"),
    "node without a parent": delete("call_tree", 1, "parent"),
    "callers are no list": put(None, "functions", 0, "callers"),
    "argument as a number": put(5, "slow_calls", 0, "args", 0),
    "unknown class": put("fast", "functions", 0, "entry_class"),
    "negative budget": put(-1, "budget_percent"),
    "slot without count": put([5], "latency_columns", 0, "histogram", 0),
    "undocumented member": put(1, "functions", 0, "surprise"),
}


def main():
    schema = json.load(open(sys.argv[1], encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failures = 0
    for kind in ("sample", "empty", "realistic"):
        text = subprocess.run([sys.argv[2], kind], check=True, capture_output=True, timeout=30).stdout
        report = json.loads(text)
        for error in validator.iter_errors(report):
            print(f"{kind}: {list(error.absolute_path)}: {error.message}")
            failures += 1
        if kind != "sample":
            continue
        for name, edit in BREAKS.items():
            broken = copy.deepcopy(report)
            edit(broken)
            if validator.is_valid(broken):
                print(f"the schema accepts a broken report: {name}")
                failures += 1
    return 1 if failures else 0


sys.exit(main())
