#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# xml_test.sh RENDER FOLDER: xmllint accepts the picture of every folded file in FOLDER/data.
# Exit 77 (skipped) without xmllint (package libxml2-utils).
render=$1
folder=$2
command -v xmllint >/dev/null || { echo "skipped: xmllint is not installed"; exit 77; }
result=0
for folded in "$folder"/data/*.folded; do
  if "$render" ']]> <&"' <"$folded" | xmllint --huge --noout -; then
    echo "well-formed: ${folded##*/}"
  else
    echo "NOT well-formed: ${folded##*/}"
    result=1
  fi
done
exit $result
