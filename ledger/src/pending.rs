//! One batch of the write path: events are judged against the store and what the batch already
//! holds, and become rows that are written together or not at all.

use crate::busy::Changes;
use crate::held::{HeldCounts, Room};
use crate::id_map::{IdMap, IdSet};
use crate::journal::{self, JournalRoots, Walked};
use crate::outcome::{Origin, Outcome, Refusal};
use crate::reader::{Reader, Stored, Written};
use crate::table::JudgedEvent;
use provenance::admission::{Ancestry, Hold, Judged, Judgement, Standing, Verdict, given_key, judge};
use provenance::event::{SignedEvent, VerifiedEvent};
use provenance::id::{EventId, SubjectId};
use provenance::merkle::{Frontier, Hash, leaf_hash, tile_position};
use provenance::network::Network;
use provenance::payload::Lane;
use provenance::signature::Verifier;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;
use store::{
    Batch, Entries, Held, HeldByMissing, HeldRow, Indexes, JournalHead, Journals, LaneEvents, LaneHeads, Log, Range,
    References, StoreError, Subjects, Tiles, Voids,
};

/// Void events remembered in case somebody builds on them. Mistakes are rare and soon followed;
/// one that was forgotten is asked for again by what follows it.
const REMEMBERED_VOIDS: usize = 256;

/// Void events of late that nothing names yet. Whatever one of them names is stored.
#[derive(Debug, Default)]
pub(crate) struct RecentVoids {
    events: IdMap<EventId, Arc<Judged>>,
    /// Oldest first; may name some that were taken.
    order: VecDeque<EventId>,
}

impl RecentVoids {
    fn insert(&mut self, judged: Arc<Judged>) {
        if self.order.len() >= REMEMBERED_VOIDS
            && let Some(oldest) = self.order.pop_front()
        {
            self.events.remove(&oldest);
        }
        self.order.push_back(judged.event.id());
        self.events.insert(judged.event.id(), judged);
    }
}

/// Held events that one batch looks at again, at most. The rest comes with the next ones, so that an event for which
/// thousands wait makes no batch that is many times as large as others, or takes as long.
const LOOKED_AT_ONCE: usize = 1_024;

/// What the writer carries from one batch to the next.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    pub frontier: Frontier,
    pub held: HeldCounts,
    pub voids: RecentVoids,
    /// Judged events for which held ones wait that were not all looked at yet. Nothing is put here for which nothing
    /// waits, so there are no more than held events name.
    pub ready: VecDeque<EventId>,
    /// Of those that wait for the first of `ready`, the last that was looked at.
    pub looked_at: Option<EventId>,
}

/// The batch that is being made.
pub(crate) struct Pending<'a> {
    network: &'a Network,
    reader: &'a Reader,
    heads: Heads,
    batch: Batch,
    events: IdMap<EventId, Stored>,
    /// Events of which it was looked up that the store does not have them.
    absent: IdSet<EventId>,
    /// How lanes and journals end, and what is created.
    changes: Changes,
    /// What is put on lanes.
    lanes: IdMap<(SubjectId, Lane), Vec<EventId>>,
    tiles: IdMap<(u8, u64), Vec<u8>>,
    /// Frontiers of journals that were cut.
    journal_roots: RefCell<IdMap<EventId, Vec<u8>>>,
    /// Events held in this batch; nothing where a stored one was released.
    held: BTreeMap<EventId, Option<HeldRow>>,
    held_by_missing: IdMap<EventId, BTreeSet<EventId>>,
    /// Verifies again what was held.
    verifier: Verifier,
    /// How many held events were looked at again.
    looked_at: usize,
}

impl<'a> Pending<'a> {
    pub fn new(network: &'a Network, reader: &'a Reader, heads: Heads) -> Self {
        Self {
            network,
            reader,
            heads,
            batch: reader.store().batch(),
            events: IdMap::default(),
            absent: IdSet::default(),
            changes: Changes::default(),
            lanes: IdMap::default(),
            tiles: IdMap::default(),
            journal_roots: RefCell::default(),
            held: BTreeMap::new(),
            held_by_missing: IdMap::default(),
            verifier: Verifier::new(),
            looked_at: 0,
        }
    }

