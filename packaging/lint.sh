#!/bin/bash
# Format and lints. Debian's compiler comes without these two tools: then it says so and goes on.
set -euo pipefail
cd "$(dirname "$0")/.."
if cargo fmt --version >/dev/null 2>&1; then
    cargo fmt --all --check
else
    echo "not checked: format (cargo fmt is not installed)"
fi
if cargo clippy --version >/dev/null 2>&1; then
    cargo clippy --workspace --all-targets --locked -q -- -D warnings
else
    echo "not checked: lints (cargo clippy is not installed)"
fi
