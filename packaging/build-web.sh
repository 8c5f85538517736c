#!/bin/bash
# Builds the page into web/dist, unless it is newer than everything it is made from.
set -euo pipefail
cd "$(dirname "$0")/../web"

../packaging/build-predict.sh

if [ -f dist/index.html ] && [ -d node_modules ] \
    && [ -z "$(find src public index.html package-lock.json vite.config.ts -newer dist/index.html 2>/dev/null | head -n 1)" ]; then
    exit 0
fi
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    # Not `npm ci`: it refuses a lock file that lacks the optional packages of other platforms, which
    # not every registry carries. This takes the locked versions too, and writes nothing.
    npm install --no-save --no-audit --no-fund --silent
fi
npm run --silent build
