#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sudo tests/bench/run.sh [OUT.md]: runs every bench, then writes the figures as a markdown table for
# the README. Fails if a limit is missed. Takes a few minutes; nothing else should run meanwhile.
set -u
folder=$(dirname "$0")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
for bench in probe_cost attach_detach startup sampling_overhead redis span_cost; do
  echo "== $bench ==" | tee -a "$log"
  timeout 600 "$folder/$bench.sh" 2>&1 | tee -a "$log"
  [ "${PIPESTATUS[0]}" -eq 0 ] || status=1
done

table() {
  echo "Linux $(uname -r), $(nproc) CPUs; medians of one run of \`tests/bench/run.sh\`."
  echo
  echo "| measure | value | limit | |"
  echo "|---|---|---|---|"
  awk '$1 == "RATIO" { gsub("_", " ", $2); printf "| %s | %s | %s | %s |\n", $2, $3, $4, $5 }' "$log"
  echo
  echo '```'
  grep -v '^RATIO' "$log"
  echo '```'
}
if [ $# -gt 0 ]; then table >"$1"; else table; fi
exit "$status"
