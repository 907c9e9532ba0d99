# SPDX-License-Identifier: Apache-2.0
# bash completion for callscope. Options are read from "callscope SUBCOMMAND --help", so that this
# file need not follow them; values are known by the option's name.
# shellcheck shell=bash

_callscope_commands="record report flamegraph list doctor cache"

# The long and short options in the help text of subcommand $1.
_callscope_options() {
  "${COMP_WORDS[0]}" "$1" --help 2>/dev/null | grep -oE '(^|[ ,])--?[a-zA-Z][-a-zA-Z0-9]*' | tr -d ' ,' | sort -u
}

_callscope_pids() {
  local directory
  for directory in /proc/[0-9]*; do
    [ -r "$directory/exe" ] && printf '%s\n' "${directory#/proc/}"
  done
}

_callscope_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$current")
}

_callscope_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }

_callscope() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command=${COMP_WORDS[1]:-}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    _callscope_words "$_callscope_commands --help --version"
    return
  fi
  case "$previous" in
    -p | --pid) _callscope_words "$(_callscope_pids)" ;;
    -o | --output | --out) _callscope_files ;;
    --format) _callscope_words "text json folded svg csv calltree heatmap" ;;
    --sort) _callscope_words "total self oncpu blocked runq calls avg min max p50 p90 p95 p99 p99.9 unwound threw running cost name" ;;
    --cache-dir) _callscope_files ;;
    --max-age) _callscope_words "24h 720h" ;;
    --demangle) _callscope_words "none simple full" ;;
    -d | --duration | -i | --interval) _callscope_words "5s 10s 30s 1m" ;;
    -F | --freq | --rate) _callscope_words "0 49 99 199 999" ;;
    --event) _callscope_words "cpu-clock cycles" ;;
    --probe-mechanism) _callscope_words "auto session multi perf-event" ;;
    --weight) _callscope_words "cpu latency" ;;
    --color) _callscope_words "auto always never" ;;
    -f | --function | --title | --minwidth | --max-snapshots | --top | --depth | --min-share | --max-size) ;;
    *)
      if [[ $current == -* ]]; then
        _callscope_words "$(_callscope_options "$command")"
      elif [ "$command" = cache ] && [ "$COMP_CWORD" -eq 2 ]; then
        _callscope_words "stats clear warm"
      elif [ "$command" != doctor ]; then
        _callscope_files
      fi
      ;;
  esac
}

complete -F _callscope callscope
