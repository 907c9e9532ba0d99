#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# test_completion.sh CALLSCOPE: sources the completion and asks it as bash would.
set -u
program=$1
failures=0
# shellcheck source=scripts/packaging/callscope.bash
. "$(dirname "$0")/callscope.bash"

# offers WORD LINE...: completing the last word of LINE must offer WORD.
offers() {
  local wanted=$1
  shift
  COMP_WORDS=("$program" "$@")
  COMP_CWORD=$#
  _callscope 2>/dev/null
  printf '%s\n' "${COMPREPLY[@]}" | grep -qxF -- "$wanted" && return
  echo "FAIL: completing '$*' does not offer '$wanted'; it offers: ${COMPREPLY[*]}"
  failures=1
}

offers record rec
offers doctor ""
offers warm cache w
offers --cache-dir cache --c
offers json report x.cscope --format j
offers "$$" record -p "$$"
offers --format report --f
offers -p record -
offers /etc/passwd report /etc/pass
exit "$failures"
