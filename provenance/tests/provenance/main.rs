//! Properties of the core, tested as a stranger uses it.

// In a test a panic is the report.
#![allow(clippy::unwrap_used)]

mod archive;
mod cddl;
mod evidence;
mod foreign_bundles;
mod foreign_rules;
mod golden;
mod order;
mod round_trip;
mod rules;
mod signatures;
mod story;
