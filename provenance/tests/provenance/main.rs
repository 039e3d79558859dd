//! Properties of the core, tested as a stranger uses it.

mod archive;
mod cddl;
mod golden;
mod order;
mod round_trip;
mod rules;
mod signatures;
mod story;
