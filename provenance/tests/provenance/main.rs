//! Properties of the core, tested as a stranger uses it.

// In a test a panic is the report.
#![allow(clippy::unwrap_used)]

mod archive;
mod bad_bundles;
mod breakers;
mod bundles;
mod cddl;
mod chain;
mod chance;
mod conflicts;
mod custody;
mod deeds;
mod differential;
mod evidence;
mod findings;
mod foreign_bundles;
mod foreign_rules;
mod golden;
mod goods;
mod kinds;
mod maker;
mod measure;
mod mutants;
mod order;
mod round_trip;
mod rules;
mod signatures;
mod story;
mod tales;
mod tree;
mod world;
