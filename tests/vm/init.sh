#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
# The first process of a guest: runs its share of /tests and powers the machine off. Console and kernel
# messages go to the first serial line; the second one carries what scripts/vmtest.sh reads:
#   READY GUEST RELEASE             it has booted
#   OUTPUT NUMBER TEXT              a line that this test printed; only of tests that did not pass
#   RESULT NUMBER STATUS SECONDS    the exit status of this test; 143: stopped at its limit
# /tests has one test a line, separated by tabs: NUMBER, the GUEST that runs it or "all", LIMIT in
# seconds, COMMAND for the shell. The kernel hands GUEST=NUMBER of its command line to us as a variable.
: "${GUEST:?}"
export CALLSCOPE_FEWER_CALLS=1 PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root LANG=C.UTF-8

/bin/busybox mkdir -p /proc /sys /dev /tmp /run /root /bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tracefs tracefs /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
ln -s /proc/self/fd /dev/fd
ip link set lo up
stty -F /dev/ttyS1 raw

say() { printf '%s\n' "$*" >/dev/ttyS1; }
centiseconds() { cut -d' ' -f1 /proc/uptime | tr -d .; }

tab=$(printf '\t')
say "READY $GUEST $(uname -r)"
while IFS=$tab read -r number where limit command; do
  [ "$where" = all ] || [ "$where" = "$GUEST" ] || continue
  start=$(centiseconds)
  timeout -k 5 "$limit" sh -c "$command" >/tmp/output 2>&1 </dev/null
  status=$?
  took=$(($(centiseconds) - start))
  kill -9 -1 # what the test may have left running; not this shell
  [ "$status" -eq 0 ] || sed "s/^/OUTPUT $number /" /tmp/output >/dev/ttyS1
  say "RESULT $number $status $(printf '%d.%02d' $((took / 100)) $((took % 100)))"
done </tests
sync
poweroff -f
