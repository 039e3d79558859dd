//! Conflict proofs: signed events that cannot all stand, in a file that needs nobody's word.
//!
//! In the field such a file is a proof of equivocation, or of double spending. It shows one of two things: a key signed
//! two events on one link of its journal, or events of one lane of a lot exclude each other, as when a lot is given
//! away twice. Beside them it holds what tells whose the keys are, up to a founder, and by which the quantities are known.
//!
//! The format stands in `docs/conflict.cddl`, what a verifier does with it in `docs/conflict.md`.

mod codec;
mod exclusion;
mod making;
mod verdict;
mod verifying;

pub use making::{Gathered, journal_fork, lane_conflict};
pub use verdict::{Accused, ConflictKind, Failed, Verdict};
pub use verifying::{Shown, prove, verify};

use crate::id::{EventId, NetworkId, SubjectId};
use crate::network::{Network, NetworkError};
use crate::payload::Lane;
use crate::verification::EventError;

/// The version that this program writes and verifies.
pub const VERSION: u64 = 1;

/// With this text, and the version after it, every conflict proof begins.
pub const PREFIX: &str = "furrow/conflict/";

/// Media type of a conflict proof.
pub const CONTENT_TYPE: &str = "application/vnd.furrow.conflict+cbor";

/// Most bytes of a conflict proof: some sixteen thousand events.
pub const MAX_PROOF_BYTES: usize = 8 << 20;

/// Most events on which those in conflict rest. A lot that was made from thousands of others has as many.
pub const MAX_ANCESTORS: usize = 16_384;

/// Most events that together exclude each other. Of draws with one key on one link two are proof enough, so only an
/// actor with as many keys could need more.
pub const MAX_TIPS: usize = 16;

/// Most events of journals, by which keys are followed back to where they forked: some days of a busy packhouse.
pub const MAX_JOURNAL_EVENTS: usize = 1_024;

/// Events that cannot all stand, with what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictProof {
    /// The network's definition.
    pub network: Network,
    /// What is claimed.
    pub claim: Claim,
    /// All on which it rests, signed: ascending by depth, then id. The depth of an event is 0 if it rests on none of the
    /// others, else one more than the greatest of those on which it rests.
    pub events: Vec<Vec<u8>>,
}

/// What a file claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// One key signed two different events on one link of its journal. Whether these keep the rules does not matter.
    JournalFork {
        /// The event that gave the key to an actor; the network id for a founder.
        key_event: EventId,
        /// Both events, signed; ascending by id.
        events: [Vec<u8>; 2],
    },
    /// Events of one lane of a lot, each of which keeps the rules, exclude each other.
    LaneConflict {
        /// The lot.
        subject: SubjectId,
        /// Main or title.
        lane: Lane,
        /// The events; ascending.
        tips: Vec<EventId>,
        /// Events of journals, signed, that show that none of two events of one key stands in the other's journal;
        /// ascending by id.
        journals: Vec<Vec<u8>>,
    },
}

/// Why bytes do not prove a conflict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConflictError {
    /// Made by a newer program.
    #[error("the conflict proof has version {0}; upgrade this program to verify it")]
    NewerVersion(u64),
    /// No conflict proof at all.
    #[error("the bytes are no conflict proof: {0}")]
    Malformed(String),
    /// The network's definition cannot be one.
    #[error("the network's definition cannot be one")]
    Network(#[from] NetworkError),
    /// Not the network that is expected.
    #[error("the conflict proof belongs to the network {found}, not to {expected}")]
    OtherNetwork {
        /// What it belongs to.
        found: NetworkId,
        /// What was expected.
        expected: NetworkId,
    },
    /// One of its events cannot be relied on.
    #[error(transparent)]
    Event(#[from] EventError),
    /// Not in the order of depth and id.
    #[error("event {0} is not in its place, which is by depth and id")]
    EventOrder(EventId),
    /// Two keys.
    #[error("event {0} was signed by another key than the first, so no journal forked")]
    OtherKey(EventId),
    /// Two links.
    #[error("event {0} stands on another link of the journal than the first, so nothing forked")]
    OtherLink(EventId),
    /// The claim names an event that is not there.
    #[error("event {0}, which the claim names, is not in the file")]
    UnknownEvent(EventId),
    /// Who the signer is stays unknown.
    #[error("{0} does not give the key to anybody, so it is not shown whose it is")]
    KeyOfNobody(EventId),
    /// An event of another lane.
    #[error("event {0} is not of the lane that the claim names")]
    OtherLane(EventId),
    /// All can stand.
    #[error("the events can all stand beside each other")]
    NoConflict,
    /// One is accused for nothing.
    #[error("event {0} is not needed: with what it extends in its place, the others exclude each other still")]
    Reducible(EventId),
    /// Perhaps the later of two in one journal, which is void.
    #[error(
        "event {0} may be void: it is not shown that its key signed it beside another one of the same key, and not after it"
    )]
    OneJournal(EventId),
    /// An event that proves nothing.
    #[error("event {0} does not belong to the conflict")]
    ExtraEvent(EventId),
}

impl ConflictError {
    /// The reason in a verdict.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NewerVersion(_) => "newer_version",
            Self::Malformed(_) => "not_a_conflict_proof",
            Self::Network(_) => "malformed_network",
            Self::OtherNetwork { .. } => "other_network",
            Self::Event(error) => error.reason().code(),
            Self::EventOrder(_) => "event_order",
            Self::OtherKey(_) => "other_key",
            Self::OtherLink(_) => "other_link",
            Self::UnknownEvent(_) => "unknown_event",
            Self::KeyOfNobody(_) => "key_of_nobody",
            Self::OtherLane(_) => "other_lane",
            Self::NoConflict => "no_conflict",
            Self::Reducible(_) => "reducible",
            Self::OneJournal(_) => "one_journal",
            Self::ExtraEvent(_) => "extra_event",
        }
    }

    /// The event that it concerns.
    pub fn event(&self) -> Option<EventId> {
        match self {
            Self::Event(error) => Some(error.event()),
            Self::EventOrder(event)
            | Self::OtherKey(event)
            | Self::OtherLink(event)
            | Self::UnknownEvent(event)
            | Self::KeyOfNobody(event)
            | Self::OtherLane(event)
            | Self::Reducible(event)
            | Self::OneJournal(event)
            | Self::ExtraEvent(event) => Some(*event),
            Self::NewerVersion(_)
            | Self::Malformed(_)
            | Self::Network(_)
            | Self::OtherNetwork { .. }
            | Self::NoConflict => None,
        }
    }
}
