#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# install_deps.sh [--test|--bench]: installs the Debian 12 packages that callscope is built with, with
# --test also what its tests use, with --bench these and the peers of the benches. Quiet; does nothing
# when all are there. This is the one list of packages: one a line, with the reason.
set -euo pipefail

build_packages="
g++                 # C++23 with g++ 12; brings binutils and libc6-dev
cmake               # configures the build
ninja-build         # runs it
pkg-config          # finds libbpf, libelf
clang-19            # compiles bpf/*.bpf.c for the BPF target
bpftool             # makes the skeleton headers
libbpf-dev          # loads BPF objects (CO-RE)
libelf-dev          # libbpf's own dependency, for linking
libdw-dev           # elfutils: .eh_frame rules, inlined functions and lines in DWARF
libdebuginfod-dev   # header of the client that is loaded when DEBUGINFOD_URLS is set
libfmt-dev          # text formatting; g++ 12 has no std::format
libcli11-dev        # command-line parser under the option table
nlohmann-json3-dev  # report --format json
libsqlite3-dev      # the recording file
zlib1g-dev          # compressed ELF sections
libzstd-dev         # the same, newer compression
liblzma-dev         # .gnu_debugdata
libiberty-dev       # demangler for C++ and Rust
libzydis-dev        # x86 instruction decoder
libzycore-dev       # header dependency of Zydis
"

test_packages="
catch2              # unit tests
clang-format-19     # style gate
shellcheck          # the same for scripts
binutils            # strip, objcopy, readelf, nm as oracles for ELF and symbols
systemtap-sdt-dev   # sys/sdt.h: USDT markers by their own maker, to find them in tests
elfutils            # eu-addr2line: second opinion on lines
dwz                 # shares debug information out, as Debian's packages do
xz-utils            # makes .gnu_debugdata for tests
file                # says what a built thing is
sqlite3             # reads recordings by something that is not ours
jq                  # reads JSON reports
libxml2-utils       # xmllint: SVG is well-formed XML
golang-go           # real runtime: a Go program whose stacks move while it is recorded
gdb                 # a large C++ program whose every frame rule is compared with readelf
libpython3.11       # the same, a library; redis-server brings libcrypto
libpython3.11-dev   # CPython's own headers say where its structures keep their fields
python3             # compares the text of a process with its files; its functions are profiled
python3-jsonschema  # JSON reports against their schema
redis-server        # real program: counts against INFO commandstats
redis-tools         # redis-benchmark, redis-cli
bpftrace            # the peer that costs are measured against
linux-perf          # oracle for CPU shares, peer for sampling overhead
man-db              # man: the manual page is formatted without warnings
groff               # its macros
bsdextrautils       # col, which takes the bold out of formatted pages
procps              # ps, pgrep
chromium            # the flame graph is clicked through in a real browser
nodejs              # drives the browser; a JIT with perf map and jitdump
qemu-system-x86     # boots other kernels for the kernel tests (vmtest.sh)
busybox-static      # the shell of its guests
cpio                # packs their files
"

bench_packages="
uftrace             # peer: a hook that is compiled in
libbpf-tools        # peer: funclatency in CO-RE
bpfcc-tools         # peer: funclatency in Python; runs where the kernel's headers are
libllvm19           # a library of 40,000 functions; comes with clang-19, too
nginx               # a C server whose stacks must be complete; with a static file
mariadb-server      # the same, a large threaded C++ server
mariadb-client      # gives it work
"

say() { echo "install_deps: $*" >&2; }

fail() {
  say "$*"
  exit 1
}

names() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' -e 's/[[:space:]]//g'; }

is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

retry() {
  local attempt
  for attempt in 1 2 3 4; do
    if "$@"; then return 0; fi
    say "'$*' failed (attempt $attempt of 4)"
    sleep $((attempt * 5))
  done
  return 1
}

# Debian starts services at install time; ours are libraries and tools for tests, so forbid that
# while we install, unless the administrator has a policy already.
policy=/usr/sbin/policy-rc.d
policy_is_ours=0
forbid_services() {
  [ -e "$policy" ] && return 0
  policy_is_ours=1
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}
allow_services() {
  if [ "$policy_is_ours" -eq 1 ]; then rm -f "$policy"; fi
}

wanted=$(names <<<"$build_packages")
case "${1:-}" in
  "") ;;
  --test) wanted+=$'\n'$(names <<<"$test_packages") ;;
  --bench) wanted+=$'\n'$(names <<<"$test_packages")$'\n'$(names <<<"$bench_packages") ;;
  *) fail "unknown argument '$1'; usage: install_deps.sh [--test|--bench]" ;;
esac

missing=()
for package in $wanted; do
  is_installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  say "all packages are installed"
  exit 0
fi
[ "$(id -u)" -eq 0 ] || fail "must run as root to install: ${missing[*]}"
command -v apt-get >/dev/null || fail "no apt-get here; install by hand: ${missing[*]}"

export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'allow_services; rm -f "$log"' EXIT
forbid_services
run_quietly() { "$@" >"$log" 2>&1 || { tail -n 20 "$log" >&2; return 1; }; }

say "installing ${missing[*]}"
retry run_quietly apt-get update || say "apt-get update failed; trying with the lists that are here"
retry run_quietly apt-get install -y --no-install-recommends "${missing[@]}" ||
  fail "apt-get could not install: ${missing[*]}"
say "done"
