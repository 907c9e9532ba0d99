#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Names where they are hard to get: a deleted program, one in other PID and mount namespaces,
# separate debug files by debuglink and build-id, a perf map, after the target's exit, C++ levels.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# named WHAT: the samples of t_busy carry its names, and its calls are exact
named() {
  local function
  for function in hot_50 hot_30 hot_20; do
    equal "$1: calls of $function" "$(call_field $function calls)" "$(truth calls $function)"
    between "$1: samples in $function" \
      "$(field "[.cpu.functions[] | select(.name == \"$function\") | .total] | add // 0")" 5 5000
  done
  between "$1: per cent of samples with an unnamed frame" "$(field '100 * .cpu.unresolved_samples / .cpu.samples')" 0 3
}

# busy WHAT PROGRAM: records PROGRAM from its handshake to its exit
busy() {
  start_target "$2" --ms 1500
  [ $# -lt 3 ] || "$3"
  start_record -p "$target_pid" -f 'hot_*' -F 499 -o run.cscope
  release_target
  end_target
  stop_record
  equal "$1: exit code" "$recorder_code" 0
  json run.cscope
  named "$1"
}

# ---- deleted while it runs, before the recording
# shellcheck disable=SC2317 # called by busy
delete() { rm -f copy/t_busy; }
mkdir copy
cp "$TARGETS/t_busy" copy/t_busy
busy "deleted program" "$work/copy/t_busy" delete
matches "deleted program: its path" "$(field .target.exe)" "^$work/copy/t_busy"
lacks "deleted program: its path says no (deleted)" "$(field .target.exe)" "deleted"

# ---- replaced by another program, as an upgrade does
# shellcheck disable=SC2317 # called by busy
replace() { cp /bin/true copy/new && mv copy/new copy/t_busy; }
cp "$TARGETS/t_busy" copy/t_busy
busy "replaced program" "$work/copy/t_busy" replace

# ---- stripped, with a separate debug file beside it that its debuglink names
mkdir -p linked/.debug
objcopy --only-keep-debug "$TARGETS/t_busy" linked/.debug/t_busy.debug
(cd linked/.debug && objcopy --strip-all --remove-section=.gnu_debuglink \
  --add-gnu-debuglink=t_busy.debug "$TARGETS/t_busy" ../t_busy)
equal "the program has no symbols of its own" "$(nm linked/t_busy 2>/dev/null | wc -l)" 0
busy "debuglink" "$work/linked/t_busy"
matches "debuglink: the report names the file" "$(field '.notes[]')" "linked/.debug/t_busy.debug"
# One that does not belong to it is not used: its checksum differs.
echo more >>linked/.debug/t_busy.debug
start_target "$work/linked/t_busy" --ms 1
refused 2 "hot_\*.*match" record -p "$target_pid" -f 'hot_*' -o wrong.cscope
end_target

# ---- other PID and mount namespaces, the program only visible in there
mkdir inside
rm -f target.in target.out
mkfifo target.in
# shellcheck disable=SC2016 # expanded by the inner shell
unshare -fpm --mount-proc bash -c 'mount -t tmpfs none "$1" && cp "$2" "$1"/t_busy && exec "$1"/t_busy --ms 1500 --wait --hold' \
  bash "$work/inside" "$TARGETS/t_busy" <target.in >target.out 2>target.err {to_target}>&- &
outer_pid=$!
children+=("$outer_pid")
exec {to_target}>target.in
wait_until "the target in its namespaces is ready" grep -qx ready target.out
target_pid=$(pgrep -P "$outer_pid")
equal "namespaces: PID in its own one" "$(awk '/^NSpid/ { print $NF }' "/proc/$target_pid/status")" 1
equal "namespaces: the program is not visible here" "$([ -e inside/t_busy ] && echo visible)" ""
start_record -p "$target_pid" -f 'hot_*,libc.so.6:nanosleep' -F 499 -i 100ms -o inside.cscope
release_target
stop_record INT
json inside.cscope
named namespaces
matches "namespaces: target" "$(field .target.exe)" "inside/t_busy$"
between "namespaces: snapshots" "$(field '.resources.snapshots | length')" 10 30
between "namespaces: RSS" "$(field '.resources.snapshots[-1].rss_bytes')" 500000 50000000
equal "namespaces: descriptors" "$(field '.resources.snapshots[-1].fds')" 3
run 0 doctor -p "$target_pid"
matches "namespaces: doctor says so" "$out" "namespace"
exec {to_target}>&-
exec {to_target}>/dev/null
wait_until "the target ends" gone "$outer_pid"

# ---- C++ names by level
run 0 record -f '*throw_frame*' -o cpp.cscope -- "$TARGETS/t_throw"
run 0 report cpp.cscope
matches "--demangle simple is the default" "$out" " throw_frame"$'\n'
run 0 report cpp.cscope --demangle full
matches "--demangle full" "$out" " throw_frame\(int, bool\)"
run 0 report cpp.cscope --demangle none
matches "--demangle none" "$out" " _Z11throw_frameib"

# ---- code that is in no file: a perf map
cat >jit.py <<'PYTHON'
import ctypes, mmap, os, sys, time
code = b"\x48\x89\xf8\x48\xff\xc8\x75\xfb\xc3"  # mov rax, rdi; 1: dec rax; jnz 1b; ret
memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
memory.write(code)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
with open(f"/tmp/perf-{os.getpid()}.map", "w") as names:
    names.write(f"{address:x} {len(code):x} made_at_run_time\n")
print("ready", flush=True)
sys.stdin.read(1)
call = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_long)(address)
end = time.monotonic() + 1.5
while time.monotonic() < end:
    call(5_000_000)
os.unlink(f"/tmp/perf-{os.getpid()}.map")
print("done", flush=True)
sys.stdin.read(1)
PYTHON
printf '#!/bin/sh\nexec /usr/bin/python3 "%s/jit.py"\n' "$work" >jit && chmod +x jit
start_target "$work/jit"
start_record -p "$target_pid" -F 499 -o jit.cscope
release_target
stop_record INT
json jit.cscope
between "perf map: per cent of samples in made_at_run_time" \
  "$(field '100 * ([.cpu.stacks[] | select(.frames[-1] == "made_at_run_time_[j]") | .count] | add // 0) / .cpu.samples')" 80 100
end_target
finish
