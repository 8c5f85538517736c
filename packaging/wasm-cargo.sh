#!/bin/bash
# Runs cargo for a browser (wasm32-unknown-unknown): `wasm-cargo.sh check -p vroom-protocol`.
#
# What is built lies in target/wasm/wasm32-unknown-unknown. A toolchain with that target is used as it is. Without
# one, Debian's compiler builds the standard library from its source package, and LLVM's linker, which comes
# separately there, links.
set -euo pipefail
cd "$(dirname "$0")/.."
target=wasm32-unknown-unknown
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/wasm

if [ -d "$(rustc --print sysroot)/lib/rustlib/$target" ]; then
    exec cargo "$@" --locked -q --target "$target"
fi

# Installs the Debian packages that are missing.
need() {
    local missing=() as_root=() package state
    for package in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$state" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing: ${missing[*]}" >&2
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
need rustc-web cargo-web rust-web-src
llvm=$(/usr/bin/rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
need "lld-$llvm"
# `-Z build-std` is what a compiler without the target's library needs; the switch lets a stable
# compiler take it.
export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="wasm-ld-$llvm"
exec /usr/bin/cargo "$@" --locked -q --target "$target" -Z build-std=std,panic_abort
