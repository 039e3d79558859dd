//! How far a peer's log was read, for people to look at.

use p2p::PeerId;
use provenance::id::PublicKey;

/// How far this node has come with one peer's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The peer.
    pub peer: PeerId,
    /// The key of its log.
    pub log: PublicKey,
    /// Entries of the log that were judged here, or were found to be here.
    pub have: u64,
    /// Entries of the log, as the peer says.
    pub of: u64,
    /// Entries that are passed per second, lately.
    pub events_per_s: u64,
    /// Seconds until the end of the log at this pace; none while nothing moves.
    pub eta_s: Option<u64>,
}
