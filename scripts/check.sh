#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# check.sh [--headers]: the style gate. Prints each violation as "file:line: rule" and fails if there is
# any; warnings do not fail. With --headers it instead compiles each header alone (slower).
# Needs clang-format-19; shellcheck when installed. See DESIGN.md and STYLE.md for the reasons.
set -u
cd "$(dirname "$0")/.." || exit 1
violations=$(mktemp)
trap 'rm -f "$violations"' EXIT

violation() { echo "$1" >>"$violations"; }

# find_files EXPRESSION...: files of ours, without build directories and fixtures.
find_files() {
  find . \( -name .git -o -name 'build' -o -name 'build-*' -o -name data \) -prune -o \
    -type f \( "$@" \) -print | sed 's|^\./||' | sort
}

mapfile -t sources < <(find_files -name '*.cpp' -o -name '*.hpp' -o -name '*.c' -o -name '*.h')
mapfile -t libraries < <(printf '%s\n' "${sources[@]}" | grep -E '^(userspace|flamegraph|include)/')
mapfile -t others < <(find_files -name '*.sh' -o -name CMakeLists.txt -o -path './.ci/run' -o -name '*.bash' \
  -o -name '*.js' -o -name '*.css' -o -name '*.cmake')

# What each folder may include; every folder may include callscope/ (the public headers). Folders of
# one level (target, symbols, probes) include downwards in the order of userspace/CMakeLists.txt.
may_include() {
  case "$1" in
    include | sys | elf | model | flamegraph) echo "" ;;
    target | unwind) echo "elf sys" ;;
    bpf) echo "unwind elf sys" ;;
    symbols) echo "target elf sys" ;;
    probes) echo "symbols target elf sys" ;;
    python) echo "probes elf sys" ;;
    collect) echo "bpf python unwind symbols probes target elf sys model" ;;
    store | compare) echo "model sys" ;;
    report) echo "model sys flamegraph" ;;
    cli) echo "report compare collect store model bpf python unwind symbols probes target elf sys flamegraph" ;;
  esac
}
layers="sys elf unwind model target symbols probes python bpf collect store compare report cli flamegraph"

check_format() {
  clang-format-19 --dry-run -Werror "${sources[@]}" 2>&1 |
    sed -nE 's/^([^ :]+:[0-9]+):[0-9]+: (error|warning): .*/\1: not formatted by clang-format-19/p' |
    sort -u -t: -k1,1 >>"$violations"
}

check_licences() {
  local file wanted
  for file in "${sources[@]}" "${others[@]}"; do
    wanted='SPDX-License-Identifier: Apache-2.0'
    [[ $file == bpf/*.[ch] ]] && wanted='SPDX-License-Identifier: GPL-2.0 OR Apache-2.0'
    head -n 3 "$file" | grep -qF "$wanted" || violation "$file:1: no line '$wanted'"
  done
}

check_sizes() {
  local file lines target
  for file in "${sources[@]}" "${others[@]}"; do
    lines=$(wc -l <"$file")
    case "$file" in
      *.bpf.c) target=250 ;;
      *.hpp | *.h) target=150 ;;
      *) target=300 ;;
    esac
    if [ "$lines" -gt 500 ]; then
      violation "$file:501: $lines lines, the limit is 500"
    elif [ "$lines" -gt "$target" ]; then
      echo "$file:$target: warning: $lines lines, the target is $target"
    fi
  done
}

check_folders() {
  local entry folder lines
  for entry in * .[!.]*; do
    case "$entry" in
      CMakeLists.txt | bpf | userspace | include | tests | scripts | flamegraph | README.md | LICENSE) ;;
      .* | build | build-* | *.cscope*) ;;
      *) violation "$entry:1: not one of the entries that the top level may have" ;;
    esac
  done
  for folder in bpf flamegraph include userspace userspace/*/ tests tests/*/ scripts scripts/*/; do
    folder=${folder%/}
    [ -n "$(find "$folder" -maxdepth 1 -type f ! -name CMakeLists.txt ! -name '.*')" ] || continue
    if [ ! -f "$folder/README.md" ]; then
      violation "$folder:1: has no README.md"
      continue
    fi
    lines=$(wc -l <"$folder/README.md")
    [ "$lines" -le 20 ] || violation "$folder/README.md:21: $lines lines, the limit is 20"
  done
}

# Prints "file:line:included" for each #include "...".
quoted_includes() { grep -nHoE '^#include "[^"]+"' "$@" | sed -E 's/#include "([^"]+)"/\1/'; }

check_includes() {
  local file line path layer folder
  while IFS=: read -r file line path; do
    case "$file" in
      userspace/*/*) layer=${file#userspace/} layer=${layer%%/*} ;;
      *) layer=${file%%/*} ;;
    esac
    if [[ $path == *.skel.h ]]; then
      [ "$layer" = bpf ] || violation "$file:$line: only userspace/bpf includes skeletons ($path)"
      continue
    fi
    folder=${path%%/*}
    [[ $path == */* && $folder != "$layer" && " $layers " == *" $folder "* ]] || continue
    [[ " $(may_include "$layer") " == *" $folder "* ]] ||
      violation "$file:$line: $layer must not include $folder/ ($path)"
  done < <(quoted_includes "${libraries[@]}")
}

