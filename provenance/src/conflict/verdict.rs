//! The verdict on a conflict proof, for programs and for people.

use super::{ConflictError, Shown};
use crate::event::SignedEvent;
use crate::id::{EventId, PublicKey, SubjectId};
use crate::payload::Lane;
use crate::verification::{Network, Overall};
use serde::{Serialize, Serializer};

/// What is proved. Serialises as `docs/conflict.md` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Valid or invalid.
    pub verdict: Overall,
    /// What cannot be; nothing where the file is invalid, as with all that follows but the failure.
    pub conflict: Option<ConflictKind>,
    /// The network.
    pub network: Option<Network>,
    /// The lot.
    pub subject: Option<SubjectId>,
    /// Its lane.
    #[serde(serialize_with = "lane")]
    pub lane: Option<Lane>,
    /// The link of the journal.
    pub link: Option<EventId>,
    /// Who contradicted itself.
    pub actor: Option<SubjectId>,
    /// The events that cannot all stand.
    pub events: Vec<Accused>,
    /// What is wrong with the file.
    pub failed: Option<Failed>,
}

/// What cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// Two events of one key on one link of its journal.
    JournalFork,
    /// Events of a lane that exclude each other.
    LaneConflict,
}

/// An event that cannot stand beside the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Accused {
    /// Its id.
    pub id: EventId,
    /// The kind's name; `unknown` where there is none.
    pub kind: &'static str,
    /// The actor whose key signed.
    pub signer: SubjectId,
    /// The key.
    pub key: PublicKey,
    /// When it was signed, by the signer's clock, in milliseconds since 1970.
    pub time_ms: u64,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// The reason; `docs/conflict.md` lists them.
    pub reason: &'static str,
    /// The event that it concerns.
    pub event: Option<EventId>,
    /// The reason in a sentence.
    pub detail: String,
}

impl Verdict {
    /// Of what was shown, or why nothing was.
    pub fn of(shown: Result<Shown, ConflictError>) -> Self {
        match shown {
            Ok(shown) => Self {
                verdict: Overall::Valid,
                conflict: Some(shown.conflict),
                network: Some(shown.network),
                subject: shown.lane.map(|(subject, _)| subject),
                lane: shown.lane.map(|(_, lane)| lane),
                link: shown.link,
                actor: shown.actor,
                events: shown.events,
                failed: None,
            },
            Err(error) => Self {
                verdict: Overall::Invalid,
                conflict: None,
                network: None,
                subject: None,
                lane: None,
                link: None,
                actor: None,
                events: Vec::new(),
                failed: Some(Failed { reason: error.code(), event: error.event(), detail: in_full(&error) }),
            },
        }
    }
}

impl Accused {
    pub(super) fn of(event: &SignedEvent, signer: SubjectId) -> Self {
        let payload = event.payload();
        let kind = payload.body.kind().map_or("unknown", |kind| kind.name());
        Self { id: event.id(), kind, signer, key: event.key(), time_ms: payload.time.ms() }
    }
}

/// An error with what caused it.
fn in_full(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", in_full(source)),
        None => error.to_string(),
    }
}

#[allow(clippy::ref_option)] // The signature that serde asks for.
fn lane<S: Serializer>(lane: &Option<Lane>, serializer: S) -> Result<S::Ok, S::Error> {
    match lane {
        Some(Lane::Main) => serializer.serialize_str("main"),
        Some(Lane::Title) => serializer.serialize_str("title"),
        Some(Lane::Attester(actor)) => actor.serialize(serializer),
        None => serializer.serialize_none(),
    }
}
