#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# xml_test.sh REPORT_SAMPLE: xmllint accepts every picture of every sample recording.
# Exit 77 (skipped) without xmllint (package libxml2-utils).
command -v xmllint >/dev/null || { echo "skipped: xmllint is not installed"; exit 77; }
result=0
for kind in sample empty realistic; do
  for picture in "svg 120" "svg 120 latency" "svg 120 slow" "heatmap 120"; do
    # shellcheck disable=SC2086 # words
    if "$1" $kind $picture | xmllint --huge --noout --nonet -; then
      echo "well-formed: $kind $picture"
    else
      echo "NOT well-formed: $kind $picture"
      result=1
    fi
  done
done
exit $result
