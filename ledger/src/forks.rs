//! The follower that notes where journals fork: where one key signed two events on one link.
//!
//! It reads the log alone, so all nodes with the same log find the same forks, however much was signed after them, and
//! whatever void events each of them keeps. A key whose journal has one end has no fork, and costs nothing; the journal
//! of one that has several is walked once, and then kept link by link.

use crate::follower::{Follower, LogEntry};
use crate::reader::{Reader, Stored};
use provenance::id::{EventId, PublicKey};
use std::collections::{BTreeMap, BTreeSet};
use store::{Batch, Column, Empty, JournalHead, Journals, Range, StoreError, Table};

/// Raised when its rows change their meaning; forks are then looked for again.
const VERSION: u32 = 1;

/// Rows that are written at once while a journal is walked: some hundred kilobytes.
const ROWS_AT_ONCE: usize = 4_096;

/// Events shown of those on one link: two prove the fork.
const SHOWN_ON_LINK: usize = 64;

/// Events shown of those on all links of a key.
const SHOWN_OF_KEY: usize = 1_024;

/// [`Column::JournalForks`].
#[derive(Debug)]
struct Forks;

impl Forks {
    /// The one row that says that all links of a key are here.
    const WHOLE: u8 = 0;
    /// Events that share a link with another.
    const FORK: u8 = 1;
    /// All events of a key whose journal has several ends.
    const LINK: u8 = 2;

    fn whole(key: &PublicKey) -> <Self as Table>::Key {
        let nothing = EventId::from_bytes([0; 32]);
        (*key, Self::WHOLE, nothing, nothing)
    }
}

impl Table for Forks {
    const COLUMN: Column = Column::JournalForks;
    type Key = (PublicKey, u8, EventId, EventId);
    type Value = ();
    type Encoding = Empty;
}

/// Keeps the forks of journals, of which findings tell.
#[derive(Debug, Default)]
pub struct ForkFollower;

impl ForkFollower {
    /// Under this name forks are looked for again and its lag is measured.
    pub const NAME: &'static str = "forks";
}

impl Follower for ForkFollower {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn columns(&self) -> &'static [Column] {
        &[Column::JournalForks]
    }

    fn follow(&self, reader: &Reader, entries: &[LogEntry], batch: &mut Batch) -> Result<(), StoreError> {
        let mut by_key: BTreeMap<PublicKey, Vec<&LogEntry>> = BTreeMap::new();
        for entry in entries {
            by_key.entry(entry.stored.judged.event.key()).or_default().push(entry);
        }
        let keys: Vec<PublicKey> = by_key.keys().copied().collect();
        let heads = reader.store().multi_get::<Journals>(&keys)?;
        for ((key, entries), heads) in by_key.into_iter().zip(heads) {
            // Two branches of a journal have two ends, whatever is signed after the fork.
            let Some(heads) = heads.filter(|heads| heads.len() > 1) else { continue };
            if reader.store().contains::<Forks>(&Forks::whole(&key))? {
                go_on(reader, &key, &entries, batch)?;
            } else {
                walk(reader, &key, &heads)?;
                batch.put::<Forks>(&Forks::whole(&key), &());
            }
        }
        Ok(())
    }
}

/// Adds new events of a key of which all links are kept.
fn go_on(reader: &Reader, key: &PublicKey, entries: &[&LogEntry], batch: &mut Batch) -> Result<(), StoreError> {
    let mut on_links: BTreeMap<EventId, BTreeSet<EventId>> = BTreeMap::new();
    for entry in entries {
        let link = entry.stored.judged.event.payload().journal;
        on_links.entry(link).or_default().insert(entry.id);
    }
    for (link, mut events) in on_links {
        for event in &events {
            batch.put::<Forks>(&(*key, Forks::LINK, link, *event), &());
        }
        // Two are enough to tell that all of them are rivals.
        let before = reader.store().scan::<Forks>(Range::prefix(&(*key, Forks::LINK, link)));
        for row in before.take(2) {
            let ((_, _, _, event), ()) = row?;
            events.insert(event);
        }
        put_fork(key, link, &events, batch);
    }
    Ok(())
}

/// Goes back over a whole journal, from its ends to the events with which its branches begin. Writes as it goes, since
/// the same rows come out of it whenever it is walked again.
fn walk(reader: &Reader, key: &PublicKey, heads: &[JournalHead]) -> Result<(), StoreError> {
    let mut open: BTreeSet<(u64, EventId)> = heads.iter().map(|head| (head.height, head.event)).collect();
    // Events on one link have the same height.
    let mut level: (u64, BTreeMap<EventId, BTreeSet<EventId>>) = Default::default();
    let (mut rows, mut count) = (reader.store().batch(), 0);
    // Highest first, so each event is passed once.
    while let Some((height, id)) = open.pop_last() {
        if height != level.0 {
            for (link, events) in std::mem::take(&mut level.1) {
                put_fork(key, link, &events, &mut rows);
            }
            level.0 = height;
        }
        let Some(Stored { index, judged }) = reader.stored(&id)? else { continue };
        // A journal begins at the event that gave the key.
        if judged.event.key() != *key {
            continue;
        }
        let link = judged.event.payload().journal;
        if index.is_some() {
            level.1.entry(link).or_default().insert(id);
            rows.put::<Forks>(&(*key, Forks::LINK, link, id), &());
            count += 1;
        }
        open.insert((height.saturating_sub(1), link));
        if count >= ROWS_AT_ONCE {
            std::mem::replace(&mut rows, reader.store().batch()).commit()?;
            count = 0;
        }
    }
    for (link, events) in level.1 {
        put_fork(key, link, &events, &mut rows);
    }
    rows.commit()
}

fn put_fork(key: &PublicKey, link: EventId, events: &BTreeSet<EventId>, batch: &mut Batch) {
    for event in events.iter().filter(|_| events.len() > 1) {
        batch.put::<Forks>(&(*key, Forks::FORK, link, *event), &());
    }
}

/// Events of a key that share a link of its journal with another: those on these links before others. None where it has
/// not forked.
pub(crate) fn rivals<'a>(
    reader: &Reader,
    key: &PublicKey,
    links: impl Iterator<Item = &'a EventId>,
) -> Result<Vec<Stored>, StoreError> {
    let mut ids = BTreeSet::new();
    for row in reader.store().scan::<Forks>(Range::prefix(&(*key, Forks::FORK))).take(SHOWN_OF_KEY) {
        let ((_, _, _, event), ()) = row?;
        ids.insert(event);
    }
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    for link in links {
        for row in reader.store().scan::<Forks>(Range::prefix(&(*key, Forks::FORK, *link))).take(SHOWN_ON_LINK) {
            let ((_, _, _, event), ()) = row?;
            ids.insert(event);
        }
    }
    let mut events = Vec::with_capacity(ids.len());
    for id in ids {
        events.extend(reader.stored(&id)?);
    }
    Ok(events)
}
