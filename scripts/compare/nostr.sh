#!/usr/bin/env bash
# nostr-rs-relay, signed ingest: events sent over websockets until each is acknowledged. Prints figures as JSON.
# RUNS=3 NOSTR_EVENTS=10000
source "$(dirname "$0")/environment.sh"
command -v cargo >/dev/null || fail "no Rust toolchain; install it from https://rustup.rs"

version=0.8.12
relay=$FURROW_COMPARE_DIR/bin/nostr-rs-relay
if ! "$relay" --version 2>/dev/null | grep -qF "$version"; then
  # Its build runs protoc; the one in grpcio-tools needs no package of the system.
  venv=$FURROW_COMPARE_DIR/protoc-venv
  python3 -m venv "$venv" || fail "python3 cannot make a virtual environment; install python3-venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check grpcio-tools==1.85.1 ||
    fail "pip failed; is the Python package index within reach?"
  protoc=$FURROW_COMPARE_DIR/protoc
  printf '#!/bin/sh\nexec "%s" -m grpc_tools.protoc "$@"\n' "$venv/bin/python" >"$protoc"
  chmod +x "$protoc"

  # The lock file of the release holds `time` 0.3.25, which no compiler since Rust 1.80 takes. So the source is fetched as a
  # dependency of nothing, and that one crate is raised; the rest stays as it was released.
  fetch=$FURROW_COMPARE_DIR/relay-fetch
  mkdir -p "$fetch/src"
  : >"$fetch/src/lib.rs"
  printf '[package]\nname = "relay-fetch"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n[dependencies]\nnostr-rs-relay = "=%s"\n' \
    "$version" >"$fetch/Cargo.toml"
  manifest=$(cargo metadata --format-version 1 --manifest-path "$fetch/Cargo.toml" |
    "$node" -p 'JSON.parse(fs.readFileSync(0, "utf8")).packages.find((p) => p.name === "nostr-rs-relay").manifest_path') ||
    fail "cargo could not fetch nostr-rs-relay $version; is the crate registry within reach?"
  source_dir=$FURROW_COMPARE_DIR/relay-source
  rm -rf "$source_dir"
  cp -R "$(dirname "$manifest")" "$source_dir"
  cargo update --quiet --manifest-path "$source_dir/Cargo.toml" --package time@0.3.25 --precise 0.3.36
  # A build of some minutes that nobody waits for gives way to all else.
  PROTOC=$protoc CARGO_TARGET_DIR=$FURROW_COMPARE_DIR/target nice -n 19 \
    cargo install --quiet --locked --bin nostr-rs-relay --root "$FURROW_COMPARE_DIR" --path "$source_dir" >&2 || fail "nostr-rs-relay cannot be built"
fi

exec "$node" "$here/nostr.mjs" "$relay" "$FURROW_COMPARE_DIR"
