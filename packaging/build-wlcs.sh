#!/bin/bash
# Builds wlcs, the Wayland conformance suite, in target/wlcs from the commit that smithay checks its own
# reference compositor with. Needs the network the first time.
set -euo pipefail
cd "$(dirname "$0")/.."
commit=2b385328366de5db19521b9b3eef81861430d984
folder=target/wlcs
if [ "$(git -C $folder rev-parse HEAD 2>/dev/null || true)" != $commit ]; then
    rm -rf $folder
    git clone --quiet https://github.com/canonical/wlcs.git $folder
    git -C $folder checkout --quiet $commit
    # CMake before 3.26 writes -D twice where the property has it already.
    sed -i 's/COMPILE_DEFINITIONS -DTEST/COMPILE_DEFINITIONS TEST/' $folder/CMakeLists.txt
fi
cmake -S $folder -B $folder/build -DCMAKE_BUILD_TYPE=Debug \
    -DWLCS_BUILD_ASAN=OFF -DWLCS_BUILD_TSAN=OFF -DWLCS_BUILD_UBSAN=OFF >/dev/null
cmake --build $folder/build --target wlcs --parallel "$(nproc)"
