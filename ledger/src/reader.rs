//! Reading what was judged, with a bounded memory of the events that are asked for most.

use crate::busy::{Busy, Changes, Taken};
use crate::counting::{CountedAt, Counting, lane_tips_at};
use crate::follower::LogEntry;
use crate::journal;
use crate::recent::Recent;
use crate::table::RowOf;
use provenance::admission::{Ancestry, Counted, Judged};
use provenance::counting::{self, CountedLot, Settlement};
use provenance::event::SignedEvent;
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::merkle::Hash;
use provenance::payload::Lane;
use quick_cache::sync::Cache;
use quick_cache::sync::DefaultLifecycle;
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{
    Batch, Entries, EventRow, Held, Indexes, JournalHead, Journals, LaneEvents, LaneHeads, Log, Range, References,
    Store, StoreError, Subjects, Voids,
};

/// Memory for judged events: the newest of ten thousand lots that are on their way, to which events come every day.
const CACHE_BYTES: u64 = 64 << 20;

/// How many events are expected to fit, at about two kilobytes each; the cache sizes its tables by it.
const CACHED_EVENTS: usize = 32_768;

/// The share of the cache for events that were asked for again. The rest keeps a new event until the followers have
/// read it, and until the next event of its lot comes.
const ASKED_AGAIN: f64 = 0.5;

/// Events that are read in one go: one way through the index serves many.
const READ_AT_ONCE: usize = 64;

/// An event in memory: its bytes, the payload made from them, and what surrounds both.
#[derive(Debug, Clone)]
struct InMemory;

impl Weighter<EventId, Stored> for InMemory {
    fn weight(&self, _: &EventId, stored: &Stored) -> u64 {
        // Decoded, strings and ids take up to twice the room of their bytes.
        3 * stored.judged.event.bytes().len() as u64 + 512
    }
}

/// A judged event and its place in the log.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Index in the log; none for a void event.
    pub index: Option<u64>,
    /// The event with its judgement.
    pub judged: Arc<Judged>,
}

/// What one commit wrote, for readers to remember.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// The events that it stored, in no order.
    pub events: Vec<Stored>,
    /// What they change of subjects and keys.
    pub changes: Changes,
}

/// Reads from the store. Clones share the cache.
#[derive(Debug, Clone)]
pub struct Reader {
    store: Store,
    events: Arc<Cache<EventId, Stored, InMemory>>,
    recent: Arc<Recent>,
    busy: Arc<Busy>,
    counting: Arc<Counting>,
}

impl Reader {
    pub(crate) fn new(store: Store) -> Self {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(CACHED_EVENTS)
            .weight_capacity(CACHE_BYTES)
            .hot_allocation(ASKED_AGAIN)
            .build()
            .expect("both capacities were given");
        let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        let events = Arc::new(Cache::with_options(options, InMemory, hasher, lifecycle));
        Self { store, events, recent: Arc::default(), busy: Arc::new(Busy::new()), counting: Arc::default() }
    }

    pub(crate) fn counting(&self) -> &Counting {
        &self.counting
    }

    /// Which keys live, where journals end and what is overruled, of what was counted so far; nothing before the first
    /// entry was.
    pub fn settlement(&self) -> Option<Arc<Settlement>> {
        self.counting.settlement()
    }

    /// The store, for rows that belong to a view.
    pub fn store(&self) -> &Store {
        &self.store
    }

    fn remember(&self, stored: Stored) {
        self.events.insert(stored.judged.event.id(), stored);
    }

    /// Commits what the writer has made, and remembers it.
    pub(crate) fn commit(&self, batch: Batch, written: Written) -> Result<(), StoreError> {
        let taken = self.busy.take(&written.changes);
        batch.commit_synced()?;
        self.remember_written(written, &taken);
        Ok(())
    }

    fn remember_written(&self, written: Written, taken: &Taken) {
        let Written { events, changes } = written;
        self.busy.put(changes, taken);
        let entry = |stored: &Stored| {
            let (id, stored) = (stored.judged.event.id(), stored.clone());
            stored.index.map(|index| LogEntry { index, id, stored })
        };
        let mut appended: Vec<LogEntry> = events.iter().filter_map(entry).collect();
        appended.sort_unstable_by_key(|entry| entry.index);
        self.recent.append(appended);
        for stored in events {
            self.remember(stored);
        }
    }

    /// Entries of the log from index `from` on, at most `max` and perhaps fewer; none at its end. Entry 0 is the network
    /// id, which is no event, so it is left out.
    pub(crate) fn entries(&self, from: u64, max: usize) -> Result<Vec<LogEntry>, StoreError> {
        let from = from.max(1);
        let recent = self.recent.entries(from, max);
        if !recent.is_empty() {
            return Ok(recent);
        }
        let places: Vec<(u64, EventId)> = (from..).zip(self.log_ids(from, max)?).collect();
        let all = places.iter().zip(self.stored_at(&places)?);
        Ok(all.map(|((index, id), stored)| LogEntry { index: *index, id: *id, stored }).collect())
    }

