#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Signal handlers that interrupt probed calls and make probed calls themselves, on the same stack and on an
# alternate one, above or below it in memory, which they leave by returning or by siglongjmp.
set -u
# shellcheck source=tests/hazards/lib.sh
. "$(dirname "$0")/lib.sh"
unstable='^calls sig_(outer|inner) ' # as many as the time between the signals allows
survives_all_ways "timer signals" '*' t_signals --signals 50
survives "timer signals, libc probed" "*,$libraries" t_signals --signals 50
survives_launch "timer signals in a launched program" '*' t_signals --signals 50
unstable='^$'
for where in '' --below; do
  for how in '' --jump; do
    # shellcheck disable=SC2086  # an empty option is none
    survives_all_ways "alternate stack${where:- --above}${how:+ $how}" '*' t_altstack $where $how
  done
done
survives "alternate stack, libc probed" "*,$libraries" t_altstack
survives_launch "alternate stack in a launched program" '*' t_altstack
finish
