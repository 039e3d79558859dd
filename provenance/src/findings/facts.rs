//! What findings are made from: the events of a lot's history, and those around it.

use crate::admission::Judged;
use crate::body::Body;
use crate::id::{EventId, SubjectId};
use crate::value::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An event as a reader sees it.
#[derive(Debug, Clone)]
pub struct Told {
    /// The event.
    pub judged: Arc<Judged>,
    /// What it says after all corrections.
    pub body: Body,
    /// The events that corrected it.
    pub corrections: Vec<EventId>,
    /// Whether it counts.
    pub counts: bool,
}

/// How far the events of a lot agree, as counting found it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Whether nobody's acceptance has settled what excludes each other.
    pub disputed: bool,
    /// Events that cannot all stand.
    pub in_conflict: BTreeSet<EventId>,
    /// Events whose values do not show.
    pub beside: BTreeSet<EventId>,
}

/// All that findings about one lot rest on. Neither list has an order; what stands in both belongs to the history.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The lot.
    pub lot: SubjectId,
    /// The lots and units from which it came, without itself.
    pub sources: BTreeSet<SubjectId>,
    /// How far its events agree.
    pub agreement: Agreement,
    /// The events of its lanes, and those of the lots of which it was a part, up to where it was taken.
    pub history: Vec<Told>,
    /// Events of what the history names: places; claimed certificates with their status and the registrations that
    /// claim them; units in which it lay; enrolments and updates of those who signed; rivals on links of their journals; recalls of the lot and of its sources,
    /// with what ended them.
    pub around: Vec<Told>,
}

impl Told {
    /// An event that counts and that nothing corrects.
    pub fn plain(judged: Arc<Judged>) -> Self {
        Self { body: judged.event.payload().body.clone(), corrections: Vec::new(), counts: true, judged }
    }

    /// The event's id.
    pub fn id(&self) -> EventId {
        self.judged.event.id()
    }

    pub(super) fn signed(&self) -> Timestamp {
        self.judged.event.payload().time
    }

    /// From when to when that took place of which it tells, in milliseconds; when it was signed, if it tells of none.
    pub(super) fn took_place(&self) -> (u64, u64) {
        let payload = self.judged.event.payload();
        let occurred = payload.occurred.map(|at| (at.start().ms(), at.end().unwrap_or(at.start()).ms()));
        occurred.unwrap_or((payload.time.ms(), payload.time.ms()))
    }

    pub(super) fn subjects(&self) -> impl Iterator<Item = SubjectId> {
        let event = &self.judged.event;
        (0..event.payload().touches.len()).filter_map(|index| event.subject(index))
    }
}

/// The facts by id, so that neither order nor repetition matters.
pub(super) struct Events<'a> {
    pub lot: SubjectId,
    pub sources: &'a BTreeSet<SubjectId>,
    pub history: BTreeMap<EventId, &'a Told>,
    pub all: BTreeMap<EventId, &'a Told>,
}

impl<'a> Events<'a> {
    pub fn of(facts: &'a Facts) -> Self {
        let history = by_id(facts.history.iter());
        let mut all = by_id(facts.history.iter().chain(&facts.around));
        all.extend(history.iter().map(|(id, told)| (*id, *told)));
        Self { lot: facts.lot, sources: &facts.sources, history, all }
    }

    /// The events of the history that count.
    pub fn counting(&self) -> impl Iterator<Item = (EventId, &'a Told)> + '_ {
        self.history.iter().filter(|(_, told)| told.counts).map(|(id, told)| (*id, *told))
    }

    /// All events that count.
    pub fn all_counting(&self) -> impl Iterator<Item = (EventId, &'a Told)> + '_ {
        self.all.iter().filter(|(_, told)| told.counts).map(|(id, told)| (*id, *told))
    }
}

/// An event can lie on two lanes of a lot; it counts if it does on one.
fn by_id<'a>(events: impl Iterator<Item = &'a Told>) -> BTreeMap<EventId, &'a Told> {
    let mut found: BTreeMap<EventId, &Told> = BTreeMap::new();
    for told in events {
        let kept = found.entry(told.id()).or_insert(told);
        if told.counts && !kept.counts {
            *kept = told;
        }
    }
    found
}
