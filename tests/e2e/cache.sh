#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cache makes unwind tables of files and of all that a process maps, shows them, keeps to its limits and
# removes them, and nothing else.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
libc=/lib/x86_64-linux-gnu/libc.so.6
dir=$work/cache

run 0 cache stats --cache-dir "$dir"
matches "a cache that is not there yet" "$out" "$dir: 0 unwind tables, 0.0 MB"
succeeds "looking makes no directory" test ! -e "$dir"

# ---- files
run 0 cache warm "$libc" "$CALLSCOPE" --cache-dir "$dir"
matches "a header" "$(head -n 1 out)" "TIME ms +ROWS +RULES +BYTES +INVALID +FROM +FILE"
equal "rows that were compiled" "$(grep -c ' compiled ' out)" 2
run 0 cache warm "$libc" "$CALLSCOPE" --cache-dir "$dir" --json
equal "the second time they come from the cache" "$(jq -c '[.[].from]' out)" '["cache","cache"]'
between "rows of libc, for each of its frame entries" \
  "$(($(jq '.[0].rows' out) / $(readelf -wNF "$libc" | grep -c ' FDE ')))" 2 20
between "rows of libc that no rule can say, permille" "$(jq '.[0] | 1000 * .invalid_rows / .rows | floor' out)" 0 5
build_id=$(readelf -n "$libc" | awk '/Build ID/ { print $3 }')
succeeds "the file has the name of the build-id" test -f "$dir/$build_id.unwind"
equal "files in the cache" "$(find "$dir" -type f | wc -l)" 2

# ---- a process, with its vdso
start_target t_known
run 0 cache warm -p "$target_pid" --cache-dir "$dir" --json
equal "modules of the process: its own code" "$(jq --arg file "$TARGETS/t_known" '[.[] | select(.file == $file and .rows > 0)] | length' out)" 1
equal "  the C library, from the cache" "$(jq -r '.[] | select(.file | endswith("libc.so.6")) | .from' out)" cache
equal "  the vdso" "$(jq '[.[] | select(.file == "[vdso]" and .rows > 0)] | length' out)" 1
end_target

# ---- what goes wrong is said, the rest is done
printf 'no ELF file' >text
run 1 cache warm "$libc" text --cache-dir "$dir"
matches "a file that is none" "$err" "text: .*not an ELF file"
equal "  lines about it" "$(wc -l <err)" 1
equal "  the other one" "$(grep -c "$libc" out)" 1
printf 'damaged' >"$dir/$build_id.unwind"
run 0 cache warm "$libc" --cache-dir "$dir" --json
equal "a damaged table is compiled anew" "$(jq -r '.[0].from' out)" compiled
run 1 cache warm "$libc" --cache-dir /proc/nowhere
matches "a directory that cannot be made" "$err" "cannot create the cache /proc/nowhere: .*compiled anew"
equal "  the table is made all the same" "$(grep -c "compiled" out)" 1
run 4 cache warm -p 4194304 --cache-dir "$dir"

# ---- limits, stats, clear
touch -d '3 hours ago' "$dir"/*.unwind
run 0 cache warm "$libc" --cache-dir "$dir" --max-age 1h
equal "what was not used for an hour is gone" "$(find "$dir" -name '*.unwind' -printf '%f\n')" "$build_id.unwind"
printf 'not ours' >"$dir/notes.txt"
run 0 cache stats --cache-dir "$dir" --json
equal "stats: files" "$(jq .files out)" 1
equal "stats: bytes" "$(jq .bytes out)" "$(stat -c %s "$dir/$build_id.unwind")"
run 0 cache clear --cache-dir "$dir"
matches "clear" "$out" "removed 1 unwind tables"
equal "what is left" "$(ls "$dir")" notes.txt
finish
