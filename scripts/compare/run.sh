#!/usr/bin/env bash
# Runs Furrow's rivals at the same kind of work and writes target/compare.json. Usage: run.sh [gas] [orbitdb] [nostr]
# Figures are never judged: a slow machine makes no failure, and nothing here belongs to the tests.
source "$(dirname "$0")/environment.sh"
[ $# -gt 0 ] || set -- gas orbitdb nostr

parts=()
for rival in "$@"; do
  [ -x "$here/$rival.sh" ] || fail "no such rival: $rival; there are gas, orbitdb and nostr"
  printf 'compare: %s\n' "$rival" >&2
  part=$FURROW_COMPARE_DIR/$rival.json
  "$here/$rival.sh" >"$part.partial"
  mv "$part.partial" "$part"
  parts+=("$part")
done

mkdir -p "$root/target"
"$node" "$here/report.mjs" "$root/target/compare.json" "$root/target/bench.json" "${parts[@]}"
