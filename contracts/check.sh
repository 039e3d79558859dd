#!/bin/sh
# Checks the contract: format, tests, gas snapshots, and that the committed ABI and bytecode are what the sources
# compile to. With --update it rewrites the snapshots and the ABI instead of comparing them.
set -eu
cd "$(dirname "$0")"

# The platform's own binary: the shim in node_modules/.bin exits 0 whatever forge says.
for forge in ../node_modules/@foundry-rs/forge-*/bin/forge; do
    break
done
if [ ! -x "$forge" ]; then
    echo "contracts/check.sh: forge is not installed: run 'make setup' (or 'npm ci --ignore-scripts')" >&2
    exit 1
fi

case "${1-}" in
'')
    "$forge" fmt --check
    # From nothing, so that no older output is compared with the committed bytecode.
    "$forge" build --force
    "$forge" test
    "$forge" snapshot --check --no-match-test testFuzz
    ./artifact.mjs --check
    ;;
--update)
    "$forge" fmt
    "$forge" build --force
    "$forge" test --gas-snapshot-check=false --gas-snapshot-emit=true
    "$forge" snapshot --no-match-test testFuzz
    ./artifact.mjs --write
    ;;
*)
    echo "usage: contracts/check.sh [--update]" >&2
    exit 2
    ;;
esac
