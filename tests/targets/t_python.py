# SPDX-License-Identifier: Apache-2.0
"""Known stacks of Python functions, called in all the ways that the interpreter has. For each it
prints "stack ROOT:LINE;...;CALLER:LINE" as the interpreter itself tells it, and then computes for
some milliseconds in burn(), which all stacks end in. Options: --ms N for each of them, --deep N,
--sleep to sleep there instead.
Prints "ready", waits for one byte; at the end prints "done" and waits until its input is closed."""
import functools
import os
import sys
import threading
import time


def callers():
    frame, names = sys._getframe(2), []
    while frame is not None:
        names.append(f"{frame.f_code.co_qualname}:{frame.f_lineno}")
        frame = frame.f_back
    return ";".join(reversed(names))


def option(name, default):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


MS = option("--ms", 100)
DEEP = option("--deep", 300)
SLEEP = "--sleep" in sys.argv
lock = threading.Lock()
sys.setrecursionlimit(DEEP + 1000)


def burn(result=0):
    with lock:
        print("stack", callers(), flush=True)
    if SLEEP:
        time.sleep(MS / 1000)
        return result
    end = time.thread_time() + MS / 1000
    while time.thread_time() < end:
        for i in range(1000):
            result ^= i
    return result


def down(levels):
    if levels > 0:
        return down(levels - 1)
    return burn()


def produce(count):
    for _ in range(count):
        yield burn()


def delegate():
    yield from produce(1)


async def waits():
    return burn()


async def awaits():
    return await waits()


class Thing:
    def method(self):
        return burn()

    @classmethod
    def make(cls):
        return cls().method()

    @property
    def value(self):
        return burn()

    def __add__(self, other):
        return burn()

    def __getattr__(self, name):
        return burn()

    def __lt__(self, other):
        return burn() < 0

    def __del__(self):
        burn()

    def __enter__(self):
        return burn()

    def __exit__(self, *what):
        burn()


def decorated(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)

    return inner


@decorated
@functools.lru_cache(maxsize=None)
def cached(n):
    return burn(n)


def größe_in_β():
    return burn()


def caught():
    try:
        raise ValueError
    except ValueError:
        return burn()


def run_coroutine():
    try:
        awaits().send(None)
    except StopIteration:
        pass


def of_c():
    """Called through functions of the interpreter that are written in C."""
    sorted([1], key=lambda x: burn())
    functools.reduce(lambda a, b: burn(), [1, 2])
    list(map(functools.partial(burn), [0]))
    max([Thing(), Thing()])
    thing = Thing()
    thing + thing
    thing.missing
    del thing


def of_text():
    space = {"burn": burn}
    for number in range(20):
        exec(compile(f"def made_{number:02}():\n burn()\nmade_{number:02}()", "<made>", "exec"), space)
        del space[f"made_{number:02}"]  # the next one lies where it was


def of_classes():
    class Body:
        burn()

    Thing.make()
    Thing().value
    with Thing():
        burn()
    return Body


def all_ways():
    down(3)
    down(DEEP)
    sum(produce(1))
    list(delegate())
    [burn() for _ in range(1)]
    {key: burn() for key in range(1)}
    any(burn() < 0 for _ in range(1))
    (lambda: burn())()
    cached(1)
    größe_in_β()
    caught()
    run_coroutine()
    of_c()
    of_text()
    of_classes()


def main():
    print("ready", flush=True)
    os.read(sys.stdin.fileno(), 1)
    all_ways()
    threads = [threading.Thread(target=down, args=(depth,)) for depth in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("done", flush=True)
    sys.stdin.read()


main()
