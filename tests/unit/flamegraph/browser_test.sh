#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# browser_test.sh RENDER FOLDER: runs browser_test.mjs; exit 77 (skipped) without node or chromium.
for program in node chromium; do
  command -v $program >/dev/null || { echo "skipped: $program is not installed"; exit 77; }
done
exec node "$2/browser_test.mjs" "$1" "$2/data"
