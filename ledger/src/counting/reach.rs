//! How far a change reaches: which events have to be counted again, and in which order.
//!
//! They are taken by their place in the log, which comes after that of all on which they rest: so each is looked at once,
//! and so is each journal, each lane and each subject that has to be gone through, whatever many changes lead there.

use super::journals::CutTrees;
use super::lanes::LanesRead;
use super::naming::{Naming, PART};
use crate::reader::{Reader, Stored};
use provenance::admission::{Ancestry, Counted, Judged, given_key};
use provenance::body::Body;
use provenance::counting::{CutInForce, Journal, Journals, NewEnd, Settlement, recount};
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::network::Network;
use provenance::payload::Lane;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use store::StoreError;

/// What was found since the follower's last step, and the way to find more.
pub(super) struct Recounting<'a> {
    pub network: &'a Network,
    pub reader: &'a Reader,
    pub trees: &'a CutTrees<'a>,
    /// What counts of an event by now, where that was found in this step.
    found: HashMap<EventId, Option<Arc<Counted>>>,
    /// By log index: what has to be looked at.
    open: BTreeMap<u64, EventId>,
    lanes: LanesRead,
    naming: Naming<'a>,
    passed: Passed,
}

/// What was opened as a whole since the last change of what is settled. Who comes to it again comes from a later place of
/// the log, and what lies behind that is still open.
#[derive(Default)]
struct Passed {
    keys: HashSet<PublicKey>,
    subjects: HashSet<SubjectId>,
    /// Events of which something else counts, and that others may name in their basis, whatever these are about.
    named: BTreeSet<EventId>,
    /// The part of the log up to which those that name them were opened.
    part: u64,
}

impl<'a> Recounting<'a> {
    pub fn new(network: &'a Network, reader: &'a Reader, trees: &'a CutTrees<'a>) -> Self {
        Self {
            network,
            reader,
            trees,
            found: HashMap::new(),
            open: BTreeMap::new(),
            lanes: LanesRead::default(),
            naming: Naming::new(reader),
            passed: Passed::default(),
        }
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
        self.count_open(new, size)
    }

    /// The same where all that has changed is that a rotation has set an end to a journal.
    pub fn spread_end(&mut self, end: &NewEnd, new: &Settlement, size: u64) -> Result<BTreeSet<EventId>, StoreError> {
        let NewEnd { journal: (_, key), cut: CutInForce { cutter, cut, .. }, earlier } = end;
        let heads = match earlier {
            // What lies beyond that, and is no rotation, did not count before.
            Some(last) => vec![*last],
            None => self.heads(key)?,
        };
        self.open_journal(key, heads, size, |judged| self.trees.is_within(cutter, cut, judged))?;
        self.count_open(new, size)
    }

    fn count_open(&mut self, settlement: &Settlement, size: u64) -> Result<BTreeSet<EventId>, StoreError> {
        let mut changed = BTreeSet::new();
        // Whoever extends or names an event has a higher index, so each is looked at once, after those before it.
        while let Some((index, id)) = self.next(size)? {
            let Some(stored) = self.reader.stored(&id)? else { continue };
            let before = self.counted(&id)?;
            let after = recount(self.network, settlement, self.trees, &stored.judged, self)?.map(Arc::new);
            if before != after {
                self.found.insert(id, after.clone());
                changed.insert(id);
                self.open_dependents(&stored, before.as_deref(), after.as_deref(), (index, size))?;
            }
        }
        self.passed = Passed::default();
        Ok(changed)
    }

    /// The first of what is open. On the way there, opens what names an event of which something else counts.
    fn next(&mut self, size: u64) -> Result<Option<(u64, EventId)>, StoreError> {
        loop {
            let end = (self.passed.part + 1).saturating_mul(PART);
            let is_before = self.open.first_key_value().is_some_and(|(index, _)| *index < end);
            if self.passed.named.is_empty() || is_before || end >= size {
                return Ok(self.open.pop_first());
            }
            self.passed.part += 1;
            let entries = self.naming.naming(self.passed.part, &self.passed.named)?;
            self.open_entries(&entries, size);
        }
    }

