//! The pure core of Furrow: events, signatures, admission, counting and proofs.
//!
//! Nothing here knows a clock, randomness, a file or a socket: time is an argument, stored events
//! come through the trait [`admission::Ancestry`]. So all of it can be tested by properties,
//! fuzzed and simulated, and an auditor can read it alone.

pub mod admission;
mod base58;
pub mod body;
pub mod bundle;
pub mod cbor;
pub mod checkpoint;
pub mod conflict;
pub mod contradiction;
pub mod cosignature;
pub mod counting;
pub mod custody;
pub mod event;
pub mod evidence;
pub mod findings;
pub mod history;
pub mod id;
pub mod kind;
pub mod merkle;
pub mod network;
pub mod note;
pub mod origin;
pub mod payload;
pub mod receipt;
pub mod seal;
pub mod signature;
pub mod state_map;
pub mod transparent;
pub mod value;
pub mod verification;