    /// Leaf 0, the network id, so that every event has a non-empty path.
    pub fn append_network(&mut self) -> Result<(), StoreError> {
        self.append_leaf(self.network.id().as_event()).map(|_| ())
    }

    /// Judges one event, and then those that waited for it.
    pub fn take(&mut self, event: VerifiedEvent, origin: &Origin) -> Result<Outcome, StoreError> {
        let id = event.id();
        if let Some(judged) = self.heads.voids.events.get(&id)
            && let Standing::Void(rule) = judged.judgement.standing
        {
            return Ok(Outcome::Void { id, rule });
        }
        if let Some(known) = self.stored(&id)? {
            return Ok(Outcome::Known { id, index: known.index });
        }
        let outcome = match judge(self.network, &event, self)? {
            Verdict::Reject(reason) => return Ok(Outcome::Rejected(Refusal::Network(reason))),
            Verdict::Hold(hold) => return self.hold(&event, &hold, origin),
            Verdict::Void(rule, judgement) => {
                self.set_aside(event, judgement, *origin != Origin::Own)?;
                self.release_dependents(id)?;
                Outcome::Void { id, rule }
            }
            Verdict::Admit(judgement) => {
                let index = self.append(event, judgement)?;
                self.release_dependents(id)?;
                Outcome::Admitted { id, index }
            }
        };
        self.release(&id)?;
        Ok(outcome)
    }

    /// Looks up at once which of the events that are going to be taken are new.
    pub fn look_up(&mut self, ids: impl Iterator<Item = EventId>) -> Result<(), StoreError> {
        let ids: Vec<EventId> = ids.collect();
        let judged = self.reader.are_judged(&ids)?;
        self.absent = ids.into_iter().zip(judged).filter(|(_, judged)| !judged).map(|(id, _)| id).collect();
        Ok(())
    }

    /// Judges held events again, such as those that waited for an upgrade of this program, and then
    /// those that waited for them.
    pub fn take_held(&mut self, ids: &[EventId]) -> Result<(), StoreError> {
        for id in ids {
            if self.judge_again(id)? {
                self.release_dependents(*id)?;
            }
        }
        Ok(())
    }

    /// The finished batch, what it leaves for the next one, and what readers remember once it is written.
    pub fn finish(mut self) -> Result<(Batch, Heads, Written), StoreError> {
        for (id, Stored { index, judged }) in &self.events {
            self.batch.put::<Indexes>(id, index);
            match index {
                Some(index) => self.batch.put_as::<Entries, _>(index, &JudgedEvent::of(judged)),
                None => self.batch.put_as::<Voids, _>(id, &JudgedEvent::of(judged)),
            };
        }
        for (lane, tips) in &self.changes.tips {
            self.batch.put::<LaneHeads>(lane, tips);
        }
        for (key, heads) in &self.changes.journals {
            self.batch.put::<Journals>(key, heads);
        }
        for (position, hashes) in &self.tiles {
            self.batch.put::<Tiles>(position, hashes);
        }
        for (id, roots) in self.journal_roots.take() {
            self.batch.put::<JournalRoots>(&id, &roots);
        }
        for (id, row) in &self.held {
            if let Some(row) = row {
                self.batch.put::<Held>(id, row);
                for missing in &row.missing {
                    self.batch.put::<HeldByMissing>(&(*missing, *id), &());
                }
                continue;
            }
            let Some(row) = self.reader.store().get::<Held>(id)? else { continue };
            self.batch.delete::<Held>(id);
            for missing in row.missing {
                self.batch.delete::<HeldByMissing>(&(missing, *id));
            }
        }
        let written = Written { events: self.events.into_values().collect(), changes: self.changes };
        Ok((self.batch, self.heads, written))
    }

