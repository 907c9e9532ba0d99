#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Threads that end below probed calls, by pthread_cancel (deferred and asynchronous) and by pthread_exit:
# every clean-up handler and every destructor runs. The C program maps no unwinder until libc loads one
# for the first such end; each kind of end is the first one once.
set -u
# shellcheck source=tests/hazards/lib.sh
. "$(dirname "$0")/lib.sh"
for first in 0 1 2; do
  survives "C threads, first way $first" '*' t_cancel --rounds 4 --first "$first"
done
survives_all_ways "C threads" '*' t_cancel --rounds 4
survives_all_ways "C threads, libc probed" "*,$libraries" t_cancel --rounds 4
survives_launch "C threads of a launched program" "*,$libraries" t_cancel --rounds 4
use_ways auto entry-only
survives_all_ways "C++ threads" '*' t_cancel_cpp --rounds 4
survives "C++ threads, libraries probed" "*,$libraries" t_cancel_cpp --rounds 4
survives_launch "C++ threads of a launched program" "*,$libraries" t_cancel_cpp --rounds 4
survives "threads that leave by a system call" '*' t_threads --threads 2 --calls 200 --sys-exit 20
survives "threads that leave by pthread_exit" '*' t_threads --threads 2 --calls 200 --pthread-exit 20
finish
