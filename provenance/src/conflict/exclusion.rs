//! Whether events of a lane exclude each other, none of them for nothing, and none of them perhaps void.

use super::{ConflictError, Shown};
use crate::admission::lanes::{Spread, extended, join, spread};
use crate::admission::{Judged, Seen};
use crate::event::SignedEvent;
use crate::history::History;
use crate::id::{EventId, PublicKey, SubjectId};
use crate::payload::Lane;
use crate::verification::EventError;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Links of journals that are followed until this is given up: a fraction of a second, and many times what is needed
/// where honest people made the file.
const MAX_STEPS: u64 = 4_000_000;

/// One lane of a lot over all events of a file, as they were admitted.
#[derive(Clone, Copy)]
pub(super) struct Exclusion<'a> {
    pub history: &'a History,
    pub subject: &'a SubjectId,
    pub lane: Lane,
}

impl Exclusion<'_> {
    /// All that a claim asks of the events in conflict; `journals` are the events by which journals are followed beside
    /// those of the history. Gives those of them that were needed.
    pub fn check(
        &self,
        tips: &[EventId],
        journals: &BTreeMap<EventId, SignedEvent>,
    ) -> Result<BTreeSet<EventId>, ConflictError> {
        let mut seen = Vec::with_capacity(tips.len());
        for tip in tips {
            let found = self.history.look(tip).ok_or(ConflictError::UnknownEvent(*tip))?;
            found.lane_index(self.subject, self.lane).ok_or(ConflictError::OtherLane(*tip))?;
            seen.push(found);
        }
        if !self.exclude(&seen) {
            return Err(ConflictError::NoConflict);
        }
        for (at, tip) in tips.iter().enumerate() {
            if self.exclude(&self.lowered(&seen, at)) {
                return Err(ConflictError::Reducible(*tip));
            }
        }
        self.beside(&seen, journals)
    }

    /// The events after the last one that all of these extend, they themselves included.
    pub fn between(&self, tips: &[EventId]) -> Vec<Arc<Judged>> {
        let seen: Vec<Seen> = tips.iter().filter_map(|tip| self.history.look(tip)).collect();
        let Ok(fan) = spread(self.subject, self.lane, &seen, self.history);
        fan.into_iter().flat_map(|fan| fan.between).map(|seen| seen.judged).collect()
    }

    /// Whether these events cannot all stand.
    pub fn exclude(&self, tips: &[Seen]) -> bool {
        let Ok(joined) = join(self.subject, self.lane, tips, self.history);
        joined.is_err()
    }

    /// The same events, with those that event `at` extends in its place.
    pub fn lowered(&self, tips: &[Seen], at: usize) -> Vec<Seen> {
        let lower = extended(&tips[at], self.subject, self.lane).iter().filter_map(|prev| self.history.look(prev));
        let others = tips.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, seen)| seen.clone());
        others.chain(lower).collect()
    }

    /// Demands that no event is shown that its own key signed after another one beside it: such an event is void.
    fn beside(
        &self,
        tips: &[Seen],
        journals: &BTreeMap<EventId, SignedEvent>,
    ) -> Result<BTreeSet<EventId>, ConflictError> {
        let Ok(Some(fan)) = spread(self.subject, self.lane, tips, self.history) else {
            return Err(ConflictError::NoConflict);
        };
        let reached_by = self.reached_by(&fan, tips);
        let mut walks = Walks { history: self.history, journals, steps: 0, needed: BTreeSet::new() };
        let mut by_key: HashMap<PublicKey, Vec<&Judged>> = HashMap::new();
        for later in &fan.between {
            let judged: &Judged = &later.judged;
            let earlier = by_key.entry(judged.event.key()).or_default();
            for other in earlier.iter() {
                walks.count(judged)?;
                let joint = reached_by[&other.event.id()] & reached_by[&later.id()];
                if joint == 0 && !walks.part(&other.event, &judged.event)? {
                    return Err(ConflictError::OneJournal(later.id()));
                }
            }
            earlier.push(judged);
        }
        Ok(walks.needed)
    }

    /// Which of the tips extend each event after the root, near or far: a bit for each.
    fn reached_by(&self, fan: &Spread, tips: &[Seen]) -> HashMap<EventId, u16> {
        let mut reached_by: HashMap<EventId, u16> = HashMap::new();
        for (bit, tip) in tips.iter().enumerate() {
            *reached_by.entry(tip.id()).or_default() |= 1 << bit;
        }
        for seen in fan.between.iter().rev() {
            let bits = reached_by.get(&seen.id()).copied().unwrap_or_default();
            for prev in extended(seen, self.subject, self.lane) {
                *reached_by.entry(*prev).or_default() |= bits;
            }
        }
        reached_by
    }
}

/// Follows the links of journals as far as a file shows them.
struct Walks<'a> {
    history: &'a History,
    journals: &'a BTreeMap<EventId, SignedEvent>,
    steps: u64,
    needed: BTreeSet<EventId>,
}

impl Walks<'_> {
    /// Whether two events of one key stand on branches that part: following their links comes to a common one, and
    /// neither is met on the way of the other.
    fn part(&mut self, first: &SignedEvent, second: &SignedEvent) -> Result<bool, ConflictError> {
        let (one, other) = (self.links(first)?, self.links(second)?);
        if one.contains(&second.id()) || other.contains(&first.id()) {
            return Ok(false);
        }
        let places: HashMap<EventId, usize> = one.iter().enumerate().map(|(place, link)| (*link, place)).collect();
        let Some(at) = other.iter().position(|link| places.contains_key(link)) else { return Ok(false) };
        let passed = other[..at].iter().chain(&one[..places[&other[at]]]);
        self.needed.extend(passed.filter(|link| self.journals.contains_key(link)));
        Ok(true)
    }

    /// The links of an event's journal, the nearest first.
    fn links(&mut self, event: &SignedEvent) -> Result<Vec<EventId>, ConflictError> {
        let mut links = vec![event.payload().journal];
        while let Some(previous) = self.get(&links[links.len() - 1]).filter(|found| found.key() == event.key()) {
            let link = previous.payload().journal;
            links.push(link);
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return Err(EventError::TooComplex { event: event.id() }.into());
            }
        }
        Ok(links)
    }

    fn get(&self, id: &EventId) -> Option<&SignedEvent> {
        self.history.get(id).map(|judged| &judged.event).or_else(|| self.journals.get(id))
    }

    fn count(&mut self, judged: &Judged) -> Result<(), ConflictError> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(EventError::TooComplex { event: judged.event.id() }.into());
        }
        Ok(())
    }
}

impl Shown {
    /// The actor who alone is accused, if it is one.
    pub(super) fn one_actor(history: &History, tips: &[EventId]) -> Option<SubjectId> {
        let mut acting = tips.iter().filter_map(|tip| history.get(tip)).map(|judged| judged.judgement.acting);
        let first = acting.next()?;
        acting.all(|other| other == first).then_some(first)
    }
}
