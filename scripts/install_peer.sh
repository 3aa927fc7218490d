#!/usr/bin/env bash
# Puts llama.cpp, prebuilt, into build/peer with npm: the judge of the GGUF files nibble writes.
# Tests that ask it say that they are skipped when it is not there, so a machine without a network
# goes on with a note. NIBBLE_PEER names a folder that has it already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[[ -z ${NIBBLE_PEER:-} ]] || exit 0
if [[ $(uname -m) != x86_64 ]]; then
  echo "note: the prebuilt llama.cpp is for x86-64; comparisons with it are skipped" >&2
  exit 0
fi
mkdir -p build/peer
cp tests/peer/peer.mjs build/peer/
if [[ -d build/peer/node_modules ]] && cmp -s tests/peer/package.json build/peer/package.json; then
  exit 0
fi
rm -rf build/peer/node_modules
cp tests/peer/package.json build/peer/
if ! (cd build/peer && npm install --omit=optional --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error) >&2; then
  rm -rf build/peer/node_modules
  echo "note: npm could not fetch llama.cpp; comparisons with it are skipped" >&2
fi
