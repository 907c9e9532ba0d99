#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Compiling an unwind table against reading it from the cache, by size of the file; one file at a time.
# Limits: reading takes at most a fifth of compiling for gdb, tables of redis-server and its large
# libraries are within 16 MB.
set -u
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
need gdb redis-server jq
libraries=/lib/x86_64-linux-gnu
files=(/usr/bin/redis-server "$libraries"/libc.so.6 "$libraries"/libcrypto.so.3 "$libraries"/libpython3.11.so.1.0
  "$libraries"/libstdc++.so.6 /usr/bin/gdb)

# field FILE KEY: of its row in the answer of the last warm
field() { jq --arg file "$1" ".[] | select(.file == \$file) | .$2" "$work/answer"; }

warm() { timeout 60 "$CALLSCOPE" cache warm "$1" --cache-dir "$work/cache" --json >"$work/answer"; }

for ((round = 0; round < ROUNDS; ++round)); do
  for file in "${files[@]}"; do
    name=${file##*/}
    rm -rf "$work/cache"
    for way in compile read; do
      warm "$file" || die "cannot warm $file"
      field "$file" "took_ns / 1e6" >>"$work/$way-$name"
    done
  done
done

head_row file MB rows "table KB" "compile ms" "read ms"
sum_bytes=0
for file in "${files[@]}"; do
  name=${file##*/}
  warm "$file"
  bytes=$(field "$file" bytes)
  case "$name" in
    gdb | libstdc*) ;;
    *) sum_bytes=$((sum_bytes + bytes)) ;;
  esac
  row "$name" "$(calculate "$(stat -L -c %s "$file") / 1e6")" "$(field "$file" rows)" $((bytes / 1000)) \
    "$(cell "compile-$name" %.1f)" "$(cell "read-$name" %.2f)"
done
echo
ratio unwind_table_read_over_compile "$(quotient read-gdb compile-gdb)" 0.2
ratio unwind_tables_redis_MB "$(calculate "$sum_bytes / 1e6")" 16
exit "$status"
