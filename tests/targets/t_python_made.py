# SPDX-License-Identifier: Apache-2.0
"""Python functions that are made, run for --ms milliseconds of CPU time and freed, one after the other: the code
object of each lies where that of the one before was and differs by its name only (made_00 to made_19). With --fork
that is done in a child. Prints "ready", waits for one byte; at the end prints "done" and waits until its input is
closed."""
import os
import sys
import time

MS = int(sys.argv[sys.argv.index("--ms") + 1])


def make_and_free():
    for number in range(20):
        text = f"""def made_{number:02}():
    end = time.thread_time() + {MS} / 1000
    while time.thread_time() < end:
        pass
made_{number:02}()"""
        space = {"time": time}
        exec(compile(text, "<made>", "exec"), space)
        space.clear()


print("ready", flush=True)
os.read(sys.stdin.fileno(), 1)
if "--fork" in sys.argv:
    child = os.fork()
    if child == 0:
        make_and_free()
        os._exit(0)
    os.waitpid(child, 0)
else:
    make_and_free()
print("done", flush=True)
sys.stdin.read()
