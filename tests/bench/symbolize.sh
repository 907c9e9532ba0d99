#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Names, lines and inlined functions of 10,000 random addresses of callscope's own binary, whose debug
# information is scaled to 100 MB. Limits: 5 s by DWARF and 300 MB at its peak, 0.3 s by symbols only.
# Seconds of CPU time. The peer is binutils' addr2line; elfutils' takes minutes, as it looks at each address from the beginning.
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
need addr2line

SYMBOLIZE=${SYMBOLIZE:-$(dirname "$TARGETS")/bench/symbolize}
[ -x "$SYMBOLIZE" ] || die "no $SYMBOLIZE; build the target symbolize"
count=10000
TIMEFORMAT=%U
bytes=$(stat -Lc %s "$CALLSCOPE")
file_mb=$((bytes / 1000000))
strip --strip-debug -o "$work/symbols_only" "$CALLSCOPE"

text=$(readelf -SW "$CALLSCOPE" | awk '$2 == ".text" { print $4, $6 } $3 == ".text" { print $5, $7 }')
read -r start size <<<"$text"
awk -v start=$((16#$start)) -v size=$((16#$size)) -v count=$count \
  'BEGIN { srand(7); for (i = 0; i < count; ++i) printf "0x%x\n", start + int(rand() * size) }' >"$work/addrs"

for ((round = 0; round < ROUNDS; ++round)); do
  read -r seconds peak found < <("$SYMBOLIZE" lines "$CALLSCOPE" $count)
  echo "$seconds" >>"$work/lines"
  echo "$peak" >>"$work/peak"
  echo "$found" >>"$work/found"
  read -r seconds peak found < <("$SYMBOLIZE" names "$work/symbols_only" $count)
  echo "$seconds" >>"$work/names"
  { time addr2line -f -i -e "$CALLSCOPE" <"$work/addrs" >/dev/null; } 2>>"$work/peer"
done

echo "10,000 random addresses of a C++ program of $file_mb MB, $(cell found) of them with a line."
echo
head_row "" "CPU seconds" "peak MB"
row "lines and inlined functions" "$(cell lines %.2f)" "$(cell peak)"
row "the same by addr2line" "$(cell peer %.2f)" "-"
row "names, symbol table only" "$(cell names %.3f)" "-"
echo
per_100_mb=$(calculate "$(median <"$work/lines") * 100 / $file_mb")
ratio seconds_for_10000_lines_of_100_MB "$per_100_mb" 5
ratio peak_MB_for_10000_lines "$(median <"$work/peak")" 300
ratio seconds_for_10000_names "$(median <"$work/names")" 0.3
exit "$status"
