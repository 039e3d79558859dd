#!/usr/bin/env bash
# Installs what building, the demo and the tests need; where it may not, it says what is missing.
# Usage: scripts/setup.sh demo|test
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-test}

fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

command -v cargo >/dev/null || fail "no Rust toolchain; install it from https://rustup.rs (Rust 1.95 or newer), then run make again"

# Each line: a file or command that shows it is there, and the Debian or Ubuntu package that brings it.
packages=()
need() { "${@:2}" >/dev/null 2>&1 || packages+=("$1"); }
has_libclang() { compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' || compgen -G '/usr/lib/*/libclang*.so*'; }
need clang command -v clang
need libclang-dev has_libclang
need g++ command -v g++
need make command -v make
need pkg-config command -v pkg-config
need nodejs command -v node
need npm command -v npm
if [ "$purpose" = test ]; then
  need chromium command -v chromium
  need python3-venv python3 -c 'import ensurepip, venv'
fi

if [ ${#packages[@]} -gt 0 ]; then
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      as_root=(sudo)
    else
      fail "these packages are missing, and this user may not install them; run: sudo apt-get install ${packages[*]}"
    fi
  fi
  command -v apt-get >/dev/null || fail "these packages are missing, and there is no apt-get; install: ${packages[*]}"
  printf 'setup: installing %s\n' "${packages[*]}"
  "${as_root[@]}" apt-get update -qq || fail "apt-get update failed; is the network up?"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null ||
    fail "apt-get could not install ${packages[*]}"
fi

major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
[ "$major" -ge 20 ] || fail "Node.js $(node --version) is too old; install version 20 or newer"

# npm ci only where the lock file changed since the last time.
npm_ci() {
  local stamp=$1/node_modules/.furrow-lock
  cmp -s "$1/package-lock.json" "$stamp" && return
  printf 'setup: npm ci in %s\n' "$1"
  npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund --silent || fail "npm ci failed; is the npm registry within reach?"
  cp "$1/package-lock.json" "$stamp"
}
npm_ci .

# The second verifier, for Node and for browsers.
npm_ci web/verifier
npm run --prefix web/verifier --silent build || fail "the verifier in web/verifier cannot be built"
[ "$purpose" = test ] || exit 0

# The libraries with which foreign judges check our proofs.
npm_ci tests/foreign
venv=tests/foreign/.venv
if ! cmp -s tests/foreign/requirements.txt "$venv/.furrow-requirements"; then
  printf 'setup: pip install in %s\n' "$venv"
  python3 -m venv "$venv" || fail "python3 cannot make a virtual environment; install python3-venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement tests/foreign/requirements.txt ||
    fail "pip failed; is the Python package index within reach?"
  cp tests/foreign/requirements.txt "$venv/.furrow-requirements"
fi
