//! Why a command does not become an event.

use super::means::KeyringError;
use crate::ledger::WriteError;
use crate::outcome::Refusal;
use provenance::admission::{Hold, Rule};
use provenance::body::CorrectionError;
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::payload::StructureError;
use provenance::value::ValueError;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::StoreError;

/// Why nothing was written; after [`AuthorError::Unavailable`] alone this is not certain.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuthorError {
    /// The actor's key is elsewhere.
    #[error("the key of actor {actor} is not kept on this node; sign where it is kept, and send the signed event")]
    KeyNotKept {
        /// Who should sign.
        actor: SubjectId,
    },
    /// No such actor.
    #[error("there is no actor {actor} here; enrol it first, or wait until its enrolment has come")]
    UnknownActor {
        /// Which field names it.
        field: &'static str,
        /// The id.
        actor: SubjectId,
    },
    /// No such place.
    #[error("there is no place {place} here; register it first, or wait until its registration has come")]
    UnknownPlace {
        /// Which field names it.
        field: &'static str,
        /// The id.
        place: SubjectId,
    },
    /// No such lot.
    #[error("there is no lot {lot} here; register it first, or wait until its registration has come")]
    UnknownLot {
        /// Which field names it.
        field: &'static str,
        /// The id.
        lot: SubjectId,
    },
    /// No such event.
    #[error("there is no event {event} in this log; correct the id, or wait until the event has come")]
    UnknownEvent {
        /// Which field names it.
        field: &'static str,
        /// The id.
        event: EventId,
    },
    /// No such offer.
    #[error("event {offer} is no offer in this log; give the id of a transfer.offered event")]
    NoSuchOffer {
        /// The id.
        offer: EventId,
    },
    /// A lot that was given away twice.
    #[error("lot {lot} is disputed: events that exclude each other were signed; settle that before going on")]
    Disputed {
        /// The lot.
        lot: SubjectId,
    },
    /// A journal with more than one end.
    #[error(
        "the journal of key {key} has forked: the key signed in two places, or on a node restored from a backup; \
         go on with a new key"
    )]
    JournalForked {
        /// The key.
        key: PublicKey,
    },
    /// A journal that may have gone on elsewhere.
    #[error(
        "the node was restored from a backup, and no peer has confirmed yet where the journal of key {key} ends; \
         connect the node with its peers, sign with another key, or, only if this key has certainly signed nothing \
         since the backup, stop the node and run 'furrow key trust-journal {key}'"
    )]
    JournalUnconfirmed {
        /// The key.
        key: PublicKey,
    },
    /// The log is not complete.
    #[error("{}", WriteError::Recovering)]
    Recovering,
    /// Something was written meanwhile.
    #[error("the subject has changed since it was read; read it again and decide anew")]
    Stale {
        /// The tips that it has now.
        present: BTreeSet<EventId>,
    },
    /// A personal name beside a countersignature that cannot cover it.
    #[error(
        "a personal name is sealed into the enrolment, which a key kept elsewhere cannot have countersigned; \
         leave the name out"
    )]
    ForeignPersonalName,
    /// The event would break a rule.
    #[error("{0}")]
    Rule(Rule),
    /// The correction does not fit its target.
    #[error(transparent)]
    Correction(Arc<CorrectionError>),
    /// A value out of range.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// Too many lines, places or tips for one event.
    #[error(transparent)]
    Structure(#[from] StructureError),
    /// The bytes are no event.
    #[error(transparent)]
    Refused(Refusal),
    /// The event cannot be judged.
    #[error("{0}")]
    Held(Hold),
    /// The keystore cannot be used.
    #[error("{0}")]
    Keystore(String),
    /// The store cannot be read, or does not take an opening.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// The disk failed while the event was written.
    #[error("the event could not be written: {0}; look whether it is there before trying again")]
    Unavailable(Arc<StoreError>),
    /// The node is stopping.
    #[error("the node is shutting down; try again when it runs")]
    Closed,
}

impl AuthorError {
    /// The field of the command that is at fault, where it is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::KeyNotKept { .. } | Self::JournalForked { .. } | Self::JournalUnconfirmed { .. } => Some("actor"),
            Self::UnknownActor { field, .. }
            | Self::UnknownPlace { field, .. }
            | Self::UnknownLot { field, .. }
            | Self::UnknownEvent { field, .. } => Some(field),
            Self::NoSuchOffer { .. } => Some("offer"),
            Self::Disputed { .. } => Some("lot"),
            Self::ForeignPersonalName => Some("personal_name"),
            Self::Rule(rule) => Some(rule.field()),
            Self::Correction(_) => Some("replacement"),
            _ => None,
        }
    }
}

impl From<StoreError> for AuthorError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<WriteError> for AuthorError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Closed => Self::Closed,
            WriteError::Recovering => Self::Recovering,
        }
    }
}

impl From<CorrectionError> for AuthorError {
    fn from(error: CorrectionError) -> Self {
        Self::Correction(Arc::new(error))
    }
}

impl From<KeyringError> for AuthorError {
    fn from(error: KeyringError) -> Self {
        match error {
            KeyringError::Structure(error) => Self::Structure(error),
            KeyringError::NotHeld(_) | KeyringError::Keystore(_) => Self::Keystore(error.to_string()),
        }
    }
}
