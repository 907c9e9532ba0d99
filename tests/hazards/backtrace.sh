#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# backtrace() and _Unwind_Backtrace below probed calls: a process that maps an unwinder sees the same frames
# as without callscope; a C program, for which libc loads the unwinder at the first call, survives it.
set -u
# shellcheck source=tests/hazards/lib.sh
. "$(dirname "$0")/lib.sh"
use_ways auto entry-only
survives_all_ways "frames of a program with an unwinder" '*' t_backtrace_unwinder
survives "frames of a program with an unwinder, libraries probed" "*,$libraries" t_backtrace_unwinder
survives_launch "frames of a launched program with an unwinder" "*,$libraries" t_backtrace_unwinder
ways=("${all_ways[@]}")
survives_all_ways "backtrace() in a C program" '*' t_backtrace
survives "backtrace() in a C program, libraries probed" "*,$libraries" t_backtrace
survives_launch "backtrace() in a launched C program" "*,$libraries" t_backtrace
finish
