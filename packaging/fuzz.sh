#!/bin/bash
# Runs every fuzz target for the given seconds (default 60) on its kept corpus.
# Needs a nightly compiler and cargo-fuzz; installs the latter from the registry when missing.
set -euo pipefail
cd "$(dirname "$0")/../protocol"
seconds=${1:-60}
cargo fuzz --version >/dev/null 2>&1 || cargo install --locked cargo-fuzz
for target in $(cargo +nightly fuzz list); do
    echo "== $target, $seconds s"
    scratch=$(mktemp -d)
    cargo +nightly fuzz run "$target" "$scratch" "fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 2>&1 | tail -n 12
    rm -rf "$scratch"
done
