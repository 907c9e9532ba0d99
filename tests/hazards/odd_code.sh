#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Code that breaks when a probe stands where no instruction begins, where the kernel takes the probed
# instruction for another one, or when a return address is replaced: t_odd_code says how.
set -u
# shellcheck source=tests/hazards/lib.sh
. "$(dirname "$0")/lib.sh"
for function in odd_table odd_island odd_prefix odd_exchange odd_caller odd_caller_by_jump odd_next; do
  ways=("${all_ways[@]}")
  survives_all_ways "$function" 'odd_*' t_odd_code $function
  ways=(auto)
  survives_all_ways "$function with an unwinder" 'odd_*' t_odd_code_unwinder $function
done
survives "odd_next, libraries probed" "*,$libraries" t_odd_code odd_next
finish
