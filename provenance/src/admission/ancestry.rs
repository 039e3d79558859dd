//! What admission reads of earlier events, and what it leaves for later ones.

use super::Rule;
use super::authority::Signer;
use crate::custody::{Effect, LotState};
use crate::event::SignedEvent;
use crate::id::{EventId, NetworkId, SubjectId};
use crate::payload::Lane;
use minicbor::{Decode, Encode};
use std::sync::Arc;

/// The events that were judged before.
///
/// An implementation answers from a store, from a batch that is being written, or from memory. It
/// must know an event either wholly or not at all.
pub trait Ancestry {
    /// What can go wrong while reading.
    type Error;

    /// A judged event, admitted or void; nothing if it is missing or held.
    fn judged(&self, id: &EventId) -> Result<Option<Arc<Judged>>, Self::Error>;

    /// Admitted events of a lane that no admitted event of it extends.
    fn lane_tips(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, Self::Error>;

    /// All admitted events of a lane. Asked for only where a lane has forked.
    fn lane_events(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, Self::Error>;
}

/// An event with what admission found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The event.
    pub event: SignedEvent,
    /// The verdict and what follows from it.
    pub judgement: Judgement,
}

/// Whether a judged event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Standing {
    /// In the log for good.
    #[n(0)]
    Admitted,
    /// Against this rule; only a link of its journal.
    #[n(1)]
    Void(#[n(0)] Rule),
}

/// What admission found; kept beside each event, because later events are judged by it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Judgement {
    /// Admitted or void.
    #[n(1)]
    pub standing: Standing,
    /// The actor whose key signed.
    #[n(2)]
    pub actor: SubjectId,
    /// The actor that acts: the same, or the one on whose behalf it records.
    #[n(3)]
    pub acting: SubjectId,
    /// The event that gave the actor this key; the network id for founders.
    #[n(4)]
    pub key_event: EventId,
    /// Position in the key's journal: its first event has 1. Where it was not looked at, 0.
    #[n(5)]
    pub journal_height: u64,
    /// One entry for each touch; none where the event is void.
    #[n(6)]
    pub lines: Vec<LaneLine>,
}

/// What an event is to one lane that it touches.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LaneLine {
    /// One more than the highest of the tips that it extends; the first of a lane has 0.
    #[n(1)]
    pub height: u64,
    /// What it does to the lot, on a lot's main lane.
    #[n(2)]
    pub effect: Option<Effect>,
    /// The lot after it, as seen from its own ancestors, on a lot's main lane.
    #[n(3)]
    pub lot: Option<LotState>,
}

impl Judgement {
    /// Of an event that is no link of any journal: it belongs to nobody.
    pub(super) fn unlinked(rule: Rule, network: &NetworkId) -> Self {
        let nobody = SubjectId::from_bytes([0; 32]);
        Self {
            standing: Standing::Void(rule),
            actor: nobody,
            acting: nobody,
            key_event: network.as_event(),
            journal_height: 0,
            lines: Vec::new(),
        }
    }

    /// Whether the event is in the log.
    pub fn is_admitted(&self) -> bool {
        self.standing == Standing::Admitted
    }
}

impl Signer {
    /// What was found of an event of this signer.
    pub(super) fn judgement(
        &self,
        standing: Standing,
        acting: SubjectId,
        journal_height: u64,
        lines: Vec<LaneLine>,
    ) -> Judgement {
        Judgement { standing, actor: self.actor, acting, key_event: self.key_event, journal_height, lines }
    }
}
