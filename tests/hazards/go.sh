#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A Go program under garbage collection, whose goroutines grow and shrink their stacks, with its functions
# and then with the whole Go runtime probed.
set -u
# shellcheck source=tests/hazards/lib.sh
. "$(dirname "$0")/lib.sh"
build=${GO_BUILD:-$work}
unstable='^(calls|collections) '
mkdir -p "$build"
env GOCACHE="$build/cache" GOPATH="$build/path" GO111MODULE=off GOPROXY=off CGO_ENABLED=0 GOFLAGS= \
  go build -o "$build/t_go" "$hazards/../targets/t_go.go" || die "t_go.go cannot be built"

survives "functions of the program" 'main.*' "$build/t_go" -seconds 3
survives "every function, 10 s" '*' "$build/t_go" -seconds 10
between "collections in that time" "$(truth collections all)" 100 1000000
finish