    fn open_entries(&mut self, entries: &[(u64, EventId)], size: u64) {
        self.open.extend(entries.iter().filter(|(index, _)| *index < size).copied());
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
                // Of cuts that end at the same event one is enough.
                let cuts: BTreeMap<EventId, &CutInForce> =
                    before.iter().chain(after).map(|cut| (cut.cut.last, cut)).collect();
                let heads = self.heads(&journal.1)?;
                self.open_journal(&journal.1, heads, size, |judged| is_within_all(self.trees, &cuts, judged))?;
            }
        }
        for (_, branch) in old.overruled().symmetric_difference(&new.overruled()) {
            self.open_one(branch, size)?;
        }
        // A key may live or not where nothing changes of what counts of the event that gave it.
        let mut keys = BTreeMap::new();
        for id in old.keys().differing(new.keys()) {
            let Some(stored) = self.reader.stored(id)? else { continue };
            if let Some(index) = stored.index.filter(|index| *index < size) {
                keys.insert(index, stored);
            }
        }
        for (index, stored) in keys {
            self.open_key(&stored, (index, size))?;
        }
        Ok(())
    }

    /// Opens what was signed with the key that an event gave, and what names it in its basis.
    fn open_key(&mut self, stored: &Stored, (index, size): (u64, u64)) -> Result<(), StoreError> {
        let event = &stored.judged.event;
        if let Some((key, _)) = given_key(event)
            && self.passed.keys.insert(key)
        {
            let heads = self.heads(&key)?;
            self.open_journal(&key, heads, size, |_| Ok(false))?;
        }
        // Events of any subject may name an actor or a place in their basis.
        if matches!(event.payload().body, Body::ActorEnrolled(_) | Body::PlaceRegistered(_)) {
            self.open_naming(&event.id(), (index, size))?;
        }
        Ok(())
    }

    /// The ends of a key's journal.
    fn heads(&self, key: &PublicKey) -> Result<Vec<EventId>, StoreError> {
        Ok(self.reader.journal_heads(key)?.iter().map(|head| head.event).collect())
    }

    /// Opens the events of a key from these backwards, up to those that `ends` tells.
    fn open_journal(
        &mut self,
        key: &PublicKey,
        mut next: Vec<EventId>,
        size: u64,
        ends: impl Fn(&Judged) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
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

    /// Opens what rests on an event, the entry at `index`, of which something else counts now.
    fn open_dependents(
        &mut self,
        stored: &Stored,
        before: Option<&Counted>,
        after: Option<&Counted>,
        (index, size): (u64, u64),
    ) -> Result<(), StoreError> {
        let (event, judgement) = (&stored.judged.event, &stored.judged.judgement);
        let counts = |counted: Option<&Counted>, touch: usize| {
            counted.is_none_or(|counted| counted.touches.get(touch).is_some_and(|touch| touch.counts))
        };
        let mut flipped = false;
        for (at, touch) in event.payload().touches.iter().enumerate() {
            let subject = event.subject(at).expect("the touch was just enumerated");
            let above = judgement.lines.get(at).map_or(0, |line| line.height + 1);
            let extending = self.lanes.extending(self.reader, &subject, touch.lane, above, &event.id())?;
            self.open.extend(extending.iter().filter(|(index, _)| *index < size).copied());
            if counts(before, at) != counts(after, at) {
                flipped = true;
                self.open_subject(&subject, (index, size))?;
            }
        }
        if flipped { self.open_key(stored, (index, size)) } else { Ok(()) }
    }

    /// Opens what follows on any lane of a subject: it may name in its basis what created or touched the subject.
    fn open_subject(&mut self, subject: &SubjectId, (index, size): (u64, u64)) -> Result<(), StoreError> {
        if self.passed.subjects.insert(*subject) {
            let history = self.reader.history(subject)?;
            for (_, stored) in history.iter().filter(|(_, stored)| stored.index.is_some_and(|at| at > index)) {
                self.open_stored(stored, size);
            }
        }
        Ok(())
    }

    /// Opens the entries that name in their basis the event at `index`: at once those in its part of the log, and later
    /// ones when all before them was looked at.
    fn open_naming(&mut self, id: &EventId, (index, size): (u64, u64)) -> Result<(), StoreError> {
        if self.passed.named.is_empty() {
            self.passed.part = index / PART;
        }
        self.passed.named.insert(*id);
        let entries = self.naming.naming(self.passed.part, &BTreeSet::from([*id]))?;
        self.open_entries(&entries, size);
        Ok(())
    }
}

/// Whether an event lies before all of these cuts: then so does all that came before it in its journal.
fn is_within_all(
    trees: &CutTrees<'_>,
    cuts: &BTreeMap<EventId, &CutInForce>,
    judged: &Judged,
) -> Result<bool, StoreError> {
    for CutInForce { cutter, cut, .. } in cuts.values() {
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
