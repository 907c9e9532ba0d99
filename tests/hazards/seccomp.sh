#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Processes that the kernel kills at any system call but a few, in strict mode or by a filter, confined before
# or after the attach: a return probe and an optimized uprobe are system calls on new kernels.
set -u
# shellcheck source=tests/hazards/lib.sh
. "$(dirname "$0")/lib.sh"
for mode in strict filter; do
  for late in '' --late; do
    # shellcheck disable=SC2086  # an empty option is none
    survives_all_ways "$mode mode${late:+, late}" '*' t_seccomp $mode $late
  done
  survives "$mode mode, libc probed" "*,$libraries" t_seccomp $mode
  survives_launch "$mode mode in a launched program" "*,$libraries" t_seccomp $mode
done
finish
