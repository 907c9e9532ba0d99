#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Man page, help and completion tell the same: every command and option is in each of them.
set -u
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

run 0 man
cp out callscope.1
groff -man -Tutf8 -ww -Kutf8 callscope.1 >page 2>warnings
equal "warnings of groff" "$(<warnings)" ""
MANWIDTH=100 man -l callscope.1 2>warnings | col -b >page
equal "warnings of man" "$(<warnings)" ""
between "lines of the page" "$(wc -l <page)" 100 2000
for section in NAME SYNOPSIS DESCRIPTION COMMANDS "EXIT (STATUS|CODES)" EXAMPLES; do
  equal "section $section" "$(grep -cE "^$section" page)" 1
done
succeeds "whatis finds a name and a description" grep -qE '^ +callscope - [a-z]' page

# The options that a help text has; each line of them starts with two blanks and a dash.
options_of() { "$CALLSCOPE" "$1" --help | grep -oE '^  -[^][ ]+' | tr -d ' ' | tr ',' '\n'; }
commands=$("$CALLSCOPE" --help | awk '/^commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }')
equal "commands" "$(tr '\n' ' ' <<<"$commands")" "record report flamegraph list doctor cache "
for command in $commands; do
  matches "man page: $command" "$(<page)" "callscope $command"
  succeeds "$command --help works" "$CALLSCOPE" "$command" --help
  for option in $(options_of "$command"); do
    succeeds "man page: $command $option" grep -qE -- "(^|[ ,])$option([][ ,=]|$)" page
  done
done
for code in 0 1 2 3 4 5; do
  succeeds "man page: exit code $code" grep -qE "^ +$code( |$)" page
done

# complete WORD...: what the completion offers for the last word
# shellcheck source=scripts/packaging/callscope.bash
. "$root/scripts/packaging/callscope.bash"
complete_line() {
  COMP_WORDS=("$CALLSCOPE" "$@")
  COMP_CWORD=$#
  COMPREPLY=()
  _callscope 2>/dev/null
  printf '%s\n' "${COMPREPLY[@]}" | sed 's/ *$//' | sort
}
equal "completion of nothing" "$(complete_line "" | grep -v '^-' | tr '\n' ' ')" "$(sort <<<"$commands" | tr '\n' ' ')"
for command in $commands; do
  equal "completion of '$command -': options missing" \
    "$(comm -13 <(complete_line "$command" -) <(options_of "$command" | grep -e '^--' | sort))" ""
done
equal "completion of 'report --format '" "$(complete_line report --format "" | tr '\n' ' ')" "calltree csv folded heatmap json svg text "
finish
