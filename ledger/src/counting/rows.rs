//! The rows of counting.

use crate::reader::{Reader, Stored};
use provenance::admission::{Ancestry, Counted, Judged};
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Cbor, Column, Empty, Id, LaneEvents, Range, Raw, StoreError, Table};

/// [`Column::Counted`].
#[derive(Debug)]
pub(crate) struct CountedRows;

impl Table for CountedRows {
    const COLUMN: Column = Column::Counted;
    type Key = (EventId, u64);
    type Value = Option<Counted>;
    type Encoding = Cbor;
}

/// [`Column::Recounted`].
#[derive(Debug)]
pub(crate) struct Recounted;

impl Table for Recounted {
    const COLUMN: Column = Column::Recounted;
    type Key = (u64, EventId);
    type Value = ();
    type Encoding = Empty;
}

/// [`Column::Deciding`].
#[derive(Debug)]
pub(crate) struct DecidingRows;

impl Table for DecidingRows {
    const COLUMN: Column = Column::Deciding;
    type Key = u64;
    type Value = EventId;
    type Encoding = Id;
}

/// [`Column::CutJournals`].
#[derive(Debug)]
pub(crate) struct CutJournals;

impl Table for CutJournals {
    const COLUMN: Column = Column::CutJournals;
    type Key = (EventId, EventId, u8, u64);
    type Value = Vec<u8>;
    type Encoding = Raw;
}

/// What an event counts as when the log has `size` entries; nothing where it counts as it was admitted.
pub(super) fn counted_at(reader: &Reader, id: &EventId, size: u64) -> Result<Option<Arc<Counted>>, StoreError> {
    let up_to = Range::prefix(id).before(&(*id, size.saturating_add(1))).backwards();
    let Some(row) = reader.store().scan::<CountedRows>(up_to).next() else { return Ok(None) };
    Ok(row?.1.map(Arc::new))
}

/// Events of which something else counts since the log had more than `after` entries, and at most `size`; oldest
/// change first.
pub(crate) fn recounted(reader: &Reader, after: u64, size: u64) -> Result<Vec<Stored>, StoreError> {
    if !reader.counting().any() {
        return Ok(Vec::new());
    }
    let first = (after + 1, EventId::from_bytes([0; 32]));
    let end = (size + 1, EventId::from_bytes([0; 32]));
    let mut ids = BTreeSet::new();
    for row in reader.store().scan::<Recounted>(Range::all().from(&first).before(&end)) {
        let ((_, id), ()) = row?;
        ids.insert(id);
    }
    let mut events = Vec::with_capacity(ids.len());
    for id in ids {
        events.extend(reader.stored(&id)?);
    }
    Ok(events)
}

/// The log as it counted when it had so many entries.
pub(crate) struct CountedAt<'a> {
    pub reader: &'a Reader,
    pub size: u64,
}

impl Ancestry for CountedAt<'_> {
    type Error = StoreError;

    fn judged(&self, id: &EventId) -> Result<Option<Arc<Judged>>, StoreError> {
        self.reader.judged(id)
    }

    fn lane_tips(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, StoreError> {
        Ok(super::lane_tips_at(self, subject, lane, &BTreeSet::new())?.into_iter().collect())
    }

    fn lane_events(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, StoreError> {
        let mut below = Vec::new();
        for row in self.reader.store().scan::<LaneEvents>(Range::prefix(&(*subject, lane))) {
            let ((_, _, _, id), index) = row?;
            below.extend((index < self.size).then_some(id));
        }
        Ok(below)
    }

    fn counted(&self, id: &EventId) -> Result<Option<Arc<Counted>>, StoreError> {
        if self.reader.counting().any() { counted_at(self.reader, id, self.size) } else { Ok(None) }
    }
}
