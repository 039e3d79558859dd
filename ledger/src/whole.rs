//! Verifying a whole store from its bytes: every event, every judgement, every hash, every head. For backups, which
//! nobody looks at until they are needed.
//!
//! What followers made is not looked at here, neither what counts nor views nor the state map: all of it is a function of
//! the log, and whoever restores a store has it made again ([`forget_followed`]).

use crate::check::CheckError;
use crate::counting::CountFollower;
use crate::follower::Follower;
use crate::ledger::check_all;
use crate::map::MapFollower;
use crate::reader::Reader;
use crate::table::RowOf;
use crate::writer::Checked;
use provenance::admission::{Judgement, Verdict, judge};
use provenance::checkpoint::Checkpoint;
use provenance::event::{SignedEvent, VerifiedEvent};
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::merkle::{Frontier, Hash, leaf_hash, tile_position};
use provenance::network::Network;
use provenance::note::Note;
use provenance::payload::Lane;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use store::{
    Cbor, Checkpoints, Column, Encoding, EncodingOf, Entries, EventRow, Indexes, Journals, LaneEvents, LaneHeads, Log,
    Range, RawRows, Store, StoreError, Subjects, Tiles, Voids,
};

/// Events in memory at a time: as many as the write path takes at once.
const AT_ONCE: usize = 1_024;

/// What a store holds that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeLog {
    /// Entries of the log, the network id included.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// Void events that are kept as links of journals.
    pub void: u64,
    /// Keys that have signed.
    pub journals: u64,
    /// Lanes of all subjects.
    pub lanes: u64,
    /// The newest checkpoint that the log has signed, as a note; its root is that of the log at its size.
    pub note: Option<String>,
}

/// Reads and verifies everything; `progress` is told how many entries are done.
///
/// Every event's bytes are hashed and compared with its id, its signature is verified, and it is judged again. The Merkle
/// tree is computed again and compared with the stored tiles, and so are the heads of all journals and lanes.
pub fn verify_store(store: &Store, network: &Network, mut progress: impl FnMut(u64)) -> Result<WholeLog, CheckError> {
    let size = store.last::<Log>()?.map_or(0, |(index, _)| index + 1);
    let expected = network.id().as_event();
    match store.get::<Log>(&0)? {
        Some(found) if found == expected => {}
        Some(found) => return Err(CheckError::Network { found, expected }),
        None => return damaged("it has no first entry"),
    }
    let newest = newest_checkpoint(store)?;
    let mut tree = Tree { store, frontier: Frontier::load(0, &NoNodes)?, tiles: HashMap::new() };
    tree.append(&expected)?;
    tree.passes(newest.as_ref())?;
    let mut journals = JournalEnds::default();
    let judge = Again { network, reader: Reader::new(store.clone()) };
    let mut log = store.scan::<Log>(Range::all().from(&1));
    let mut entries = store.scan::<RawRows<Entries>>(Range::all());
    let (mut next, mut places_on_lanes) = (1, 0);
    loop {
        let (mut ids, mut rows) = (Vec::with_capacity(AT_ONCE), Vec::with_capacity(AT_ONCE));
        for entry in log.by_ref().take(AT_ONCE) {
            let ((index, id), expected) = (entry?, next + ids.len() as u64);
            if index != expected {
                return damaged(format!("entry {expected} is missing"));
            }
            match entries.next().transpose()? {
                Some((at, bytes)) if at == index => rows.push(event_row(&id, &bytes)?),
                _ => return damaged(format!("the body of event {id}, entry {index}, is missing")),
            }
            ids.push(id);
        }
        if ids.is_empty() {
            break;
        }
        let places = store.multi_get::<Indexes>(&ids)?;
        for ((index, (event, judgement)), place) in (next..).zip(events(&ids, rows)?).zip(places) {
            if place != Some(Some(index)) {
                return damaged(format!("of entry {index} it is not said that it stands there"));
            }
            if !judgement.is_admitted() {
                return damaged(format!("entry {index} was not admitted"));
            }
            judge.compare(&event, &judgement)?;
            tree.append(&event.id())?;
            tree.passes(newest.as_ref())?;
            places_on_lanes += on_lanes(store, index, &event, &judgement)?;
            journals.take(&event);
        }
        next += ids.len() as u64;
        progress(next);
    }
    if entries.next().transpose()?.is_some() {
        return damaged("an event is kept beyond the end of the log");
    }
    let void = void_events(store, size, &judge, &mut journals)?;
    let journals = journals.compare(store)?;
    let lanes = lanes(&judge.reader, places_on_lanes)?;
    if let Some((checkpoint, _)) = newest.as_ref().filter(|(checkpoint, _)| checkpoint.size > size) {
        return damaged(format!("it has signed a checkpoint of {} entries, and has {size}", checkpoint.size));
    }
    Ok(WholeLog { size, root: tree.frontier.root(), void, journals, lanes, note: newest.map(|(_, note)| note) })
}