    /// The entries of the log with these indexes and ids, in their order. Those that are not in memory are read in bulk.
    pub(crate) fn stored_at(&self, places: &[(u64, EventId)]) -> Result<Vec<Stored>, StoreError> {
        let mut all = Vec::with_capacity(places.len());
        for some in places.chunks(READ_AT_ONCE) {
            let in_memory: Vec<Option<Stored>> = some.iter().map(|(_, id)| self.events.get(id)).collect();
            let others: Vec<u64> = some
                .iter()
                .zip(&in_memory)
                .filter(|(_, stored)| stored.is_none())
                .map(|((index, _), _)| *index)
                .collect();
            let mut on_disk = self.store.multi_get::<Entries>(&others)?.into_iter();
            for ((index, id), stored) in some.iter().zip(in_memory) {
                all.push(match stored {
                    Some(stored) => stored,
                    None => self.remembered(RowOf { id, index: Some(*index) }, on_disk.next().flatten())?,
                });
            }
        }
        Ok(all)
    }

    /// A judged event; nothing if it is unknown or held.
    pub fn stored(&self, id: &EventId) -> Result<Option<Stored>, StoreError> {
        if let Some(stored) = self.events.get(id) {
            return Ok(Some(stored));
        }
        let Some(index) = self.store.get::<Indexes>(id)? else { return Ok(None) };
        let row = match index {
            Some(index) => self.store.get::<Entries>(&index)?,
            None => self.store.get::<Voids>(id)?,
        };
        self.remembered(RowOf { id, index }, row).map(Some)
    }

    /// A judged event from its row; kept in memory.
    fn remembered(&self, of: RowOf<'_>, row: Option<EventRow>) -> Result<Stored, StoreError> {
        let judged = of.judged(of.found(row)?)?;
        let stored = Stored { index: of.index, judged: Arc::new(judged) };
        self.remember(stored.clone());
        Ok(stored)
    }

    /// The rows of judged events, in the order of the ids, and nothing for those that are unknown or held. What stands in
    /// the log is read in its order.
    fn rows(&self, ids: &[EventId]) -> Result<Vec<Option<EventRow>>, StoreError> {
        let mut rows: Vec<Option<EventRow>> = vec![None; ids.len()];
        let mut places = Vec::with_capacity(ids.len());
        for (at, place) in self.store.multi_get::<Indexes>(ids)?.into_iter().enumerate() {
            match place {
                Some(Some(index)) => places.push((index, at)),
                Some(None) => {
                    let of = RowOf { id: &ids[at], index: None };
                    rows[at] = Some(of.found(self.store.get::<Voids>(of.id)?)?);
                }
                None => {}
            }
        }
        places.sort_unstable();
        let indexes: Vec<u64> = places.iter().map(|(index, _)| *index).collect();
        for ((index, at), row) in places.into_iter().zip(self.store.multi_get::<Entries>(&indexes)?) {
            rows[at] = Some(RowOf { id: &ids[at], index: Some(index) }.found(row)?);
        }
        Ok(rows)
    }

    /// What `look` sees of each of these judged events, in their order; nothing where there is none of that id. Those that
    /// are not in memory are read in bulk and not kept there: who goes through the log drives out nothing that others will
    /// need.
    pub fn glance<R>(&self, ids: &[EventId], look: impl Fn(&SignedEvent) -> R) -> Result<Vec<Option<R>>, StoreError> {
        let in_memory = |id| self.events.peek(id).map(|stored| look(&stored.judged.event));
        let mut seen: Vec<Option<R>> = ids.iter().map(in_memory).collect();
        let others: Vec<usize> = (0..ids.len()).filter(|at| seen[*at].is_none()).collect();
        for some in others.chunks(READ_AT_ONCE) {
            let some_ids: Vec<EventId> = some.iter().map(|at| ids[*at]).collect();
            for (at, row) in some.iter().zip(self.rows(&some_ids)?) {
                if let Some(row) = row {
                    seen[*at] = Some(look(&RowOf { id: &ids[*at], index: None }.event(row.bytes)?));
                }
            }
        }
        Ok(seen)
    }

