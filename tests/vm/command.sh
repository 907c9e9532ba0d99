#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# command.sh CALLSCOPE T_KNOWN, in the guest: the program itself, as a user runs it. Records t_known from its start,
# and the report counts each call that t_known says it made. Prints what the kernel can do.
set -eu
callscope=$1
target=$2

"$callscope" doctor
"$callscope" record -f 'work_*' -o /tmp/run.cscope -- "$target" --calls 200 --sleeps 5 >/tmp/truth
"$callscope" report /tmp/run.cscope --strict
"$callscope" report /tmp/run.cscope --format csv >/tmp/report.csv
for name in work_a work_b work_c; do
  truth=$(sed -n "s/^calls $name //p" /tmp/truth)
  calls=$(awk -F, -v name="$name" '{ gsub(/"/, "") } $1 == name { print $3 }' /tmp/report.csv)
  echo "$name: $truth calls made, $calls reported"
  [ -n "$calls" ] && [ "$calls" = "$truth" ]
done
