#!/bin/bash
# Checks that vroom-protocol compiles for a browser (wasm32-unknown-unknown).
set -euo pipefail
exec "$(dirname "$0")/wasm-cargo.sh" check -p vroom-protocol
