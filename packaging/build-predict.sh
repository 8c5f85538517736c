#!/bin/bash
# Builds the predictor of the terminal's echo for the page: web/src/terminal/predict.wasm.
set -euo pipefail
cd "$(dirname "$0")/.."
# The default stack of a module is 1 MiB, and every terminal has a module of its own.
CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-C link-arg=-zstack-size=65536" \
    packaging/wasm-cargo.sh build --profile wasm -p vroom-predict-wasm
built=${CARGO_TARGET_DIR:-target}/wasm/wasm32-unknown-unknown/wasm/vroom_predict_wasm.wasm
# Only when it changed: what is newer than the page has the page built again.
cmp -s "$built" web/src/terminal/predict.wasm || cp "$built" web/src/terminal/predict.wasm
