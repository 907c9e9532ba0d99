# SPDX-License-Identifier: Apache-2.0
# Runs inside gdb, attached to a process. For each line "go" on descriptor CALLSCOPE_GDB_IN lets the
# process continue until SIGSTOP stops it and writes one line to CALLSCOPE_GDB_OUT about the thread
# that the signal was for: "stop TID REGISTER... | PC... | why there is no further frame", leaf
# first. Any other line ends it.
import os

import gdb

REGISTERS = ("rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip").split()
SYNTHETIC = (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME)


def backtrace():
    frame = gdb.newest_frame()
    pcs = []
    reason = ""
    while frame is not None:
        if frame.type() not in SYNTHETIC:
            pcs.append(frame.pc())
        try:
            older = frame.older()
        except gdb.error as error:
            reason = str(error)
            break
        if older is None:
            reason = gdb.frame_stop_reason_string(frame.unwind_stop_reason())
        frame = older
    return pcs, reason


def stop_line():
    frame = gdb.newest_frame()
    registers = [int(frame.read_register(name)) & (2**64 - 1) for name in REGISTERS]
    pcs, reason = backtrace()
    return "stop %d %s | %s | %s\n" % (
        gdb.selected_thread().ptid[1],
        " ".join(map(str, registers)),
        " ".join(map(str, pcs)),
        reason.replace("\n", " "),
    )


for command in ("handle SIGSTOP stop nopass", "set backtrace past-main on",
                "set backtrace past-entry on", "set backtrace limit 700"):
    gdb.execute(command, to_string=True)
# Read and written unbuffered: gdb leaves these descriptors alone.
with os.fdopen(int(os.environ["CALLSCOPE_GDB_IN"])) as requests, os.fdopen(
    int(os.environ["CALLSCOPE_GDB_OUT"]), "w"
) as answers:
    answers.write("ready\n")
    answers.flush()
    for line in requests:
        if line != "go\n":
            break
        try:
            gdb.execute("continue", to_string=True)
            answers.write(stop_line())
        except gdb.error as error:
            answers.write("failed %s\n" % error)
        answers.flush()