    /// How many events the batch stores.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    fn append(&mut self, event: VerifiedEvent, judgement: Judgement) -> Result<u64, StoreError> {
        let id = event.id();
        let index = self.append_leaf(id)?;
        for (at, touch) in event.payload().touches.iter().enumerate() {
            let subject = event.subject(at).expect("the touch was just enumerated");
            if touch.subject.is_none() {
                let touch_index = u32::try_from(at).expect("an event has at most 64 touches");
                self.batch.put::<Subjects>(&subject, &(id, touch_index));
                self.changes.created.push((subject, (id, touch_index)));
            }
            let key = (subject, touch.lane);
            self.batch.put::<LaneEvents>(&(subject, touch.lane, judgement.lines[at].height, id), &index);
            self.lanes.entry(key).or_default().push(id);
            let mut tips = match touch.subject {
                Some(_) => self.lane_tips(&subject, touch.lane)?,
                None => Vec::new(),
            };
            tips.retain(|tip| !touch.prev.contains(tip));
            tips.push(id);
            tips.sort_unstable();
            self.changes.tips.insert(key, tips);
        }
        for reference in event.payload().refs.iter().flatten() {
            let (sort, number) = (reference.document_type.to_string(), reference.number.to_string());
            self.batch.put::<References>(&(judgement.acting, sort, number, id), &());
        }
        self.keep(Arc::new(Judged { event: event.into_signed(), judgement }), Some(index))?;
        Ok(index)
    }

    fn append_leaf(&mut self, id: EventId) -> Result<u64, StoreError> {
        let index = self.heads.frontier.size();
        self.batch.put::<Log>(&index, &id);
        let mut finished: Vec<(u32, u64, Hash)> = Vec::new();
        self.heads.frontier.append(leaf_hash(id.as_bytes()), |level, at, hash| finished.push((level, at, hash)));
        for (level, at, hash) in finished {
            let position = tile_position(level, at);
            // Only the hashes of tile rows are stored; those between are made from them.
            if position.count != 1 {
                continue;
            }
            let key = (position.level, position.index);
            if !self.tiles.contains_key(&key) {
                let stored = self.reader.store().get::<Tiles>(&key)?.unwrap_or_default();
                self.tiles.insert(key, stored);
            }
            let tile = self.tiles.get_mut(&key).expect("it was just put there");
            // After a failed commit the tile may be longer than the log; what lies beyond is void.
            tile.truncate(usize::try_from(position.first).expect("a tile has 256 hashes") * 32);
            tile.extend_from_slice(&hash);
        }
        Ok(index)
    }

    /// A void event is a mistake of its signer: kept only where something builds on it.
    fn set_aside(&mut self, event: VerifiedEvent, judgement: Judgement, remember: bool) -> Result<(), StoreError> {
        // What is no link of any journal belongs to nobody, and nothing can build on it.
        if judgement.journal_height == 0 {
            return Ok(());
        }
        let awaited = self.is_awaited(&event.id())?;
        let judged = Arc::new(Judged { event: event.into_signed(), judgement });
        if awaited {
            return self.keep(judged, None);
        }
        if remember {
            self.keep_named(&judged)?;
            self.heads.voids.insert(judged);
        }
        Ok(())
    }

    /// Stores an event, and before it the void events on which it rests: whoever gets this event
    /// from here can get all its ancestors too.
    fn keep(&mut self, judged: Arc<Judged>, index: Option<u64>) -> Result<(), StoreError> {
        self.keep_named(&judged)?;
        self.store(judged, index)
    }

    /// Stores the void events that are remembered and named by this one, in whatever role. They
    /// name none that is not stored, because this was done for them when they were judged.
    fn keep_named(&mut self, judged: &Judged) -> Result<(), StoreError> {
        for ancestor in judged.event.payload().ancestors() {
            if let Some(void) = self.heads.voids.events.remove(&ancestor) {
                self.store(void, None)?;
            }
        }
        Ok(())
    }

    /// Stores event and judgement, and moves the head of the journal.
    fn store(&mut self, judged: Arc<Judged>, index: Option<u64>) -> Result<(), StoreError> {
        let (event, judgement) = (&judged.event, &judged.judgement);
        let (id, key, link) = (event.id(), event.key(), event.payload().journal);
        let mut heads = match self.changes.journals.remove(&key) {
            Some(heads) => heads,
            None => self.reader.journal_heads(&key)?,
        };
        heads.retain(|head| head.event != link);
        heads.push(JournalHead { event: id, height: judgement.journal_height });
        heads.sort_unstable();
        self.changes.journals.insert(key, heads);
        self.events.insert(id, Stored { index, judged });
        Ok(())
    }

    fn hold(&mut self, event: &VerifiedEvent, hold: &Hold, origin: &Origin) -> Result<Outcome, StoreError> {
        let (id, signer) = (event.id(), event.key());
        let waiting = |kept| Outcome::Held { id, hold: hold.clone(), kept };
        let Origin::Peer(source) = origin else { return Ok(waiting(false)) };
        if self.is_held(&id)? {
            return Ok(waiting(true));
        }
        let missing = match hold {
            Hold::Missing(ids) => ids.clone(),
            Hold::Unsupported(_) => Vec::new(),
        };
        if !self.knows_signer(event)? {
            return Ok(waiting(false));
        }
        match self.heads.held.room(&signer, source, missing.is_empty()) {
            Room::Free => {}
            Room::InPlaceOf(other) => self.release(&other)?,
            Room::None => return Ok(waiting(false)),
        }
        for ancestor in &missing {
            self.held_by_missing.entry(*ancestor).or_default().insert(id);
        }
        self.heads.held.add(id, signer, source, missing.is_empty());
        let row = HeldRow { bytes: event.bytes().to_vec(), missing, source: source.clone(), signer };
        self.held.insert(id, Some(row));
        Ok(waiting(true))
    }

    /// Whether the key belongs to an actor: then its quota can be held against somebody.
    fn knows_signer(&self, event: &VerifiedEvent) -> Result<bool, StoreError> {
        let key = event.key();
        if self.network.founder(&key).is_some()
            || self.changes.journals.contains_key(&key)
            || !self.reader.journal_heads(&key)?.is_empty()
        {
            return Ok(true);
        }
        for id in &event.payload().basis {
            let gives_key = |stored: Stored| {
                stored.index.is_some() && given_key(&stored.judged.event).is_some_and(|(given, _)| given == key)
            };
            if self.stored(id)?.is_some_and(gives_key) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Judges again all that waited for `id`, and what waits for those in turn, as far as one batch goes.
    fn release_dependents(&mut self, id: EventId) -> Result<(), StoreError> {
        // Almost always nothing is held.
        if self.heads.held.all() == 0 {
            self.heads.ready.clear();
            self.heads.looked_at = None;
            return Ok(());
        }
        if self.waiting_for(&id, None, 1)?.is_empty() {
            return Ok(());
        }
        self.heads.ready.push_back(id);
        self.release_ready()
    }

    /// Judges again what waits for events that were judged, as far as one batch goes.
    pub fn release_ready(&mut self) -> Result<(), StoreError> {
        while let Some(ancestor) = self.heads.ready.front().copied() {
            let most = LOOKED_AT_ONCE.saturating_sub(self.looked_at);
            if most == 0 {
                return Ok(());
            }
            let waiting = self.waiting_for(&ancestor, self.heads.looked_at, most)?;
            let is_last = waiting.len() < most;
            for id in waiting {
                self.looked_at += 1;
                self.heads.looked_at = Some(id);
                if self.judge_again(&id)? && !self.waiting_for(&id, None, 1)?.is_empty() {
                    self.heads.ready.push_back(id);
                }
            }
            if is_last {
                self.heads.ready.pop_front();
                self.heads.looked_at = None;
            }
        }
        Ok(())
    }

    /// Judges a held event if all that it waited for is judged; true if the event itself now is.
    fn judge_again(&mut self, id: &EventId) -> Result<bool, StoreError> {
        let Some(row) = self.held_row(id)? else { return Ok(false) };
        for ancestor in &row.missing {
            if self.stored(ancestor)?.is_none() {
                return Ok(false);
            }
        }
        let Some(event) = self.verify_again(&row) else {
            self.release(id)?;
            return Ok(false);
        };
        let judged = match judge(self.network, &event, self)? {
            Verdict::Hold(Hold::Missing(missing)) => {
                self.go_on_waiting(*id, row, missing);
                return Ok(false);
            }
            Verdict::Hold(Hold::Unsupported(_)) => return Ok(false),
            Verdict::Reject(_) => false,
            Verdict::Void(_, judgement) => {
                self.set_aside(event, judgement, true)?;
                true
            }
            Verdict::Admit(judgement) => {
                self.append(event, judgement)?;
                true
            }
        };
        self.release(id)?;
        Ok(judged)
    }

    fn verify_again(&mut self, row: &HeldRow) -> Option<VerifiedEvent> {
        let event = SignedEvent::decode(row.bytes.clone()).ok()?;
        self.verifier.verify(event).ok()
    }

    /// A void ancestor that was remembered when the event came may be forgotten now.
    fn go_on_waiting(&mut self, id: EventId, mut row: HeldRow, missing: Vec<EventId>) {
        for ancestor in missing {
            if !row.missing.contains(&ancestor) {
                self.held_by_missing.entry(ancestor).or_default().insert(id);
                row.missing.push(ancestor);
                self.held.insert(id, Some(row.clone()));
            }
        }
    }

    /// Whether an event that is held waits for this one.
    fn is_awaited(&self, id: &EventId) -> Result<bool, StoreError> {
        for waiting in self.waiting_for(id, None, LOOKED_AT_ONCE)? {
            if self.is_held(&waiting)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Events that were held for want of this one, at most so many of those behind `after`; ascending. Some may have
    /// been released in this batch.
    fn waiting_for(&self, ancestor: &EventId, after: Option<EventId>, most: usize) -> Result<Vec<EventId>, StoreError> {
        // Almost always nothing is held, and then nothing needs to be looked up.
        if self.heads.held.all() == 0 {
            return Ok(Vec::new());
        }
        let (mut bound, mut rows) = (Bound::Unbounded, Range::prefix(ancestor));
        if let Some(after) = after {
            (bound, rows) = (Bound::Excluded(after), rows.after(&(*ancestor, after)));
        }
        let mut waiting: BTreeSet<EventId> = match self.held_by_missing.get(ancestor) {
            Some(ids) => ids.range((bound, Bound::Unbounded)).take(most).copied().collect(),
            None => BTreeSet::new(),
        };
        for row in self.reader.store().scan::<HeldByMissing>(rows).take(most) {
            let ((_, id), ()) = row?;
            waiting.insert(id);
        }
        Ok(waiting.into_iter().take(most).collect())
    }

    fn held_row(&self, id: &EventId) -> Result<Option<HeldRow>, StoreError> {
        match self.held.get(id) {
            Some(row) => Ok(row.clone()),
            None => self.reader.store().get::<Held>(id),
        }
    }

    fn is_held(&self, id: &EventId) -> Result<bool, StoreError> {
        match self.held.get(id) {
            Some(row) => Ok(row.is_some()),
            None => self.reader.store().contains::<Held>(id),
        }
    }

    fn release(&mut self, id: &EventId) -> Result<(), StoreError> {
        if self.heads.held.all() == 0 {
            return Ok(());
        }
        if let Some(row) = self.held_row(id)? {
            self.heads.held.remove(id, &row.signer, &row.source);
            self.held.insert(*id, None);
        }
        Ok(())
    }

    fn stored(&self, id: &EventId) -> Result<Option<Stored>, StoreError> {
        if let Some(stored) = self.events.get(id) {
            return Ok(Some(stored.clone()));
        }
        match self.heads.voids.events.get(id) {
            Some(judged) => Ok(Some(Stored { index: None, judged: judged.clone() })),
            None if self.absent.contains(id) => Ok(None),
            None => self.reader.stored(id),
        }
    }
}

impl Ancestry for Pending<'_> {
    type Error = StoreError;

    fn judged(&self, id: &EventId) -> Result<Option<Arc<Judged>>, StoreError> {
        Ok(self.stored(id)?.map(|stored| stored.judged))
    }

    fn lane_tips(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, StoreError> {
        match self.changes.tips.get(&(*subject, lane)) {
            Some(tips) => Ok(tips.clone()),
            None => self.reader.lane_tips(subject, lane),
        }
    }

    fn lane_events(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, StoreError> {
        let mut events = self.reader.lane_events(subject, lane)?;
        events.extend(self.lanes.get(&(*subject, lane)).into_iter().flatten());
        Ok(events)
    }

    fn journal_root(&self, last: &EventId) -> Result<Hash, StoreError> {
        let made = |id: &EventId| self.journal_roots.borrow().get(id).cloned();
        let Walked { root, rows } = journal::walk(self.reader.store(), self, last, made)?;
        self.journal_roots.borrow_mut().extend(rows);
        Ok(root)
    }
}
