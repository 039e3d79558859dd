//! Catching up with peers: what is asked of whom, when, and in which order it is written.
//!
//! The protocol stands side by side as plain types ([`p2p::message`]), a deterministic machine without
//! I/O ([`Replica`]), the answering side ([`answer`]), and the asynchronous shell around both, which is `sync` in
//! the crate `node`. A simulation drives exactly this machine without sockets.
//!
//! 1. **Ids first.** A peer's log is read by pages of ids from a [`Cursor`] that is kept on the disk.
//! 2. **Bodies from several peers.** What is not here is asked of every peer that has it, each within a window of its
//!    own, and submitted in the order of the logs, so that ancestors come first.
//! 3. **First contact.** Where much is unread and most of it is here already, the state maps are compared
//!    instead, and only subjects that differ are looked at. What was skipped is read later, at leisure.
//!
//! **Invariant:** a cursor never passes an entry that was not judged; what cannot be kept is
//! remembered as a gap, and what was skipped as a stretch that is still to be read.
//!
//! **Invariant:** no clock, randomness, socket or async runtime: the same inputs give the same outputs. What is read of
//! this node comes through [`Holdings`].
//!
//! **Invariant:** whatever peers answer, memory stays bounded; the bounds stand in [`limits`].

mod answer;
mod cursor;
mod held_here;
mod holdings;
pub mod limits;
mod progress;
mod replica;

pub use answer::answer;
pub use cursor::{Cursor, MAX_CURSORS, MAX_GAPS, Skipped};
pub use holdings::{Holdings, Known, StateRoot};
pub use progress::Progress;
pub use replica::{BatchId, Failure, Output, Replica, RequestId, Unwritten};