    /// The signed bytes of judged events, in the order of the ids, and nothing for those that are unknown or held. They are
    /// those of these ids; more is not looked at, as whoever gets them decodes them anyway.
    pub fn bytes(&self, ids: &[EventId]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let in_memory = |id| self.events.get(id).map(|stored| stored.judged.event.bytes().to_vec());
        let mut bytes: Vec<Option<Vec<u8>>> = ids.iter().map(in_memory).collect();
        let others: Vec<EventId> =
            ids.iter().zip(&bytes).filter(|(_, bytes)| bytes.is_none()).map(|(id, _)| *id).collect();
        let mut on_disk = self.rows(&others)?.into_iter();
        for (bytes, id) in bytes.iter_mut().zip(ids).filter(|(bytes, _)| bytes.is_none()) {
            let row = on_disk.next().flatten();
            *bytes = row.map(|row| RowOf { id, index: None }.bytes(row.bytes)).transpose()?;
        }
        Ok(bytes)
    }

    /// Which of these events were judged; not so those that are unknown or held.
    pub fn are_judged(&self, ids: &[EventId]) -> Result<Vec<bool>, StoreError> {
        self.store.multi_contains::<Indexes>(ids)
    }

    /// Whether an event is kept until an upgrade of this program brings rules for it.
    pub fn awaits_upgrade(&self, id: &EventId) -> Result<bool, StoreError> {
        Ok(self.store.get::<Held>(id)?.is_some_and(|row| row.missing.is_empty()))
    }

    /// Where an event stands in the log.
    pub(crate) fn index(&self, id: &EventId) -> Result<Option<u64>, StoreError> {
        // Asked with what peers name, which says nothing of what is needed here.
        match self.events.peek(id) {
            Some(stored) => Ok(stored.index),
            None => Ok(self.store.get::<Indexes>(id)?.flatten()),
        }
    }

    /// The events among these that stand in the log, with their indexes, ascending.
    pub fn indexes(&self, ids: impl IntoIterator<Item = EventId>) -> Result<Vec<(u64, EventId)>, StoreError> {
        let ids: Vec<EventId> = ids.into_iter().collect();
        let places = self.store.multi_get::<Indexes>(&ids)?;
        let mut found: Vec<(u64, EventId)> =
            places.into_iter().zip(ids).filter_map(|(place, id)| Some((place.flatten()?, id))).collect();
        found.sort_unstable();
        Ok(found)
    }

    /// Ids of the log from index `from` on, at most `max`. Entry 0 is the network id.
    pub fn log_ids(&self, from: u64, max: usize) -> Result<Vec<EventId>, StoreError> {
        self.store.scan::<Log>(Range::all().from(&from)).take(max).map(|row| row.map(|(_, id)| id)).collect()
    }

    /// Which event created a subject, and with which of its touches.
    pub fn origin(&self, subject: &SubjectId) -> Result<Option<(EventId, u32)>, StoreError> {
        if let Some(origin) = self.busy.origin(subject) {
            return Ok(Some(origin));
        }
        let origin = self.store.get::<Subjects>(subject)?;
        if let Some(origin) = origin {
            self.busy.remember_origin(subject, origin);
        }
        Ok(origin)
    }

    /// Newest links of a key's journal; more than one is a fork.
    pub fn journal_heads(&self, key: &PublicKey) -> Result<Vec<JournalHead>, StoreError> {
        match self.busy.journal(key) {
            Some(heads) => Ok(heads),
            None => Ok(self.store.get::<Journals>(key)?.unwrap_or_default()),
        }
    }

    /// All admitted events on any lane of a subject: main lane first, lowest first.
    pub fn history(&self, subject: &SubjectId) -> Result<Vec<(Lane, Stored)>, StoreError> {
        self.on_lanes(subject, (Lane::Main, 0))
    }

    /// All admitted events on the lanes of those who attest something of a subject, lowest first.
    pub fn attested(&self, subject: &SubjectId) -> Result<Vec<(Lane, Stored)>, StoreError> {
        if self.busy.has_only_main_lane(subject) {
            return Ok(Vec::new());
        }
        self.on_lanes(subject, (Lane::Attester(SubjectId::from_bytes([0; 32])), 0))
    }

    /// Admitted events on the lanes of a subject, from this height of this lane on.
    fn on_lanes(&self, subject: &SubjectId, from: (Lane, u64)) -> Result<Vec<(Lane, Stored)>, StoreError> {
        let first = (*subject, from.0, from.1, EventId::from_bytes([0; 32]));
        let mut events = Vec::new();
        self.look_along(
            Range::prefix(subject).from(&first),
            |_, _| true,
            |lane, stored| {
                events.push((lane, stored));
                Ok(())
            },
        )?;
        Ok(events)
    }

