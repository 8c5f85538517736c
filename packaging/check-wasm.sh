#!/bin/bash
# Checks that vroom-protocol compiles for a browser (wasm32-unknown-unknown).
#
# A toolchain with that target is used as it is. Without one, Debian's compiler builds the standard
# library from its source package.
set -euo pipefail
cd "$(dirname "$0")/.."
target=wasm32-unknown-unknown

if [ -d "$(rustc --print sysroot)/lib/rustlib/$target" ]; then
    exec cargo check --locked -q -p vroom-protocol --target "$target"
fi
missing=()
for package in rustc-web cargo-web rust-web-src; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing: ${missing[*]}" >&2
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
# `-Z build-std` is what a compiler without the target's library needs; the switch lets a stable
# compiler take it.
export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=target/wasm
exec /usr/bin/cargo check --locked -q -p vroom-protocol --target "$target" -Z build-std=std,panic_abort
