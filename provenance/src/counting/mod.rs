//! Counting: what the set of admitted events makes true, whatever order they came in.
//!
//! Admission asks whether an event may be stored; counting asks what is true now.

mod lots;

pub use lots::{CountedLot, lot, reading_order, representatives};
