#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fibers that leave each other in the middle of probed calls: by swapcontext, in a program that imports it
# and in a static one, where nothing is imported, and by a routine of its own, which has no known name.
set -u
# shellcheck source=tests/hazards/lib.sh
. "$(dirname "$0")/lib.sh"
survives "fibers" '*' t_fibers
survives "fibers, libc probed" "*,$libraries" t_fibers
survives_launch "fibers of a launched program" "*,$libraries" t_fibers
use_ways auto entry-only
survives_all_ways "fibers of a static program" '*' t_fibers_static
survives_launch "fibers of a launched static program" '*' t_fibers_static
survives_all_ways "fibers by a routine of the program" '*' t_fibers_own
survives_launch "fibers by a routine of a launched program" '*' t_fibers_own
finish
