//! What admission reads of earlier events, and what it leaves for later ones.

use super::Rule;
use crate::custody::{Effect, LotState};
use crate::event::SignedEvent;
use crate::id::{EventId, NetworkId, SubjectId};
use crate::merkle::{Frontier, Hash, leaf_hash};
use crate::payload::{Lane, Payload};
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

    /// RFC 9162 root over the ids of a key's journal from its first event to this one, which is judged.
    ///
    /// Made from events alone it takes a walk over the whole journal; whoever lets strangers ask keeps parts of it.
    fn journal_root(&self, last: &EventId) -> Result<Hash, Self::Error> {
        let (mut ids, mut next) = (Vec::new(), *last);
        while let Some(judged) = self.judged(&next)? {
            ids.push(next);
            if judged.judgement.journal_height <= 1 {
                break;
            }
            next = judged.event.payload().journal;
        }
        let mut frontier = Frontier::default();
        for id in ids.iter().rev() {
            frontier.append(leaf_hash(id.as_bytes()), |_, _, _| {});
        }
        Ok(frontier.root())
    }

    /// What counting made of an event, where that is not what admission found. Nothing where all of it
    /// counts as it was admitted; and always nothing while admission looks, which knows no counting.
    fn counted(&self, _: &EventId) -> Result<Option<Arc<Counted>>, Self::Error> {
        Ok(None)
    }

    /// A judged event as far as it counts.
    fn seen(&self, id: &EventId) -> Result<Option<Seen>, Self::Error> {
        let Some(judged) = self.judged(id)? else { return Ok(None) };
        Ok(Some(Seen { counted: self.counted(id)?, judged }))
    }
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
    /// Position in the key's journal: its first event has 1.
    #[n(5)]
    pub journal_height: u64,
    /// One entry for each touch; none where the event is void.
    #[n(6)]
    pub lines: Vec<LaneLine>,
    /// The newest amendment of the network that this event, or one before it in its journal, had in its basis.
    #[n(7)]
    pub amendment: Option<EventId>,
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

/// What counting made of an event that does not count as it was admitted, or rests on such.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Counted {
    /// One entry for each touch.
    #[n(0)]
    pub touches: Vec<CountedTouch>,
}

/// What counting made of one touch.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CountedTouch {
    /// Whether it counts.
    #[n(1)]
    pub counts: bool,
    /// What it extends among the events that count in its lane; ascending.
    #[n(2)]
    pub predecessors: Vec<EventId>,
    /// What it does to the lot, on a lot's lanes and if it counts.
    #[n(3)]
    pub effect: Option<Effect>,
    /// The lot after it, as seen from what it rests on and counts.
    #[n(4)]
    pub lot: Option<LotState>,
}

/// A judged event as it is looked at: by admission as it was judged, by counting as far as it counts.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The event.
    pub judged: Arc<Judged>,
    /// What counting made of it; nothing where it counts as it was admitted.
    pub counted: Option<Arc<Counted>>,
}

impl Seen {
    /// The event's id.
    pub fn id(&self) -> EventId {
        self.judged.event.id()
    }

    /// The event's payload.
    pub fn payload(&self) -> &Payload {
        self.judged.event.payload()
    }

    /// Which touch is on this lane. None of a void event is on any.
    pub fn lane_index(&self, subject: &SubjectId, lane: Lane) -> Option<usize> {
        self.judged.lane_index(subject, lane)
    }

    /// Whether this touch counts.
    pub fn counts(&self, touch: usize) -> bool {
        match &self.counted {
            Some(counted) => counted.touches.get(touch).is_some_and(|touch| touch.counts),
            None => self.judged.judgement.is_admitted(),
        }
    }

    /// Whether any touch counts.
    pub fn counts_at_all(&self) -> bool {
        (0..self.payload().touches.len()).any(|touch| self.counts(touch))
    }

    /// The events that this touch extends.
    pub fn predecessors(&self, touch: usize) -> &[EventId] {
        match &self.counted {
            Some(counted) => counted.touches.get(touch).map_or(&[], |touch| &touch.predecessors),
            None => &self.payload().touches[touch].prev,
        }
    }

    /// What this touch does to a lot.
    pub fn effect(&self, touch: usize) -> Option<&Effect> {
        match &self.counted {
            Some(counted) => counted.touches.get(touch)?.effect.as_ref(),
            None => self.judged.judgement.lines.get(touch)?.effect.as_ref(),
        }
    }

    /// The lot after this touch.
    pub fn lot(&self, touch: usize) -> Option<&LotState> {
        match &self.counted {
            Some(counted) => counted.touches.get(touch)?.lot.as_ref(),
            None => self.judged.judgement.lines.get(touch)?.lot.as_ref(),
        }
    }

    /// Whether it creates this subject, by a touch that counts.
    pub fn creates(&self, subject: &SubjectId) -> bool {
        let touches = self.payload().touches.iter().enumerate();
        touches
            .filter(|(_, touch)| touch.subject.is_none())
            .any(|(at, _)| self.judged.event.subject(at) == Some(*subject) && self.counts(at))
    }
}

impl Judged {
    /// Which touch is on this lane. None of a void event is on any.
    pub fn lane_index(&self, subject: &SubjectId, lane: Lane) -> Option<usize> {
        let touches = &self.event.payload().touches;
        (0..touches.len())
            .find(|index| touches[*index].lane == lane && self.event.subject(*index) == Some(*subject))
            .filter(|index| *index < self.judgement.lines.len())
    }

    /// How high it stands in this lane: one more than the highest event that it extends there.
    pub fn height_in(&self, subject: &SubjectId, lane: Lane) -> Option<u64> {
        self.lane_index(subject, lane).map(|at| self.judgement.lines[at].height)
    }
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
            amendment: None,
        }
    }

    /// Whether the event is in the log.
    pub fn is_admitted(&self) -> bool {
        self.standing == Standing::Admitted
    }
}
