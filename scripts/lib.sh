# SPDX-License-Identifier: Apache-2.0
# Sourced by run.sh and test.sh: where the checkout is, messages, and builds that leave no files of
# root behind in a user's checkout. Sets $root; defines section, die, need_root, configure_and_build, give_to_caller.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

section() { printf '\n== %s ==\n' "$*" >&2; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

need_root() {
  [ "$(id -u)" -eq 0 ] && return 0
  die "needs root, for apt-get and for BPF. Run: sudo $0 $*"
}

# configure_and_build DIR TARGET [CMAKE OPTIONS...]
configure_and_build() {
  local directory=$1 target=$2 log status=0
  shift 2
  mkdir -p "$directory"
  log=$directory/configure.log
  cmake -S "$root" -B "$directory" -G Ninja "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    give_to_caller "$directory"
    die "cmake failed in $directory"
  }
  ninja -C "$directory" "$target" >&2 || status=1
  give_to_caller "$directory"
  [ "$status" -eq 0 ] || die "the build failed in $directory"
}

# Under sudo the build directory belongs to the user who called it, who can then build without root.
give_to_caller() {
  if [ -n "${SUDO_UID:-}" ] && [ "${SUDO_UID}" != 0 ]; then
    chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$@"
  fi
}
