#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# vmtest.sh [--build DIR] [SERIES...]: boots Debian's newest cloud kernel of each series (6.1 6.12) under qemu and
# runs there what ctest runs here with label kernel, from the build in DIR (build-test), and tests/vm/command.sh.
# Two guests a series share the tests. A guest is an initramfs of these programs and their libraries: no disk, no
# network, no root needed here. The kernels stay in DIR/vm/kernels; nothing of their packages is installed.
# Prints one line a test, each skip with its reason; what tests/vm/left_out.txt names is a skip too.
# Exit status: 0 none failed, 1 a failure, 77 no qemu or no kernel package.
# Environment: LIMIT, the seconds that one series may take in all (285).
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

skip() {
  echo "skipped: $*"
  exit 77
}

# --- the kernel: $cache/$package -------------------------------------------------------------------

newest_package() {
  apt-cache search --names-only "^linux-image-${1//./\\.}\\.[0-9][^ ]*-cloud-amd64\$" | cut -d' ' -f1 | sort -V | tail -n 1
}

# download PACKAGE: its vmlinuz becomes $cache/PACKAGE.
download() {
  local folder status=0
  folder=$(mktemp -d -p "$cache")
  (
    cd "$folder" &&
      apt-get -qq -o APT::Sandbox::User=root -o Acquire::Retries=2 -o Acquire::http::Timeout=20 download "$1" &&
      dpkg-deb --fsys-tarfile ./*.deb >content.tar &&
      tar -xf content.tar --wildcards './boot/vmlinuz-*' &&
      mv boot/vmlinuz-* "$cache/$1"
  ) >"$cache/download.log" 2>&1 || status=1
  rm -r "$folder"
  return "$status"
}

obtain() {
  package=$(newest_package "$1")
  [ -n "$package" ] && { [ -e "$cache/$package" ] || download "$package"; }
}

find_kernel() {
  local series=$1
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  flock 9
  # The lists of apt may be missing or older than the archive; without network an older kernel will do.
  obtain "$series" ||
    { timeout 120 apt-get -qq -o Acquire::http::Timeout=20 update >"$cache/download.log" 2>&1 && obtain "$series"; } ||
    package=$(find "$cache" -name "linux-image-$series.*-cloud-amd64" -printf '%f\n' | sort -V | tail -n 1)
  exec 9>&-
  [ -n "$package" ] ||
    skip "apt gives no linux-image-$series.*-cloud-amd64: $(tail -n 1 "$cache/download.log" 2>/dev/null || true)"
}

# --- the tests: names, limits, guest_of, commands, left_out, by number from 1 -----------------------------

# add_test NAME LIMIT GUEST COMMAND: GUEST is the number of the one that runs it, or "all".
add_test() {
  names+=("$1") limits+=("$(($2 < 60 ? $2 : 60))") guest_of+=("$3") commands+=("$4")
}

# read_tests SERIES. Fixtures first, as ctest would. No test takes long here, so 60 s are enough for a hang to show.
read_tests() {
  local name limit guest command where pattern reason number matched
  names=("") limits=("") guest_of=("") commands=("") left_out=()
  while IFS=$'\t' read -r name limit guest command; do
    add_test "$name" "${limit%.*}" "$guest" "$command"
  done < <(jq -r --argjson guests "$guests" '
    def property($name): [(.properties // [])[] | select(.name == $name) | .value] | first;
    .tests | sort_by(property("FIXTURES_SETUP") == null) | to_entries[] | .key as $key | .value |
    [.name, (property("TIMEOUT") // 60), (if property("FIXTURES_SETUP") then "all" else $key % $guests end),
     "cd \(property("WORKING_DIRECTORY") // "/" | @sh) && exec env \(property("ENVIRONMENT") // [] | @sh) \(.command | @sh)"] |
    join("\t")' "$work/ctest.json")
  [ ${#names[@]} -gt 1 ] || die "ctest knows no kernel test in $build: is it built?"
  add_test "callscope: records and reports" 60 0 "exec /command.sh '$build/callscope' '$build/tests/targets/t_known'"
  while IFS='|' read -r where pattern reason; do
    # shellcheck disable=SC2053  # a glob
    [[ -n $where && $where != '#'* && $1 == ${where%% *} ]] || continue
    read -r pattern <<<"$pattern"
    matched=0
    for number in "${!names[@]}"; do
      # shellcheck disable=SC2053  # a glob
      [[ ${names[number]} == $pattern ]] || continue
      left_out[number]=${reason# }
      matched=1
    done
    [ "$matched" -eq 1 ] || die "tests/vm/left_out.txt: no test is called '$pattern'"
  done <"$root/tests/vm/left_out.txt"
}

# --- the guest's files: $work/initramfs -------------------------------------------------------------

# All programs beside those that the tests start, callscope, a shell, and the libraries that these load.
guest_files() {
  local folders programs program
  mapfile -t folders < <(jq -r '.tests[].command[0]' "$work/ctest.json" | xargs -n 1 dirname | sort -u)
  mapfile -t programs < <(find "$build/callscope" "$build/tests/targets" "${folders[@]}" "$(command -v busybox)" \
    -type f -perm /111 -not -path '*/CMakeFiles/*' | sort -u)
  printf '%s\n' "${programs[@]}"
  for program in "${programs[@]}"; do
    ldd "$program" 2>/dev/null || true # fails on a static program
  done | sed -nE 's/.*[[:space:]](\/[^ ]+) \(0x[0-9a-f]+\)$/\1/p'
}

pack_guest() {
  local guest=$work/guest files number
  mkdir -p "$guest"/usr/{bin,sbin,lib,lib64}
  ln -s usr/bin usr/sbin usr/lib usr/lib64 "$guest"
  mapfile -t files < <(guest_files | sort -u)
  cp -L --parents -t "$guest" "${files[@]}"
  # The programs of ours are large by their debug information, which no test reads.
  strip -g "$guest$build/callscope" "$guest$build"/tests/kernel/*_tests
  cp "$root/tests/vm/init.sh" "$guest/init"
  cp "$root/tests/vm/command.sh" "$guest/"
  for number in "${!names[@]}"; do
    [[ $number == 0 || -n ${left_out[number]:-} ]] ||
      printf '%s\t%s\t%s\t%s\n' "$number" "${guest_of[number]}" "${limits[number]}" "${commands[number]}"
  done >"$guest/tests"
  (cd "$guest" && find . -print0 | cpio --null --create --format=newc --owner=0:0 --quiet) >"$work/initramfs"
  rm -r "$guest"
}

# --- the run ------------------------------------------------------------------------------------------

# KVM where the processor has it: without these flags /dev/kvm may be there and still not run a guest.
# Without it the guest's clock counts instructions (icount): what else this machine does then changes no
# result, and waiting costs no time. One processor then: with two, qemu 7.2 runs code that the other one
# has just patched, so that the kernel dies of its own jump labels, and 6.1 does not boot under icount.
choose_accelerator() {
  if [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then
    accelerator=(-accel kvm -cpu host -smp 2)
  else
    accelerator=(-accel tcg -icount "shift=2,sleep=off" -smp 1)
  fi
}

# run_guest NUMBER: its second serial line. The kernel hands GUEST to init as a variable.
run_guest() {
  local rest_s=$((LIMIT - SECONDS))
  timeout -k 5 "$((rest_s > 0 ? rest_s : 1))" qemu-system-x86_64 "${accelerator[@]}" -m 1024 \
    -nodefaults -no-reboot -display none -monitor none -serial "file:$work/console-$1.log" -serial stdio \
    -kernel "$cache/$package" -initrd "$work/initramfs" \
    -append "console=ttyS0 panic=-1 mitigations=off tsc=reliable GUEST=$1" </dev/null 2>"$work/qemu-$1.log" |
    sed -u 's/\r$//' || true
}

run_guests() {
  local guest
  for ((guest = 0; guest < guests; ++guest)); do run_guest "$guest" & done
  wait
}

report() { printf '%-8s %7s  %s\n' "$@"; }

# take_result NUMBER STATUS SECONDS: what a guest said of a test.
take_result() {
  local verdict=FAIL detail="" text=$work/output-$1
  # A fixture runs in each guest.
  if [ "${verdicts[$1]:-}" = passed ] && [ "$2" -eq 0 ]; then return 0; fi
  case "$2" in
    0) verdict=passed ;;
    77) verdict=skipped detail=": $(tail -n 1 "$text" | sed 's/^ *//')" ;;
    143) detail=": stopped after ${limits[$1]} s" ;;
    *) detail=": exit status $2" ;;
  esac
  counts[$verdict]=$((counts[$verdict] + 1))
  verdicts[$1]=$verdict
  report "$verdict" "$3" "${names[$1]}$detail"
  if [ "$verdict" = FAIL ] && [ -e "$text" ]; then sed 's/^/    | /' "$text"; fi
}