/// Removes what these followers made, what counts, the state map and the kept roots of journals from a store that no ledger has open. The next one
/// makes all of it again, from the events alone.
pub fn forget_followed(store: &Store, followers: &[Arc<dyn Follower>]) -> Result<(), StoreError> {
    let mut batch = store.batch();
    let columns = followers.iter().flat_map(|follower| follower.columns());
    for column in columns.chain(CountFollower::COLUMNS).chain(MapFollower::COLUMNS) {
        batch.clear(*column);
    }
    batch.clear(Column::JournalRoots);
    batch.clear(Column::Cursors);
    batch.commit_synced()
}

fn damaged<T>(what: impl Into<String>) -> Result<T, CheckError> {
    Err(CheckError::Damaged(what.into()))
}

/// The value of these bytes, if they are just those that are written for it: what says the same in other bytes was
/// changed, too.
fn exactly<V>(bytes: &[u8]) -> Option<V>
where
    Cbor: Encoding<V>,
{
    let (value, mut written) = (Cbor::decode(bytes)?, Vec::with_capacity(bytes.len()));
    Cbor::encode(&value, &mut written);
    (written == bytes).then_some(value)
}

fn event_row(id: &EventId, bytes: &[u8]) -> Result<EventRow, CheckError> {
    match exactly(bytes) {
        Some(row) => Ok(row),
        None => damaged(format!("body and judgement of event {id} are not written as they should be")),
    }
}

/// The events with these ids, each with the right hash, form and signature, and their judgements.
fn events(ids: &[EventId], rows: Vec<EventRow>) -> Result<Vec<(VerifiedEvent, Judgement)>, CheckError> {
    let (mut bodies, mut judgements) = (Vec::with_capacity(ids.len()), Vec::with_capacity(ids.len()));
    for (id, row) in ids.iter().zip(rows) {
        if EventId::of(&row.bytes) != *id {
            return damaged(format!("the body of event {id} has another hash"));
        }
        judgements.push(RowOf { id, index: None }.judgement(&row)?);
        bodies.push(row.bytes);
    }
    let checked = check_all(bodies).into_iter().zip(judgements).zip(ids);
    checked
        .map(|((checked, judgement), id)| match checked {
            Checked::Verified(event) => Ok((event, judgement)),
            Checked::Settled(outcome) => damaged(format!("event {id} is not well signed: {outcome:?}")),
        })
        .collect()
}

/// Judges events again, each from the judgements of its ancestors. Those were compared in the same way, and the oldest have
/// none, so that all are what the rules make of the events.
struct Again<'a> {
    network: &'a Network,
    reader: Reader,
}

impl Again<'_> {
    fn compare(&self, event: &VerifiedEvent, stored: &Judgement) -> Result<(), CheckError> {
        match judge(self.network, event, &self.reader)? {
            Verdict::Admit(judgement) | Verdict::Void(_, judgement) if judgement == *stored => Ok(()),
            _ => damaged(format!("the judgement of event {} is not what the rules make of it", event.id())),
        }
    }
}

/// The Merkle tree as it is computed, beside its tiles as they are stored.
struct Tree<'a> {
    store: &'a Store,
    frontier: Frontier,
    /// The newest tile of each level.
    tiles: HashMap<u8, (u64, Vec<u8>)>,
}

/// The newest checkpoint in the store, and its note; the signature is verified by whoever knows the log's key.
fn newest_checkpoint(store: &Store) -> Result<Option<(Checkpoint, String)>, CheckError> {
    let Some((size, row)) = store.last::<Checkpoints>()? else { return Ok(None) };
    let checkpoint = Note::parse(&row.note).ok().and_then(|note| Checkpoint::parse(note.text()).ok());
    match checkpoint.filter(|checkpoint| checkpoint.size == size) {
        Some(checkpoint) => Ok(Some((checkpoint, row.note))),
        None => damaged(format!("the checkpoint of {size} entries cannot be read")),
    }
}

