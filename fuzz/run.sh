#!/usr/bin/env bash
# Fuzzes every parser that takes bytes from outside, with libFuzzer, on the stable toolchain.
#
# Usage: fuzz/run.sh [SECONDS [TARGET…]]    default: 60 seconds for each target
#
# What a target finds is written to fuzz/found/, and ends the run with an error. Inputs that reached new code are
# kept beside the build and used again the next time.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(sed -n 's/^name = "\(.*\)"$/\1/p' Cargo.toml | tail -n +2)
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/furrow/target}/fuzz"
host=$(rustc -vV | sed -n 's/^host: //p')

# The compiler counts edges and reports comparisons, which steer libFuzzer. A target is named so that build scripts
# are left as they are.
flags=(
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
  -Ccodegen-units=1
)
RUSTFLAGS="${flags[*]}" cargo build --locked --quiet --release --target "$host"

# Seeds: what the golden tests hold, and what each kind of input looks like.
seeds() {
  local into=$1
  for file in ../provenance/tests/provenance/golden/*.hex; do
    python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))' \
      <"$file" >"$into/$(basename "$file" .hex)" || return
  done
  cp ../demo/harvest.csv "$into/"
  for file in ../provenance/tests/provenance/golden/*.{bundle,conflict}; do
    [ -e "$file" ] && cp "$file" "$into/"
  done
  return 0
}

fuzz() {
  local target=$1 corpus=$CARGO_TARGET_DIR/corpus/$1
  mkdir -p "$corpus" found
  seeds "$corpus"
  if ! "$CARGO_TARGET_DIR/$host/release/$target" "$corpus" -max_total_time="$seconds" -max_len=65536 -timeout=10 \
    -rss_limit_mb=2048 -artifact_prefix="found/$target-" -print_final_stats=1 >"$CARGO_TARGET_DIR/$target.log" 2>&1; then
    tail -40 "$CARGO_TARGET_DIR/$target.log"
    printf 'fuzz: %s failed; the input is in fuzz/found/\n' "$target" >&2
    return 1
  fi
  printf 'fuzz: %-10s %s runs, nothing found\n' "$target" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$CARGO_TARGET_DIR/$target.log")"
}

# Two at a time, one for each core of the smallest machine that this is meant for.
failed=0
for ((at = 0; at < ${#targets[@]}; at += 2)); do
  pids=()
  for target in "${targets[@]:at:2}"; do
    fuzz "$target" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
done
exit $failed
