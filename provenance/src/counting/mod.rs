//! Counting: what the set of admitted events makes true, whatever order they came in.
//!
//! Admission asks whether an event may be stored; counting asks what is true now, in four passes of which each
//! needs only those before (docs/rules.md, section 9): the amendments of the network in force ([`InForce`]), which
//! keys live and where their journals end ([`Keys`]), which branches a decision overrules, and then every event
//! after those on which it rests ([`recount`]). What counts makes the lots ([`lot`]): concurrent events that can
//! all stand are joined; where they exclude each other, all stay as evidence, and the lot follows the one handover
//! that its addressee accepted, or is disputed.

mod deciding;
mod decisions;
mod keys;
mod lots;
mod network;
mod recount;
mod settlement;

pub use deciding::{Deciding, Reach, reach};
pub use keys::{CutInForce, Journal, Journals, Keys, NewEnd, Rotated, Survivors, cuts};
pub use lots::{CountedLot, lot, reading_order, representatives};
pub use network::InForce;
pub use recount::recount;
pub use settlement::Settlement;
