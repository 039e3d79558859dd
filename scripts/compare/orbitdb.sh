#!/usr/bin/env bash
# OrbitDB, a signed log over libp2p: appended at one node, followed by a second. Prints figures as JSON.
# RUNS=3 ORBITDB_ENTRIES=1000
source "$(dirname "$0")/environment.sh"
exec "$node" "$here/orbitdb.mjs" "$FURROW_COMPARE_DIR/run/orbitdb"
