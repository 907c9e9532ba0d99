#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# longjmp over 1 to 63 probed frames leaves the program on its way, and the calls that it left are
# known as unwound.
set -u
# shellcheck source=tests/hazards/lib.sh
. "$(dirname "$0")/lib.sh"
for depth in 1 2 31 62 63; do
  survives "longjmp over $depth frames" 'jump_*' t_longjmp --rounds 20 --depth "$depth"
done
survives_all_ways "longjmp" 'jump_*' t_longjmp --rounds 20
survives "longjmp with libc probed" "*,$libraries" t_longjmp --rounds 20
survives_launch "longjmp in a launched program" "*,$libraries" t_longjmp --rounds 20
finish
