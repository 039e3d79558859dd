//! How far a change reaches: which events have to be counted again, and in which order.

use super::journals::CutTrees;
use crate::reader::{Reader, Stored};
use provenance::admission::{Ancestry, Counted, Judged, given_key};
use provenance::body::Body;
use provenance::counting::{CutInForce, Journal, Journals, Settlement, recount};
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::network::Network;
use provenance::payload::Lane;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use store::{Lanes, Range, StoreError};

/// Entries of the log read at once where a whole part of it has to be looked through.
const ENTRIES_AT_ONCE: usize = 4_096;

/// What was found since the follower's last step, and the way to find more.
pub(super) struct Recounting<'a> {
    pub network: &'a Network,
    pub reader: &'a Reader,
    pub trees: &'a CutTrees<'a>,
    /// What counts of an event by now, where that was found in this step.
    found: HashMap<EventId, Option<Arc<Counted>>>,
    /// By log index: what has to be looked at.
    open: BTreeMap<u64, EventId>,
}

impl<'a> Recounting<'a> {
    pub fn new(network: &'a Network, reader: &'a Reader, trees: &'a CutTrees<'a>) -> Self {
        Self { network, reader, trees, found: HashMap::new(), open: BTreeMap::new() }
    }

    /// Whether anything does not count as it was admitted, or could.
    pub fn is_needed(&self, settlement: &Settlement) -> bool {
        !settlement.ends_nothing() || self.reader.counting().any() || !self.found.is_empty()
    }

    /// Counts one entry that is new; true if it does not count as it was admitted.
    pub fn count_new(&mut self, settlement: &Settlement, judged: &Arc<Judged>) -> Result<bool, StoreError> {
        let counted = recount(self.network, settlement, self.trees, judged, self)?;
        let differs = counted.is_some();
        if differs {
            self.found.insert(judged.event.id(), counted.map(Arc::new));
        }
        Ok(differs)
    }

    /// Counts again what the change from one settlement to another reaches among the first `size` entries of the
    /// log; returns the events of which something else counts now.
    pub fn spread(&mut self, old: &Settlement, new: &Settlement, size: u64) -> Result<BTreeSet<EventId>, StoreError> {
        self.open_changed(old, new, size)?;
        let mut changed = BTreeSet::new();
        // Whoever extends or names an event has a higher index, so each is looked at once, after those before it.
        while let Some((_, id)) = self.open.pop_first() {
            let Some(stored) = self.reader.stored(&id)? else { continue };
            let before = self.counted(&id)?;
            let after = recount(self.network, new, self.trees, &stored.judged, self)?.map(Arc::new);
            if before != after {
                self.found.insert(id, after.clone());
                changed.insert(id);
                self.open_dependents(&stored, before.as_deref(), after.as_deref(), size)?;
            }
        }
        Ok(changed)
    }

    /// What counts of an event since this step.
    pub fn found(&self, id: &EventId) -> Option<&Option<Arc<Counted>>> {
        self.found.get(id)
    }

    /// Events about which the two settlements may say different things.
    fn open_changed(&mut self, old: &Settlement, new: &Settlement, size: u64) -> Result<(), StoreError> {
        let (old_cuts, new_cuts) = (old.keys().cuts(), new.keys().cuts());
        let journals: BTreeSet<&Journal> = old_cuts.keys().chain(new_cuts.keys()).collect();
        for journal in journals {
            let none = Vec::new();
            let before = old_cuts.get(journal).unwrap_or(&none);
            let after = new_cuts.get(journal).unwrap_or(&none);
            if before != after {
                let cuts: Vec<&CutInForce> = before.iter().chain(after).collect();
                self.open_journal(&journal.1, size, |judged| is_within_all(self.trees, &cuts, judged))?;
            }
        }
        for (_, branch) in old.overruled().symmetric_difference(&new.overruled()) {
            self.open_one(branch, size)?;
        }
        Ok(())
    }

    /// Opens the events of a key from the newest backwards, up to those that `ends` tells.
    fn open_journal(
        &mut self,
        key: &PublicKey,
        size: u64,
        ends: impl Fn(&Judged) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut next: Vec<EventId> = self.reader.journal_heads(key)?.iter().map(|head| head.event).collect();
        let mut seen = HashSet::new();
        while let Some(id) = next.pop() {
            if !seen.insert(id) {
                continue;
            }
            let Some(stored) = self.reader.stored(&id)? else { continue };
            if stored.judged.event.key() != *key || ends(&stored.judged)? {
                continue;
            }
            self.open_stored(&stored, size);
            next.push(stored.judged.event.payload().journal);
        }
        Ok(())
    }