# forbid REGEX RULE FILES...: matches outside comments and string literals.
forbid() {
  local regex=$1 rule=$2
  shift 2
  [ $# -gt 0 ] || return 0
  # By the environment: gawk takes backslashes out of what -v gives.
  REGEX=$regex awk -v rule="$rule" '
    BEGIN { regex = ENVIRON["REGEX"] }
    FNR == 1 { in_comment = 0 }
    {
      code = $0
      gsub(/\\"/, "", code)
      gsub(/"[^"]*"/, "\"\"", code)
      sub(/\/\/.*/, "", code)
      gsub(/\/\*[^*]*\*\//, "", code)
      if (in_comment && !sub(/^.*\*\//, "", code)) next
      in_comment = sub(/\/\*.*/, "", code)
      # The factory of a class with a private constructor; make_unique cannot reach it.
      sub(/unique_ptr<[^;]*\(new /, "unique_ptr(", code)
      if (code ~ regex) printf "%s:%d: %s\n", FILENAME, FNR, rule
    }' "$@" >>"$violations"
}

check_calls() {
  local silent cpp bpf_headers
  mapfile -t silent < <(printf '%s\n' "${libraries[@]}" | grep -v '^userspace/cli/')
  mapfile -t cpp < <(printf '%s\n' "${libraries[@]}" | grep -E '\.(cpp|hpp)$')
  # Maps that several objects have alike stand in a maps.bpf.h.
  mapfile -t bpf_headers < <(printf '%s\n' "${sources[@]}" | grep -E '^bpf/.*\.h$' | grep -v '/maps\.bpf\.h$')
  forbid '(^|[^_[:alnum:]])(v?f?printf|puts|fputs|exit|quick_exit)[ ]*\(|std::(cout|cerr|clog)|fmt::print' \
    'only cli/ prints or exits' "${silent[@]}"
  forbid '(^|[^_[:alnum:]])new[ ]+[A-Za-z_:(]|(^|[^_[:alnum:]=])[ ]*delete([ ]+|\[)[A-Za-z_(*]|(^|[^_[:alnum:]])(m|c|re)alloc[ ]*\(' \
    'no new, delete or malloc' "${cpp[@]}"
  forbid '(^|[^_[:alnum:]])(ato[ifl]|atoll|strto[a-z]+|v?f?sscanf|sto(i|l|ll|ul|ull|f|d))[ ]*\(' \
    'numbers are parsed with parse_number' "${cpp[@]}"
  forbid '^[ ]*using namespace' 'no using namespace' "${cpp[@]}"
  forbid 'SEC\("?"?\.?maps|__uint\(type' 'a map lives in a .bpf.c, not in a header' "${bpf_headers[@]}"
  forbid 'bpf_get_stackid' 'bpf_get_stackid loses stacks' "${sources[@]}"
}

check_headers_open_with_text() {
  local file
  for file in "${libraries[@]}"; do
    [[ $file == *.hpp || $file == *.h ]] || continue
    sed -n 2p "$file" | grep -qE '^(//| \*|/\*)' || violation "$file:2: the header does not open with what it is"
  done
}

check_scripts() {
  command -v shellcheck >/dev/null || return 0
  local scripts
  mapfile -t scripts < <(printf '%s\n' "${others[@]}" | grep -E '\.(sh|bash)$|^\.ci/run$')
  shellcheck -x -f gcc "${scripts[@]}" | sed -E 's/:([0-9]+):[0-9]+: /:\1: shellcheck: /' >>"$violations"
}

# header_compiles FILE FLAGS...: with nothing before it.
header_compiles() {
  local file=$1 errors
  shift
  errors=$(printf '#include "%s"\n' "$PWD/$file" "$PWD/$file" |
    g++ -fsyntax-only "$@" -Wall -Wextra -Werror -Iinclude -Iuserspace -I. - 2>&1) ||
    violation "$file:1: does not compile alone: $(grep -m1 error <<<"$errors")"
}

# BPF headers are compiled with their programs, X.hpp in X.cpp, which includes it first (without precompiled
# headers only: a build with ccache).
check_headers_alone() {
  local file flags running=0
  for file in "${sources[@]}"; do
    case "$file" in
      bpf/* | *.skel.h) continue ;;
      *.hpp)
        [ -e "${file%.hpp}.cpp" ] && continue
        flags="-x c++ -std=c++23"
        ;;
      tests/targets/*.h) flags="-x c -std=gnu11 -D_GNU_SOURCE" ;;
      *.h) flags="-x c -std=c11" ;;
      *) continue ;;
    esac
    # shellcheck disable=SC2086  # flags are words
    header_compiles "$file" $flags &
    if [ $((running += 1)) -gt "$(nproc)" ]; then wait -n; fi
  done
  wait
}

case "${1:-}" in
  --headers) check_headers_alone ;;
  "")
    check_format
    check_licences
    check_sizes
    check_folders
    check_includes
    check_calls
    check_headers_open_with_text
    check_scripts
    ;;
  *)
    echo "usage: check.sh [--headers]" >&2
    exit 2
    ;;
esac

sort -u "$violations"
count=$(sort -u "$violations" | wc -l)
[ "$count" -eq 0 ] || echo "check.sh: $count violations"
[ "$count" -eq 0 ]
