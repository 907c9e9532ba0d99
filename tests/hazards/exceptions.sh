#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# C++ exceptions through 1 to 64 probed frames: rethrown, thrown and caught in destructors while another
# one unwinds, stopped by noexcept functions, carried to another thread, thrown through qsort; with the
# unwinder in a library, linked in, and in a program without any library.
set -u
# shellcheck source=tests/hazards/lib.sh
. "$(dirname "$0")/lib.sh"
depths=(1 2 64)
[ ${#all_ways[@]} -gt 1 ] || depths=(64) # which passes all smaller ones, too
for target in t_throw t_throw_static t_throw_allstatic; do
  for depth in "${depths[@]}"; do
    survives "$target through 1 to $depth frames" 'throw_*' $target --rounds 4 --deepest "$depth"
  done
done
for target in t_throw_nested t_throw_nested_static; do
  for depth in "${depths[@]/64/30}"; do
    survives "$target, $depth frames" '*' $target --rounds 4 --deepest "$depth"
  done
done
use_ways ret-site entry-only
survives_all_ways "exceptions" 'throw_*' t_throw --rounds 4
survives_all_ways "nested exceptions" '*' t_throw_nested --rounds 4
# Every function that throws, unwinds and catches is probed, too.
survives "exceptions with all libraries probed" "*,$libraries" t_throw --rounds 4 --deepest 64
survives "nested exceptions with all libraries probed" "*,$libraries" t_throw_nested --rounds 4
survives_launch "exceptions in a launched program" "*,$libraries" t_throw --rounds 4 --deepest 64
survives_launch "nested exceptions in a launched program" "*,$libraries" t_throw_nested --rounds 4
survives_launch "exceptions in a launched static program" '*' t_throw_allstatic --rounds 4
finish