    fn open_one(&mut self, id: &EventId, size: u64) -> Result<(), StoreError> {
        if let Some(stored) = self.reader.stored(id)? {
            self.open_stored(&stored, size);
        }
        Ok(())
    }

    fn open_stored(&mut self, stored: &Stored, size: u64) {
        if let Some(index) = stored.index.filter(|index| *index < size) {
            self.open.insert(index, stored.judged.event.id());
        }
    }

    /// Opens what rests on an event of which something else counts now.
    fn open_dependents(
        &mut self,
        stored: &Stored,
        before: Option<&Counted>,
        after: Option<&Counted>,
        size: u64,
    ) -> Result<(), StoreError> {
        let (event, judgement) = (&stored.judged.event, &stored.judged.judgement);
        let counts = |counted: Option<&Counted>, touch: usize| {
            counted.is_none_or(|counted| counted.touches.get(touch).is_some_and(|touch| touch.counts))
        };
        let mut flipped = false;
        for (at, touch) in event.payload().touches.iter().enumerate() {
            let subject = event.subject(at).expect("the touch was just enumerated");
            let above = judgement.lines.get(at).map_or(0, |line| line.height + 1);
            self.open_extending(&subject, touch.lane, above, &event.id(), size)?;
            if counts(before, at) != counts(after, at) {
                flipped = true;
                self.open_attested(&subject, size)?;
            }
        }
        if !flipped {
            return Ok(());
        }
        if let Some((key, _)) = given_key(event) {
            self.open_journal(&key, size, |_| Ok(false))?;
        }
        // Events of any subject may name an actor or a place in their basis.
        if matches!(event.payload().body, Body::ActorEnrolled(_) | Body::PlaceRegistered(_)) {
            self.open_naming(&event.id(), stored.index.map_or(0, |index| index + 1), size)?;
        }
        Ok(())
    }

    /// Events of a lane that extend this one.
    fn open_extending(
        &mut self,
        subject: &SubjectId,
        lane: Lane,
        height: u64,
        id: &EventId,
        size: u64,
    ) -> Result<(), StoreError> {
        let first = (*subject, lane, height, EventId::from_bytes([0; 32]));
        for row in self.reader.store().scan::<Lanes>(Range::prefix(&(*subject, lane)).from(&first)) {
            let ((_, _, _, above), ()) = row?;
            let Some(stored) = self.reader.stored(&above)? else { continue };
            let at = stored.judged.lane_index(subject, lane);
            if at.is_some_and(|at| stored.judged.event.payload().touches[at].prev.contains(id)) {
                self.open_stored(&stored, size);
            }
        }
        Ok(())
    }

    /// Events on all lanes of a subject, which may name in their basis what created or touched it.
    fn open_attested(&mut self, subject: &SubjectId, size: u64) -> Result<(), StoreError> {
        for (_, stored) in self.reader.history(subject)? {
            self.open_stored(&stored, size);
        }
        Ok(())
    }

    /// Entries of the log that name an event in their basis.
    fn open_naming(&mut self, id: &EventId, mut from: u64, size: u64) -> Result<(), StoreError> {
        while from < size {
            let ids = self.reader.log_ids(from, ENTRIES_AT_ONCE)?;
            if ids.is_empty() {
                break;
            }
            from += ids.len() as u64;
            for entry in ids {
                let Some(stored) = self.reader.stored(&entry)? else { continue };
                if stored.judged.event.payload().basis.binary_search(id).is_ok() {
                    self.open_stored(&stored, size);
                }
            }
        }
        Ok(())
    }
}

/// Whether an event lies before all of these cuts: then so does all that came before it in its journal.
fn is_within_all(trees: &CutTrees<'_>, cuts: &[&CutInForce], judged: &Judged) -> Result<bool, StoreError> {
    for CutInForce { cutter, cut, .. } in cuts {
        if !trees.is_within(cutter, cut, judged)? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Ancestry for Recounting<'_> {
    type Error = StoreError;

    fn judged(&self, id: &EventId) -> Result<Option<Arc<Judged>>, StoreError> {
        self.reader.judged(id)
    }

    fn lane_tips(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, StoreError> {
        self.reader.lane_tips(subject, lane)
    }

    fn lane_events(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, StoreError> {
        self.reader.lane_events(subject, lane)
    }

    fn counted(&self, id: &EventId) -> Result<Option<Arc<Counted>>, StoreError> {
        match self.found.get(id) {
            Some(found) => Ok(found.clone()),
            None => self.reader.counted(id),
        }
    }
}