impl Tree<'_> {
    fn passes(&self, newest: Option<&(Checkpoint, String)>) -> Result<(), CheckError> {
        match newest.filter(|(checkpoint, _)| checkpoint.size == self.frontier.size()) {
            Some((checkpoint, _)) if checkpoint.root != self.frontier.root() => {
                damaged(format!("the checkpoint of {} entries has another root than the log", checkpoint.size))
            }
            _ => Ok(()),
        }
    }

    fn append(&mut self, id: &EventId) -> Result<(), CheckError> {
        let mut finished: Vec<(u32, u64, Hash)> = Vec::new();
        self.frontier.append(leaf_hash(id.as_bytes()), |level, at, hash| finished.push((level, at, hash)));
        for (level, at, hash) in finished {
            let position = tile_position(level, at);
            if position.count != 1 {
                continue;
            }
            let (level, number) = (position.level, position.index);
            let read = |store: &Store| Ok::<_, StoreError>(store.get::<Tiles>(&(level, number))?.unwrap_or_default());
            let tile = self.tiles.entry(level).or_insert((u64::MAX, Vec::new()));
            if tile.0 != number {
                *tile = (number, read(self.store)?);
            }
            let first = usize::try_from(position.first).expect("a tile has 256 hashes") * 32;
            if tile.1.get(first..first + 32) != Some(&hash[..]) {
                return damaged(format!("tile {number} of level {level} does not have the hash of its entries"));
            }
        }
        Ok(())
    }
}

/// A tree of no entries reads no hash.
struct NoNodes;

impl provenance::merkle::Nodes for NoNodes {
    type Error = StoreError;

    fn node(&self, level: u32, index: u64) -> Result<Hash, StoreError> {
        Err(StoreError::Corrupt { column: "tiles", detail: format!("there is no hash {index} of level {level}") })
    }
}

/// The ends of all journals as the events show them.
#[derive(Default)]
struct JournalEnds {
    ends: HashMap<PublicKey, HashSet<EventId>>,
    /// Links to what was not seen yet: a void event, or what gave the key.
    linked: HashSet<EventId>,
}

impl JournalEnds {
    fn take(&mut self, event: &SignedEvent) {
        let (id, link) = (event.id(), event.payload().journal);
        let ends = self.ends.entry(event.key()).or_default();
        if !ends.remove(&link) {
            self.linked.insert(link);
        }
        if !self.linked.contains(&id) {
            ends.insert(id);
        }
    }

    fn compare(self, store: &Store) -> Result<u64, CheckError> {
        let mut rows = 0;
        for row in store.scan::<Journals>(Range::all()) {
            let (key, heads) = row?;
            rows += 1;
            let stored: HashSet<EventId> = heads.into_iter().map(|head| head.event).collect();
            if self.ends.get(&key) != Some(&stored) {
                return damaged(format!("the journal of key {key} does not end as its events do"));
            }
        }
        if rows != self.ends.len() as u64 {
            return damaged("the end of a journal is missing");
        }
        Ok(rows)
    }
}

/// Verifies the events that are in no log, and that nothing is said to stand in it that does not.
fn void_events(store: &Store, size: u64, judge: &Again<'_>, journals: &mut JournalEnds) -> Result<u64, CheckError> {
    let (mut voids, mut count) = (store.scan::<RawRows<Voids>>(Range::all()), 0);
    loop {
        let (mut ids, mut rows) = (Vec::new(), Vec::new());
        for row in voids.by_ref().take(AT_ONCE) {
            let (id, bytes) = row?;
            rows.push(event_row(&id, &bytes)?);
            ids.push(id);
        }
        if ids.is_empty() {
            break;
        }
        count += ids.len() as u64;
        for (event, judgement) in events(&ids, rows)? {
            if judgement.is_admitted() {
                return damaged(format!("event {} was admitted, and has no place in the log", event.id()));
            }
            judge.compare(&event, &judgement)?;
            journals.take(&event);
        }
    }
    // Every entry's index was found already: where there are as many, there is no other.
    let (mut entries, mut void) = (1, 0);
    for row in store.scan::<RawRows<Indexes>>(Range::all()) {
        let (id, bytes) = row?;
        match exactly::<Option<u64>>(&bytes) {
            Some(Some(_)) => entries += 1,
            Some(None) if store.contains::<RawRows<Voids>>(&id)? => void += 1,
            Some(None) => return damaged(format!("the body of event {id} is missing")),
            None => return damaged(format!("where event {id} stands in the log is not written as it should be")),
        }
    }
    match (entries == size, void == count) {
        (true, true) => Ok(count),
        (true, false) => damaged(format!("{void} void events are said to be kept, and {count} are")),
        (false, _) => damaged(format!("{entries} entries are said to stand in the log, and it has {size}")),
    }
}

