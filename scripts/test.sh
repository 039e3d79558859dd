#!/usr/bin/env bash
# Everything that must hold, quickest first. `make test` runs it after the set-up.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s (%s)\n' "$1" "$(date +%H:%M:%S)"; }

step "format"
cargo fmt --all --check

step "contracts: forge tests, gas, reproducible bytecode"
contracts/check.sh

step "verifier in TypeScript: strict types, tests"
npm test --prefix web/verifier --silent

step "build"
cargo build --locked --workspace --all-targets

step "clippy"
cargo clippy --locked --workspace --all-targets --quiet -- --deny warnings

if command -v cargo-deny >/dev/null; then
  step "cargo deny"
  cargo deny --locked check bans licenses sources
else
  printf '\n== cargo deny is not installed: skipped; `make deny` installs and runs it\n'
fi

step "tests"
if command -v cargo-nextest >/dev/null; then
  cargo nextest run --locked --workspace --no-fail-fast
else
  cargo test --locked --workspace --no-fail-fast
fi

step "fuzzing: ${FUZZ_SECONDS:-60} seconds for each parser"
fuzz/run.sh "${FUZZ_SECONDS:-60}"
