//! Why a command does not become an event.

use super::means::KeyringError;
use crate::keys::KeyState;
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
    /// The keys kept here do not count any more.
    #[error(
        "key {key} of actor {actor} {}, so what it signs does not count; sign with a newer key of the actor, or let \
         somebody above it give it one",
        ended(*.state)
    )]
    KeyEnded {
        /// Who should sign.
        actor: SubjectId,
        /// The newest of its keys that are kept here.
        key: PublicKey,
        /// How it ended.
        state: KeyState,
    },
    /// There is no key to end.
    #[error("actor {actor} has no living key that could be ended")]
    NoLivingKey {
        /// The actor.
        actor: SubjectId,
    },
    /// It is not known where the journal of a key should end.
    #[error(
        "the journal of key {key} has forked, so it has no single end; name the last event of it that is right, and \
         later ones that stand"
    )]
    ForkedEnd {
        /// The key.
        key: PublicKey,
    },
    /// An event that no key of the actor signed.
    #[error("event {event} was not signed with a key of actor {actor}; give one of its own events")]
    NotSignedBy {
        /// Which field names it.
        field: &'static str,
        /// The event.
        event: EventId,
        /// The actor.
        actor: SubjectId,
    },
    /// No such subject.
    #[error("there is nothing with the id {subject} here; correct it, or wait until its events have come")]
    UnknownSubject {
        /// Which field names it.
        field: &'static str,
        /// The id.
        subject: SubjectId,
    },
    /// Somebody else decides.
    #[error("{}", resolver_is(.resolver.as_ref()))]
    NotResolver {
        /// Who decides; nobody where founders are parties.
        resolver: Option<SubjectId>,
    },
    /// A lot over which there is nothing to decide.
    #[error("nothing is in conflict on lot {lot}; name the events over which you decide")]
    NoConflict {
        /// The lot.
        lot: SubjectId,
    },
    /// No such amendment.
    #[error("event {event} is no amendment of the network in this log; give the id of a network.amended event")]
    NoSuchAmendment {
        /// The id.
        event: EventId,
    },
    /// No such recall.
    #[error("event {event} is no recall in this log; give the id of a recall.issued event")]
    NoSuchRecall {
        /// The id.
        event: EventId,
    },
    /// No such certificate.
    #[error("there is no certificate {certificate} here; give the id under which it was issued")]
    NoSuchCertificate {
        /// The id.
        certificate: SubjectId,
    },
    /// No such founder.
    #[error("actor {actor} is no founder of this network; only founders can leave it by an amendment")]
    NoFounder {
        /// The actor.
        actor: SubjectId,
    },
}

/// What became of a key.
fn ended(state: KeyState) -> &'static str {
    match state {
        KeyState::Live => "is live",
        KeyState::Disowned => "was given by an event that does not count",
        KeyState::Rotated => "was rotated: a newer one took its place",
        KeyState::Replaced => "was replaced from above",
        KeyState::Revoked => "was revoked",
        KeyState::Left => "was that of a founder who has left",
    }
}

fn resolver_is(resolver: Option<&SubjectId>) -> String {
    match resolver {
        Some(resolver) => format!(
            "only actor {resolver} decides here: the nearest above all who signed that is party to none of it; sign \
             as that actor, or ask it"
        ),
        None => "nobody above all who signed is free of this matter, so only the founders can decide, by an \
                 amendment of the network"
            .to_owned(),
    }
}

impl AuthorError {
    /// The field of the command that is at fault, where it is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::KeyNotKept { .. }
            | Self::JournalForked { .. }
            | Self::JournalUnconfirmed { .. }
            | Self::KeyEnded { .. }
            | Self::NotResolver { .. } => Some("actor"),
            Self::UnknownActor { field, .. }
            | Self::UnknownPlace { field, .. }
            | Self::UnknownLot { field, .. }
            | Self::UnknownEvent { field, .. }
            | Self::UnknownSubject { field, .. }
            | Self::NotSignedBy { field, .. } => Some(field),
            Self::NoSuchOffer { .. } => Some("offer"),
            Self::Disputed { .. } => Some("lot"),
            Self::ForeignPersonalName => Some("personal_name"),
            Self::Rule(rule) => Some(rule.field()),
            Self::Correction(_) => Some("replacement"),
            Self::ForkedEnd { .. } => Some("last"),
            Self::NoConflict { .. } => Some("branches"),
            Self::NoSuchAmendment { .. } => Some("amendment"),
            Self::NoSuchRecall { .. } => Some("recall"),
            Self::NoSuchCertificate { .. } => Some("certificate"),
            Self::NoFounder { .. } => Some("leaves"),
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
