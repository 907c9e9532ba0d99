#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Exceptions that a C++ library throws through the frames of a C program and back, when the library is
# mapped from the start and when the program loads it, while recorded, an instant before it throws.
set -u
# shellcheck source=tests/hazards/lib.sh
. "$(dirname "$0")/lib.sh"
thrower=$TARGETS/libt_thrower.so
survives "exceptions of a library" '*,libt_thrower.so:thrower_*' t_library_throw "$thrower" --early
survives "exceptions of a library, all probed" "*,libt_thrower.so:*,$libraries" t_library_throw "$thrower" --early
for round in "${rounds[@]}"; do
  survives "exceptions of a library loaded meanwhile, $round" '*' t_library_throw "$thrower"
done
survives_all_ways "exceptions of a library loaded meanwhile" '*' t_library_throw "$thrower"
survives "exceptions of a library loaded meanwhile, libc probed" "*,$libraries" t_library_throw "$thrower"
survives_launch "exceptions of a library loaded by a launched program" '*' t_library_throw "$thrower"
survives_launch "exceptions of a library in a launched program" '*,libt_thrower.so:thrower_*' t_library_throw \
  "$thrower" --early
check_counts=no # the child's are not told
survives "exceptions of a library loaded by a child" '*' t_library_throw "$thrower" --fork
survives "exceptions of a library loaded by a child, libc probed" "*,$libraries" t_library_throw "$thrower" --fork
finish
