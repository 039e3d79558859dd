//! Judged events in memory, with the lanes that they make.

use crate::admission::{Ancestry, Counted, Judged, Seen, offered_items, packed_parts, returned_parts};
use crate::body::Body;
use crate::counting::{self, CountedLot, Deciding, Journals, Settlement, recount};
use crate::custody::{Effect, LotState};
use crate::id::{EventId, SubjectId};
use crate::merkle::Hash;
use crate::network::Network;
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
    /// What does not count as it was admitted; empty until [`History::count`].
    counted: HashMap<EventId, Arc<Counted>>,
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

    /// Counts all events that were added, by the rules of docs/rules.md, section 9. Until then, all of them count as
    /// they were admitted; nothing may be added afterwards.
    pub fn count<J: Journals<Error = Infallible>>(&mut self, network: &Network, journals: &J) {
        let mut deciding = Deciding::default();
        for judged in &self.events {
            deciding.add(judged);
        }
        let Ok(settlement) = Settlement::of(network, &deciding, journals);
        if !settlement.ends_nothing() {
            for at in 0..self.events.len() {
                let judged = &self.events[at];
                let Ok(counted) = recount(network, &settlement, journals, judged, self);
                self.counted.extend(counted.map(|counted| (judged.event.id(), Arc::new(counted))));
            }
        }
        self.settle_tips();
    }

    /// Finds the tips of every lane among what counts.
    fn settle_tips(&mut self) {
        let mut lanes = std::mem::take(&mut self.lanes);
        for (subject, lane, events) in lanes
            .iter_mut()
            .flat_map(|(subject, lanes)| lanes.iter_mut().map(move |(lane, events)| (subject, *lane, events)))
        {
            events.tips.clear();
            for id in &events.all {
                let Some(seen) = self.look(id) else { continue };
                let Some(at) = seen.lane_index(subject, lane).filter(|at| seen.counts(*at)) else { continue };
                for prev in seen.predecessors(at) {
                    events.tips.remove(prev);
                }
                events.tips.insert(*id);
            }
            if events.tips.len() > 2 {
                let tips: Vec<Seen> = events.tips.iter().filter_map(|id| self.look(id)).collect();
                events.tips = counting::representatives(subject, lane, &tips);
            }
        }
        self.lanes = lanes;
    }

    /// An event as far as it counts.
    pub fn look(&self, id: &EventId) -> Option<Seen> {
        Some(Seen { judged: self.get(id)?.clone(), counted: self.counted.get(id).cloned() })
    }

    /// Whether any touch of an event counts.
    pub fn counts(&self, id: &EventId) -> bool {
        self.look(id).is_some_and(|seen| seen.counts_at_all())
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
        let ending = lanes.iter().filter(|(_, events)| !events.tips.is_empty());
        state_map::digest(&ending.map(|(lane, events)| (*lane, events.tips.clone())).collect())
    }

    /// A lot as these events together show it; nothing where the subject is none.
    pub fn lot(&self, subject: &SubjectId) -> Option<CountedLot> {
        let Ok(counted) = counting::lot(subject, Lane::Main, &self.lane(subject, Lane::Main)?.tips, self);
        counted
    }

    /// Who holds a lot: where it lies inside a unit, whoever holds the outermost one.
    pub fn holder(&self, state: &LotState) -> SubjectId {
        let (mut holder, mut inside, mut passed) = (state.holder, state.inside, BTreeSet::new());
        // A unit never lies inside itself; only units in conflict could seem to.
        while let Some(unit) = inside.filter(|unit| passed.insert(*unit)) {
            let Some(counted) = self.lot(&unit) else { break };
            (holder, inside) = (counted.state.holder, counted.state.inside);
        }
        holder
    }

    /// The events of which a touch of this subject does not count.
    pub fn uncounted(&self, subject: &SubjectId) -> Vec<EventId> {
        let mut uncounted = BTreeSet::new();
        for (lane, events) in self.lanes.get(subject).into_iter().flatten() {
            uncounted.extend(events.all.iter().filter(|id| {
                self.look(id).is_some_and(|seen| seen.lane_index(subject, *lane).is_some_and(|at| !seen.counts(at)))
            }));
        }
        uncounted.into_iter().collect()
    }

    /// The events of a subject's main lane in reading order.
    pub fn main_lane(&self, subject: &SubjectId) -> Vec<Arc<Judged>> {
        let ids = self.lane(subject, Lane::Main).map(|lane| lane.all.as_slice()).unwrap_or_default();
        let mut events: Vec<_> = ids.iter().filter_map(|id| self.get(id).cloned()).collect();
        counting::reading_order(&mut events, subject, Lane::Main);
        events
    }

    /// The lots from which a lot was taken or made: of which an offer offered a part, an acceptance rejected one, or
    /// one was packed; or that went into what came out.
    pub fn parents(&self, lot: &SubjectId) -> Vec<SubjectId> {
        let Some(creator) = self.creator(lot) else { return Vec::new() };
        match &creator.event.payload().body {
            Body::TransferOffered(_) => {
                let items = offered_items(creator).unwrap_or_default();
                items.into_iter().filter(|item| item.item == *lot).map(|item| item.lot).collect()
            }
            Body::TransferAccepted(_) => of_part(returned_parts(creator), lot),
            Body::UnitPacked(_) => of_part(packed_parts(creator), lot),
            Body::ProduceTransformed(body) => body.inputs.iter().map(|input| input.lot).collect(),
            _ => Vec::new(),
        }
    }

    /// The units into which a lot was packed at any time.
    pub fn units(&self, lot: &SubjectId) -> Vec<SubjectId> {
        let ids = self.lane(lot, Lane::Main).map(|lane| lane.all.as_slice()).unwrap_or_default();
        let lots = ids.iter().filter_map(|id| {
            let judged = self.get(id)?;
            let line = &judged.judgement.lines[judged.lane_index(lot, Lane::Main)?];
            match line.effect.as_ref()? {
                Effect::Pack(unit) => Some(*unit),
                Effect::Create => line.lot.as_ref()?.inside,
                _ => None,
            }
        });
        lots.collect()
    }

    fn creator(&self, subject: &SubjectId) -> Option<&Arc<Judged>> {
        self.get(self.created.get(subject)?)
    }

    fn lane(&self, subject: &SubjectId, lane: Lane) -> Option<&LaneEvents> {
        self.lanes.get(subject)?.get(&lane)
    }
}

/// The lots from which `part` was taken, of pairs of both.
fn of_part(pairs: Vec<(SubjectId, SubjectId)>, part: &SubjectId) -> Vec<SubjectId> {
    pairs.into_iter().filter(|(_, taken)| taken == part).map(|(from, _)| from).collect()
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

    fn counted(&self, id: &EventId) -> Result<Option<Arc<Counted>>, Infallible> {
        Ok(self.counted.get(id).cloned())
    }
}