/// In how many lanes an event stands: each that it touches, at its height and with its index, in just the bytes that are
/// written for that. Every subject that it creates is known.
fn on_lanes(store: &Store, index: u64, event: &SignedEvent, judgement: &Judgement) -> Result<usize, CheckError> {
    let id = event.id();
    for (at, (touch, line)) in event.payload().touches.iter().zip(&judgement.lines).enumerate() {
        let subject = event.subject(at).expect("the touch was just enumerated");
        let row = store.get::<RawRows<LaneEvents>>(&(subject, touch.lane, line.height, id))?;
        if row.and_then(|bytes| exactly(&bytes)) != Some(index) {
            return damaged(format!("event {id}, entry {index}, does not stand in a lane as it touches it"));
        }
        let creates =
            touch.subject.is_none().then(|| (id, u32::try_from(at).expect("an event has at most 64 touches")));
        if creates.is_some() && store.get::<Subjects>(&subject)? != creates {
            return damaged(format!("a subject that event {id} creates is missing"));
        }
    }
    // No event touches a lane twice.
    Ok(judgement.lines.len())
}

/// Compares the tips of every lane with what its events extend; there are so many places on lanes in all.
fn lanes(reader: &Reader, places: usize) -> Result<u64, CheckError> {
    let store = reader.store();
    let mut found = 0;
    let mut heads = store.scan::<LaneHeads>(Range::all());
    let mut lane: Option<((SubjectId, Lane), Vec<EventId>)> = None;
    let mut count = 0;
    let mut rows = store.scan::<LaneEvents>(Range::all());
    loop {
        let row = rows.next().transpose()?.map(|((subject, lane, _, id), _)| ((subject, lane), id));
        found += usize::from(row.is_some());
        match (&mut lane, row) {
            (Some((key, ids)), Some((next, id))) if *key == next => ids.push(id),
            (ended, row) => {
                if let Some((key, ids)) = ended.take() {
                    compare_lane(reader, &key, &ids, heads.next().transpose()?)?;
                    count += 1;
                }
                let Some((key, id)) = row else { break };
                lane = Some((key, vec![id]));
            }
        }
    }
    if heads.next().transpose()?.is_some() {
        return damaged("a lane has tips and no events");
    }
    if found != places {
        return damaged(format!("{found} events are said to stand on lanes, and {places} do"));
    }
    Ok(count)
}

type LaneRow = ((SubjectId, Lane), Vec<EventId>);

fn compare_lane(
    reader: &Reader,
    key: &(SubjectId, Lane),
    ids: &[EventId],
    stored: Option<LaneRow>,
) -> Result<(), CheckError> {
    let mut tips: BTreeSet<EventId> = ids.iter().copied().collect();
    for some in ids.chunks(AT_ONCE) {
        for (id, body) in some.iter().zip(reader.bytes(some)?) {
            let event = body.and_then(|bytes| SignedEvent::decode(bytes).ok());
            let Some(event) = event else { return damaged(format!("event {id} of a lane is missing")) };
            let touches = event.payload().touches.iter().enumerate();
            let mut own =
                touches.filter(|(at, touch)| event.subject(*at) == Some(key.0) && touch.lane == key.1).peekable();
            if own.peek().is_none() {
                return damaged(format!("event {id} stands in a lane that it does not touch"));
            }
            own.flat_map(|(_, touch)| &touch.prev).for_each(|prev| {
                tips.remove(prev);
            });
        }
    }
    match stored {
        Some((stored, heads)) if stored == *key && heads.iter().copied().eq(tips) => Ok(()),
        _ => damaged(format!("a lane of subject {} does not end as its events do", key.0)),
    }
}