    /// Admitted events on one lane of a subject, from this height on, lowest first.
    pub(crate) fn on_lane(&self, subject: &SubjectId, lane: Lane, from: u64) -> Result<Vec<Stored>, StoreError> {
        let first = (*subject, lane, from, EventId::from_bytes([0; 32]));
        let mut events = Vec::new();
        self.look_along(
            Range::prefix(&(*subject, lane)).from(&first),
            |_, _| true,
            |_, stored| {
                events.push(stored);
                Ok(())
            },
        )?;
        Ok(events)
    }

    /// Shows the events in a range of the lanes' column that are wanted by their index in the log and their id, in the
    /// order of that column. They are read in bulk.
    pub(crate) fn look_along(
        &self,
        range: Range<(SubjectId, Lane, u64, EventId)>,
        is_wanted: impl Fn(u64, &EventId) -> bool,
        mut look: impl FnMut(Lane, Stored) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let on_lanes =
            self.store.scan::<LaneEvents>(range).map(|row| row.map(|((_, lane, _, id), index)| (lane, index, id)));
        let mut wanted = on_lanes.filter(|row| row.as_ref().map_or(true, |(_, index, id)| is_wanted(*index, id)));
        loop {
            let some = wanted.by_ref().take(READ_AT_ONCE).collect::<Result<Vec<_>, _>>()?;
            if some.is_empty() {
                return Ok(());
            }
            let places: Vec<(u64, EventId)> = some.iter().map(|(_, index, id)| (*index, *id)).collect();
            for ((lane, ..), stored) in some.into_iter().zip(self.stored_at(&places)?) {
                look(lane, stored)?;
            }
        }
    }

    /// The events at which a lane ends, among those that count.
    pub fn counted_tips(&self, subject: &SubjectId, lane: Lane) -> Result<BTreeSet<EventId>, StoreError> {
        let mut tips = Vec::new();
        for tip in self.lane_tips(subject, lane)? {
            tips.extend(self.seen(&tip)?);
        }
        // Where all ends count, nothing else of the lane is one: what does not count has handed on what it extends.
        if tips.iter().all(|tip| tip.lane_index(subject, lane).is_some_and(|touch| tip.counts(touch))) {
            return Ok(counting::representatives(subject, lane, &tips));
        }
        let now = CountedAt { reader: self, size: u64::MAX };
        lane_tips_at(&now, subject, lane, &BTreeSet::new())
    }

    /// Whether anything of an event counts.
    pub fn counts(&self, id: &EventId) -> Result<bool, StoreError> {
        Ok(self.seen(id)?.is_some_and(|seen| seen.counts_at_all()))
    }

    /// Whether an event creates this subject, by a touch that counts.
    pub fn creates(&self, id: &EventId, subject: &SubjectId) -> Result<bool, StoreError> {
        Ok(self.seen(id)?.is_some_and(|seen| seen.creates(subject)))
    }

    /// A lot as all events that count show it; nothing where the subject is none.
    pub fn lot(&self, lot: &SubjectId) -> Result<Option<CountedLot>, StoreError> {
        counting::lot(lot, Lane::Main, &self.counted_tips(lot, Lane::Main)?, self)
    }

    /// Who owns a lot whose title has a lane of its own; nothing where it has none.
    pub fn title(&self, lot: &SubjectId) -> Result<Option<CountedLot>, StoreError> {
        counting::lot(lot, Lane::Title, &self.counted_tips(lot, Lane::Title)?, self)
    }

    /// Events of an actor that bear this business document.
    pub fn by_reference(
        &self,
        actor: &SubjectId,
        document_type: &str,
        number: &str,
    ) -> Result<Vec<EventId>, StoreError> {
        let prefix = (*actor, document_type.to_owned(), number.to_owned());
        self.store.scan::<References>(Range::prefix(&prefix)).map(|row| row.map(|((_, _, _, id), ())| id)).collect()
    }
}

impl Ancestry for Reader {
    type Error = StoreError;

    fn judged(&self, id: &EventId) -> Result<Option<Arc<Judged>>, StoreError> {
        Ok(self.stored(id)?.map(|stored| stored.judged))
    }

    fn lane_tips(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, StoreError> {
        match self.busy.tips(subject, lane) {
            Some(tips) => Ok(tips),
            None => Ok(self.store.get::<LaneHeads>(&(*subject, lane))?.unwrap_or_default()),
        }
    }

    fn lane_events(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, StoreError> {
        let rows = self.store.scan::<LaneEvents>(Range::prefix(&(*subject, lane)));
        rows.map(|row| row.map(|((_, _, _, id), _)| id)).collect()
    }

    fn journal_root(&self, last: &EventId) -> Result<Hash, StoreError> {
        journal::walk(&self.store, self, last, |_| None).map(|walked| walked.root)
    }

    fn counted(&self, id: &EventId) -> Result<Option<Arc<Counted>>, StoreError> {
        CountedAt { reader: self, size: u64::MAX }.counted(id)
    }
}
