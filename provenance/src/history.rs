//! Judged events in memory, with the lanes that they make.

use crate::admission::{Ancestry, Judged, offered_items, returned_parts};
use crate::body::Body;
use crate::counting::{self, CountedLot};
use crate::id::{EventId, SubjectId};
use crate::merkle::Hash;
use crate::payload::Lane;
use crate::state_map;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::Arc;

/// Events in the order in which they were added: ancestors before what rests on them.
#[derive(Debug, Clone, Default)]
pub struct History {
    events: Vec<Arc<Judged>>,
    places: HashMap<EventId, usize>,
    lanes: BTreeMap<SubjectId, BTreeMap<Lane, LaneEvents>>,
    created: HashMap<SubjectId, EventId>,
    lookups: Cell<u64>,
}

#[derive(Debug, Clone, Default)]
struct LaneEvents {
    all: Vec<EventId>,
    tips: BTreeSet<EventId>,
}

impl History {
    /// Adds an admitted event. Its ancestors must have been added before; one that is there already stays.
    pub fn add(&mut self, judged: Arc<Judged>) {
        let id = judged.event.id();
        if self.places.contains_key(&id) {
            return;
        }
        self.places.insert(id, self.events.len());
        for (index, touch) in judged.event.payload().touches.iter().enumerate() {
            let Some(subject) = judged.event.subject(index) else { continue };
            let lane = self.lanes.entry(subject).or_default().entry(touch.lane).or_default();
            for prev in &touch.prev {
                lane.tips.remove(prev);
            }
            lane.tips.insert(id);
            lane.all.push(id);
            if touch.subject.is_none() {
                self.created.insert(subject, id);
            }
        }
        self.events.push(judged);
    }

    /// All events, in their order.
    pub fn events(&self) -> &[Arc<Judged>] {
        &self.events
    }

    /// One event.
    pub fn get(&self, id: &EventId) -> Option<&Arc<Judged>> {
        self.events.get(*self.places.get(id)?)
    }

    /// How often rules have looked an event up, by which the work of judging is bounded.
    pub fn lookups(&self) -> u64 {
        self.lookups.get()
    }

    /// Whether any event touches the subject.
    pub fn knows(&self, subject: &SubjectId) -> bool {
        self.lanes.contains_key(subject)
    }

    /// What the state map says of a subject with exactly this history; nothing where it has none.
    pub fn digest(&self, subject: &SubjectId) -> Option<Hash> {
        let lanes = self.lanes.get(subject)?;
        state_map::digest(&lanes.iter().map(|(lane, events)| (*lane, events.tips.clone())).collect())
    }

    /// A lot as these events together show it; nothing where the subject is none.
    pub fn lot(&self, subject: &SubjectId) -> Option<CountedLot> {
        let Ok(counted) = counting::lot(subject, Lane::Main, &self.lane(subject, Lane::Main)?.tips, self);
        counted
    }

    /// The events of a subject's main lane in reading order.
    pub fn main_lane(&self, subject: &SubjectId) -> Vec<Arc<Judged>> {
        let ids = self.lane(subject, Lane::Main).map(|lane| lane.all.as_slice()).unwrap_or_default();
        let mut events: Vec<_> = ids.iter().filter_map(|id| self.get(id).cloned()).collect();
        counting::reading_order(&mut events, subject, Lane::Main);
        events
    }

    /// The lot from which a part-lot was taken: what an offer offered a part of, or an acceptance rejected a part of.
    pub fn parent(&self, part: &SubjectId) -> Option<SubjectId> {
        let creator = self.get(self.created.get(part)?)?;
        match &creator.event.payload().body {
            Body::TransferOffered(_) => {
                offered_items(creator)?.into_iter().find(|item| item.item == *part).map(|item| item.lot)
            }
            Body::TransferAccepted(_) => {
                returned_parts(creator).into_iter().find(|(_, returned)| returned == part).map(|(from, _)| from)
            }
            _ => None,
        }
    }

    fn lane(&self, subject: &SubjectId, lane: Lane) -> Option<&LaneEvents> {
        self.lanes.get(subject)?.get(&lane)
    }
}

impl Ancestry for History {
    type Error = Infallible;

    fn judged(&self, id: &EventId) -> Result<Option<Arc<Judged>>, Infallible> {
        self.lookups.set(self.lookups.get() + 1);
        Ok(self.get(id).cloned())
    }

    fn lane_tips(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, Infallible> {
        Ok(self.lane(subject, lane).map(|lane| lane.tips.iter().copied().collect()).unwrap_or_default())
    }

    fn lane_events(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, Infallible> {
        Ok(self.lane(subject, lane).map(|lane| lane.all.clone()).unwrap_or_default())
    }
}
