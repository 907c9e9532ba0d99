#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sudo tests/bench/run.sh [OUT.md]: runs every bench and writes their tables and limits as Markdown for
# the README. Fails if a limit is missed. Takes about six minutes with ROUNDS=3 (default 5: ten); nothing
# else should run meanwhile.
set -u
folder=$(dirname "$0")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
for bench in probe_cost attach_detach pause accuracy budget startup sampling_overhead redis span_cost symbolize \
  unwind_tables complete_stacks gdb_backtraces stack_cost off_cpu; do
  printf '\n### %s\n\n' "$bench" | tee -a "$log"
  timeout 900 "$folder/$bench.sh" | tee -a "$log"
  [ "${PIPESTATUS[0]}" -eq 0 ] || status=1
done

document() {
  echo "Linux $(uname -r), $(nproc) CPUs; medians of one run of \`tests/bench/run.sh\`."
  grep -v '^RATIO' "$log"
  echo "### limits"
  echo
  echo "| measure | value | limit | |"
  echo "|---|---|---|---|"
  awk '$1 == "RATIO" { gsub("_", " ", $2); printf "| %s | %s | %s | %s |\n", $2, $3, $4, $5 }' "$log"
}
if [ $# -gt 0 ]; then document >"$1"; else document | tail -n 40; fi
exit "$status"
