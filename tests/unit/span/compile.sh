#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# compile.sh INCLUDE_FOLDER: callscope/span.hpp in every standard, optimization and kind of code that
# its users may have, without a warning; each program runs and has exactly its two markers.
set -u
include=$(readlink -f "$1")
cd "$(dirname "$0")" || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
programs=0

fail() {
  echo "FAIL $*"
  failures=$((failures + 1))
}

# The markers of a file, one a line: name, arguments, and whether it has a semaphore.
markers() {
  readelf -nW "$1" | awk '/Provider: callscope/ { ours = 1 } /Name:/ { name = $2 }
    /Semaphore:/ { semaphore = $NF ~ /[1-9a-f]/ && $NF != "0x0000000000000000" }
    /Arguments:/ { if (ours) { sub(/.*Arguments: /, ""); print name, $0, semaphore ? "semaphore" : "none" } ours = 0 }' | sort
}
wanted='span_begin 8@%rdi 8@%rsi semaphore
span_end 8@%rdi semaphore'

# compiles COMPILER FLAGS...
compiles() {
  local program=$work/program
  programs=$((programs + 1))
  rm -f "$program"
  "$@" -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -I"$include" first.cpp second.cpp -o "$program" ||
    { fail "does not compile: $*"; return; }
  "$program" || fail "does not run: $*"
  [ "$(markers "$program")" = "$wanted" ] || fail "markers of $*: $(markers "$program")"
}

compilers=g++
command -v clang++-19 >/dev/null && compilers+=" clang++-19"
for compiler in $compilers; do
  for standard in 17 20 23; do
    for optimization in -O0 -O2; do
      compiles "$compiler" -std=c++$standard $optimization -fPIE -pie
      compiles "$compiler" -std=c++$standard $optimization -fno-pie -no-pie
    done
  done
  compiles "$compiler" -std=c++17 -O2 -flto
  compiles "$compiler" -std=c++17 -O2 -fno-exceptions -fno-rtti -ffunction-sections -Wl,--gc-sections
  # A library has markers and a semaphore of its own.
  "$compiler" -std=c++17 -O2 -shared -fPIC -I"$include" second.cpp -o "$work/libsecond.so"
  [ "$(markers "$work/libsecond.so" 2>&1)" = "$wanted" ] || fail "markers of a library by $compiler"
  "$compiler" -std=c++17 -O2 -I"$include" first.cpp "$work/libsecond.so" -Wl,-rpath,"$work" -o "$work/program"
  "$work/program" || fail "does not run with a library by $compiler"
  # Elsewhere it compiles to nothing.
  "$compiler" -std=c++17 -Wall -Wextra -Werror -U__x86_64__ -I"$include" -fsyntax-only first.cpp ||
    fail "does not compile for other machines by $compiler"
  # A span without a name of its own would end at once.
  "$compiler" -std=c++17 -Wall -DFORGOTTEN_NAME -I"$include" -fsyntax-only second.cpp 2>&1 |
    grep -q -- -Wunused || fail "no warning of a span that ends at once by $compiler"
done
echo "$programs programs, $failures failures"
[ "$failures" -eq 0 ]
