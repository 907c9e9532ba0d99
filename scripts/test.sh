#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sudo scripts/test.sh [unit|kernel|hazard|vm|e2e|bench|all]: installs, builds with tests, runs them through ctest. Default all.
#   unit    style gate, target programs, and the unit tests, under ASan + UBSan but for those of BPF objects
#   kernel  BPF programs on this kernel, against targets with known counts
#   hazard  programs that a profiler may harm: they must not notice that they are recorded
#   vm      the kernel tests on older kernels under qemu; skipped where their packages cannot be had
#   e2e     the callscope program itself
#   bench   cost and accuracy side by side with bpftrace, perf and others; wants an idle machine
# "all" leaves the benches out: a limit that is missed on a busy machine says nothing. Its hazards are those of
# the defaults; "hazard" runs them with every --exit-mode and more rounds. Perf-event uprobes, the way of older kernels,
# it leaves to the guest of "vm" that has no other; "kernel" takes them on this kernel, too.
# A skipped test fails the run unless EXPECTED_SKIPS, a regular expression, matches its name ('^vm: ').
# Results: build-test/junit.xml; the exit status is that of the tests.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

part=${1:-all}
case "$part" in
  unit | kernel | hazard | vm | e2e | bench | all) ;;
  *) die "unknown part '$part'; usage: scripts/test.sh [unit|kernel|hazard|vm|e2e|bench|all]" ;;
esac
need_root "$@"

# shellcheck disable=SC2154  # lib.sh sets root
build=$root/build-test
build_asan=$root/build-asan
logs=()
failed=0

# run_ctest NAME DIR JOBS CTEST-ARGS...
run_ctest() {
  local name=$1 directory=$2 jobs=$3
  shift 3
  section "ctest: $name"
  local log=$build/ctest-$name.log
  logs+=("$log")
  (cd "$directory" && exec ctest --output-on-failure --timeout 300 -j "$jobs" --no-tests=ignore \
    --output-junit "$build/junit-$name.xml" "$@") 2>&1 | tee "$log" || failed=1
}

# One JUnit file out of the one that each ctest run wrote.
merge_junit() {
  {
    echo '<?xml version="1.0" encoding="UTF-8"?>'
    echo '<testsuites>'
    cat "$build"/junit-*.xml 2>/dev/null | grep -v '^<?xml' || true
    echo '</testsuites>'
  } >"$build/junit.xml"
}

# each_test ELEMENT COMMAND: runs COMMAND NAME, with what the test has said in $said, for each test with such an ELEMENT.
each_test() {
  local file count i
  said=$build/said.txt
  for file in "$build"/junit-*.xml; do
    count=$(xmllint --xpath "count(//testcase[$1])" "$file")
    for ((i = 1; i <= count; ++i)); do
      xmllint --xpath "string((//testcase[$1])[$i]/system-out)" "$file" >"$said"
      "$2" "$(xmllint --xpath "string((//testcase[$1])[$i]/@name)" "$file")"
    done
  done
}

# Names a skip and its reason, the last line of its output. What is not tested must not look like success.
# shellcheck disable=SC2317 # called by each_test
judge_skip() {
  echo "skipped: $1: $(grep . "$said" | tail -n 1)"
  grep -qE "${EXPECTED_SKIPS:-^vm: }" <<<"$1" && return
  echo "  not expected here: a failure (EXPECTED_SKIPS)"
  failed=1
}

# What a test that failed has said, in short: the whole lies in the logs.
# shellcheck disable=SC2317 # called by each_test
repeat_failure() {
  echo "failed: $1"
  { grep -A 12 -E '^FAIL |FAILED:' "$said" || tail -n 20 "$said"; } | head -n 60 | sed 's/^/    /'
}

# The counts of all runs together, in the words of ctest; the last lines of the output.
print_summary() {
  section "summary"
  each_test skipped judge_skip
  each_test failure repeat_failure
  # A skipped or disabled test is listed by ctest in the same block as failures, with its reason.
  grep -hE '^[[:space:]]+[0-9]+ - .*\((Failed|Timeout|Not Run|Skipped|Disabled|SEGFAULT|Subprocess.*|BAD_COMMAND)\)' \
    "${logs[@]}" || true
  awk '/tests? failed out of [0-9]+/ {
         for (i = 1; i <= NF; ++i) if ($i == "failed") bad += $(i - 2)
         total += $NF
       }
       /^Total Test time \(real\)/ { seconds += $(NF - 1) }
       END {
         printf "%d%% tests passed, %d tests failed out of %d\n\n", total ? int((total - bad) * 100 / total) : 0, bad, total
         printf "Total Test time (real) = %.2f sec\n", seconds
         exit total == 0
       }' "${logs[@]}" || failed=1
}

section "packages"
if [ "$part" = bench ]; then wanted=--bench; else wanted=--test; fi
"$root/scripts/install_deps.sh" "$wanted" >&2

section "build"
configure_and_build "$build" all -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCALLSCOPE_TESTS=ON -DCALLSCOPE_UNIT_TESTS=bpf
rm -f "$build"/junit*.xml

if [ "$part" = unit ] || [ "$part" = all ]; then
  section "build of the unit tests with ASan and UBSan"
  # Warnings are errors in the first build; with sanitizers g++ 12 sees false ones in its own headers. Several files
  # in one take half of the time; that each can be compiled alone the first build shows.
  configure_and_build "$build_asan" tests/unit/all -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS="-O1 -w" -DCMAKE_CXX_FLAGS_DEBUG=-g1 \
    -DCALLSCOPE_TESTS=ON -DCALLSCOPE_UNIT_TESTS=pure -DCALLSCOPE_SANITIZE=ON -DCALLSCOPE_WERROR=OFF \
    -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=8
  run_ctest style-and-targets "$build" 2 -L '^(style|targets|unit)$'
  run_ctest unit "$build_asan" 2 -L '^unit$'
fi
case "$part" in
  kernel) run_ctest kernel "$build" 1 -L '^(kernel|bpf)$' ;;
  hazard | e2e | bench) run_ctest "$part" "$build" 1 -L "^$part\$" ;;
  all) HAZARDS=short run_ctest kernel-and-e2e "$build" 1 -LE '^(style|targets|unit|vm|bench)$' -E '^kernel, perf-event:' ;;
esac
if [ "$part" = vm ] || [ "$part" = all ]; then
  # Verbose, for the lists of what was skipped in the guests.
  run_ctest vm "$build" 1 -L '^vm$' --verbose --test-output-size-passed 100000
fi

merge_junit
print_summary
give_to_caller "$build" "$build_asan" 2>/dev/null || true
exit "$failed"
