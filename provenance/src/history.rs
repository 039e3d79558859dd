//! A history in memory: judged events with their lanes, as a bundle holds them.

use crate::admission::lanes::lane_index;
use crate::admission::{Ancestry, Judged, Judgement, ReplayError, replay};
use crate::event::{SignedEvent, VerifiedEvent};
use crate::id::{EventId, SubjectId};
use crate::network::Network;
use crate::payload::Lane;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::ops::Bound;
use std::sync::Arc;

/// Admitted events, each after its ancestors.
#[derive(Debug, Clone, Default)]
pub struct History {
    events: Vec<Arc<Judged>>,
    places: BTreeMap<EventId, usize>,
    lanes: BTreeMap<(SubjectId, Lane), LaneEvents>,
}

#[derive(Debug, Clone, Default)]
struct LaneEvents {
    events: Vec<EventId>,
    tips: BTreeSet<EventId>,
}

impl History {
    /// Judges an event by those that are here, and adds it; one that is here already stays as it is.
    pub fn replay(&mut self, network: &Network, event: VerifiedEvent) -> Result<(), ReplayError> {
        let Ok(judgement) = replay(network, &event, self);
        self.append(event.into_signed(), judgement?);
        Ok(())
    }

    /// Adds an admitted event whose ancestors are here.
    pub fn append(&mut self, event: SignedEvent, judgement: Judgement) {
        let id = event.id();
        if self.places.contains_key(&id) {
            return;
        }
        self.places.insert(id, self.events.len());
        for (index, touch) in event.payload().touches.iter().enumerate() {
            let subject = event.subject(index).expect("the touch is there");
            let lane = self.lanes.entry((subject, touch.lane)).or_default();
            // What an event extends came before it, so nothing here extends the event itself.
            touch.prev.iter().for_each(|prev| {
                lane.tips.remove(prev);
            });
            lane.events.push(id);
            lane.tips.insert(id);
        }
        self.events.push(Arc::new(Judged { event, judgement }));
    }

    /// All events, in the order in which they came.
    pub fn events(&self) -> &[Arc<Judged>] {
        &self.events
    }

    /// An event, if it is here.
    pub fn event(&self, id: &EventId) -> Option<&Arc<Judged>> {
        self.places.get(id).map(|place| &self.events[*place])
    }

    /// The events of a lane, in the order in which they came.
    pub fn lane(&self, subject: &SubjectId, lane: Lane) -> impl Iterator<Item = &Arc<Judged>> {
        let events = self.lanes.get(&(*subject, lane)).map_or(&[][..], |lane| &lane.events);
        events.iter().filter_map(|id| self.event(id))
    }

    /// The tips of every lane of a subject: what the state map has of it.
    pub fn tips(&self, subject: &SubjectId) -> BTreeMap<Lane, BTreeSet<EventId>> {
        let from = Bound::Included((*subject, Lane::Main));
        let lanes = self.lanes.range((from, Bound::Unbounded)).take_while(|((other, _), _)| other == subject);
        lanes.map(|((_, lane), events)| (*lane, events.tips.clone())).collect()
    }

    /// The event that creates a subject, if it is here.
    pub fn creation(&self, subject: &SubjectId) -> Option<&Arc<Judged>> {
        // It is the first of the main lane, because all others of it extend it.
        let first = self.lane(subject, Lane::Main).next()?;
        let at = lane_index(first, subject, Lane::Main)?;
        first.event.payload().touches[at].subject.is_none().then_some(first)
    }
}

impl Ancestry for History {
    type Error = Infallible;

    fn judged(&self, id: &EventId) -> Result<Option<Arc<Judged>>, Infallible> {
        Ok(self.event(id).cloned())
    }

    fn lane_tips(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, Infallible> {
        let lane = self.lanes.get(&(*subject, lane));
        Ok(lane.map(|lane| lane.tips.iter().copied().collect()).unwrap_or_default())
    }

    fn lane_events(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, Infallible> {
        Ok(self.lanes.get(&(*subject, lane)).map(|lane| lane.events.clone()).unwrap_or_default())
    }
}
