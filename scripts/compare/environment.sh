# Where the rivals are installed and the Node.js that drives them; sourced by the scripts beside it.
# All that is installed and all that is written while measuring lies in $FURROW_COMPARE_DIR, outside the checkout,
# except the packages of package-lock.json, which npm puts beside it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
FURROW_COMPARE_DIR=${FURROW_COMPARE_DIR:-$HOME/.cache/furrow/compare}
export FURROW_COMPARE_DIR
mkdir -p "$FURROW_COMPARE_DIR"

fail() { printf 'compare: %s\n' "$*" >&2; exit 1; }

# npm ci only where a lock file changed since the last time.
npm_ci() {
  local stamp=$1/node_modules/.furrow-lock
  cmp -s "$1/package-lock.json" "$stamp" && return
  printf 'compare: npm ci in %s\n' "$1" >&2
  npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund --silent || fail "npm ci failed; is the npm registry within reach?"
  cp "$1/package-lock.json" "$stamp"
}
npm_ci "$here"

# OrbitDB needs Node.js 22 or newer; the packages bring one where npm has it for this machine.
node=node
for brought in "$here"/node_modules/node-*/bin/node; do
  if [ -x "$brought" ]; then node=$brought; fi
done
major=$("$node" --version | sed 's/^v\([0-9]*\).*/\1/')
[ "$major" -ge 22 ] || fail "Node.js $("$node" --version) is too old; install version 22 or newer"
