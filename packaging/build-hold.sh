#!/bin/bash
# Builds vroom-hold for use. There is one per terminal, so it is linked statically where the system has
# the C library for that: without the pages of shared libraries it needs a third less memory.
set -euo pipefail
cd "$(dirname "$0")/.."
build() {
    "${CARGO:-cargo}" rustc --release --locked -p vroom-terminal --bin vroom-hold "$@"
}
if ! build -- -C target-feature=+crt-static; then
    echo "no C library to link statically; vroom-hold is linked as everything else"
    build
fi