# What was left out, and what the guests did not come to.
report_rest() {
  local number lost=0
  for number in "${!names[@]}"; do
    if [ "$number" -eq 0 ] || [ -n "${verdicts[number]:-}" ]; then continue; fi
    if [ -n "${left_out[number]:-}" ]; then
      report skipped - "${names[number]}: left out: ${left_out[number]}"
      counts[skipped]=$((counts[skipped] + 1))
    else
      report FAIL - "${names[number]}: no result"
      counts[FAIL]=$((counts[FAIL] + 1))
      lost=1
    fi
  done
  [ "$lost" -eq 1 ] || return 0
  echo "A guest ended early: a panic, a hang, or over the limit of $LIMIT s. The last lines of their consoles:"
  tail -n 40 "$work"/qemu-*.log "$work"/console-*.log | tr -d '\r' | sed 's/^/    | /'
}

test_series() {
  local series=$1 line word number rest
  SECONDS=0
  work=$build/vm/$series
  rm -rf "$work"
  mkdir -p "$work"
  find_kernel "$series"
  (cd "$build" && ctest --show-only=json-v1 -L '^kernel$') >"$work/ctest.json"
  read_tests "$series"
  pack_guest
  section "$package in $guests guests under ${accelerator[1]}"
  declare -gA counts=([passed]=0 [FAIL]=0 [skipped]=0)
  verdicts=()
  while IFS= read -r line; do
    read -r word number rest <<<"$line"
    case "$word" in
      READY) report booted "$SECONDS" "guest $number, Linux $rest" ;;
      OUTPUT) printf '%s\n' "${line#"OUTPUT $number "}" >>"$work/output-$number" ;;
      RESULT) take_result "$number" "${rest% *}" "${rest#* }" ;;
    esac
  done < <(run_guests)
  report_rest
  echo "Linux $series: ${counts[passed]} passed, ${counts[FAIL]} failed, ${counts[skipped]} skipped in $SECONDS s"
  if [ "${counts[FAIL]}" -gt 0 ]; then status=1; fi
}

build=$root/build-test
if [ "${1:-}" = --build ]; then
  build=$(realpath "${2:?--build needs a directory}")
  shift 2
fi
[ $# -gt 0 ] || set -- 6.1 6.12
LIMIT=${LIMIT:-285}
guests=2
cache=$build/vm/kernels
for tool in qemu-system-x86_64 busybox cpio jq apt-get; do
  command -v "$tool" >/dev/null || skip "no $tool here (scripts/install_deps.sh --test installs what is missing on Debian 12)"
done
choose_accelerator
status=0
for series in "$@"; do
  test_series "$series"
done
exit "$status"
