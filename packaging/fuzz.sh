#!/bin/bash
# Runs every fuzz target for the given seconds (default 60) on its kept corpus.
# Needs a nightly compiler and cargo-fuzz; installs the latter from the registry when missing.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
cargo fuzz --version >/dev/null 2>&1 || cargo install --locked cargo-fuzz
# Every folder that has fuzz targets is a workspace of its own.
for folder in $(git ls-files '*/fuzz/Cargo.toml' | xargs -n 1 dirname); do
    # What the inputs are made of, where a folder says it.
    words=()
    for file in "$folder"/*.dict; do
        [ -e "$file" ] && words=(-dict="$file")
    done
    for target in $(cargo +nightly fuzz list --fuzz-dir "$folder"); do
        echo "== $folder: $target, $seconds s"
        scratch=$(mktemp -d)
        mkdir -p "$folder/corpus/$target"
        cargo +nightly fuzz run --fuzz-dir "$folder" "$target" "$scratch" "$folder/corpus/$target" -- \
            "${words[@]}" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 2>&1 | tail -n 12
        rm -rf "$scratch"
    done
done
