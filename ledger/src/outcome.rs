//! What becomes of events that are handed to the ledger.

use provenance::admission::{Hold, Reject, Rule};
use provenance::event::DecodeError;
use provenance::id::EventId;
use provenance::signature::SignatureError;
use std::sync::Arc;

/// Where events come from, which decides what is kept of those that cannot be admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// This node's own commands: what cannot be admitted is forgotten, and signed again otherwise.
    Own,
    /// A client of the API that signs for itself. What cannot be admitted is not kept, so that an
    /// error means that nothing was stored; only where the client's next event builds on a void
    /// one, that one is stored with it.
    Client,
    /// A peer, by its id. What waits for an ancestor or an upgrade is kept within quotas.
    Peer(String),
    /// This node's own log as others have kept it, in its order. After the first event that cannot be appended, no
    /// further one of the same call is: a log has its entries in their order or not at all.
    Log,
}

/// What became of one event.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// In the log for good, and on the disk.
    Admitted {
        /// The event.
        id: EventId,
        /// Its index in the log.
        index: u64,
    },
    /// It was here already.
    Known {
        /// The event.
        id: EventId,
        /// Its index in the log; none if it is void and kept as a link of its journal.
        index: Option<u64>,
    },
    /// It cannot be judged yet.
    Held {
        /// The event.
        id: EventId,
        /// Why.
        hold: Hold,
        /// Whether it is kept. Not so for clients, unknown signers and beyond the quotas.
        kept: bool,
    },
    /// It breaks a rule.
    Void {
        /// The event.
        id: EventId,
        /// Which.
        rule: Rule,
    },
    /// It is no event of this network.
    Rejected(Refusal),
    /// The disk failed; nothing was acknowledged. Send it again later.
    Unavailable(Arc<store::StoreError>),
}

/// Why bytes are no event of this network.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// Malformed.
    #[error(transparent)]
    Decode(Arc<DecodeError>),
    /// Wrongly signed.
    #[error(transparent)]
    Signature(SignatureError),
    /// Of another network.
    #[error(transparent)]
    Network(Reject),
}

impl Outcome {
    /// Whether the event is now in the log.
    pub fn index(&self) -> Option<u64> {
        match self {
            Self::Admitted { index, .. } => Some(*index),
            Self::Known { index, .. } => *index,
            _ => None,
        }
    }
}
