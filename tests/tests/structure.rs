//! The direction in which the workspace's crates may know each other, as ARCHITECTURE.md draws it.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Each crate with those of the workspace that it may name, tests included. Nothing else is allowed.
const DIRECTION: [(&str, &[&str]); 11] = [
    ("provenance", &[]),
    ("store", &["provenance"]),
    ("ledger", &["provenance", "store"]),
    ("p2p", &["provenance"]),
    ("replication", &["provenance", "store", "ledger", "p2p"]),
    ("anchoring", &["provenance", "ledger"]),
    ("api", &["provenance", "ledger"]),
    ("node", &["provenance", "store", "ledger", "p2p", "replication", "anchoring", "api"]),
    // The simulation puts together what `node` does, but for sockets, threads and the clock.
    ("simulation", &["provenance", "store", "ledger", "p2p", "replication"]),
    // Figures are taken of the parts themselves, and of whole nodes from outside.
    ("bench", &["provenance", "store", "ledger", "end-to-end"]),
    // Tests reach nodes from outside: they may read events, and speak the network's protocol.
    ("end-to-end", &["provenance", "p2p"]),
];

/// Libraries that decide the shape of whatever touches them, each with the one crate that may name it.
const FENCED: [(&str, &str); 3] = [("rocksdb", "store"), ("libp2p", "p2p"), ("alloy", "anchoring")];

/// Relatives of a fenced library that are formats only and talk to nobody: the core verifies evidence with them.
const FORMATS: [&str; 3] = ["alloy-primitives", "alloy-rlp", "alloy-trie"];

/// What would make the core know a clock, randomness, files or sockets.
const IMPURE: [&str; 8] = ["tokio", "futures", "getrandom", "rand", "reqwest", "tempfile", "jiff", "tracing"];

/// The crates of the workspace with everything that they name: normally, for tests, and for builds.
fn named_by_crate() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let text = |value: &Value| value.as_str().expect("a name").to_owned();
    let names = |package: &Value| {
        let dependencies = package["dependencies"].as_array().expect("a list");
        dependencies.iter().map(|dependency| text(&dependency["name"])).collect()
    };
    let packages = metadata["packages"].as_array().expect("a list").iter();
    packages.map(|package| (text(&package["name"]), names(package))).collect()
}

#[test]
fn crates_know_each_other_in_one_direction() {
    let named = named_by_crate();
    let drawn: BTreeSet<&str> = DIRECTION.iter().map(|(name, _)| *name).collect();
    let members: BTreeSet<&str> = named.keys().map(String::as_str).collect();
    assert_eq!(members, drawn, "a crate that is not drawn has no place yet");
    for (name, allowed) in DIRECTION {
        let inside = named[name].iter().map(String::as_str).filter(|other| drawn.contains(other));
        let beyond: Vec<&str> = inside.filter(|other| !allowed.contains(other)).collect();
        assert!(beyond.is_empty(), "{name} must not know {beyond:?}");
    }
}

#[test]
fn libraries_that_spread_stay_where_they_are() {
    for (name, dependencies) in named_by_crate() {
        for (library, home) in FENCED {
            let relatives = dependencies.iter().filter(|other| {
                *other == library || other.strip_prefix(library).is_some_and(|rest| rest.starts_with('-'))
            });
            let is_core_format = |other: &&String| name == "provenance" && FORMATS.contains(&other.as_str());
            let found: Vec<&String> = relatives.filter(|other| !is_core_format(other)).collect();
            assert!(found.is_empty() || name == home, "only {home} may name {library}, but {name} names {found:?}");
        }
    }
}

#[test]
fn the_core_is_pure() {
    let named = named_by_crate();
    let impure: Vec<&String> = named["provenance"].iter().filter(|name| IMPURE.contains(&name.as_str())).collect();
    assert!(
        impure.is_empty(),
        "provenance takes time and randomness as arguments, and does no input or output: {impure:?}"
    );
}
