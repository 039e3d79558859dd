//! Which entries of the log name an event in their basis, found without reading all of the log.
//!
//! The log is taken in parts, and of each whole part the ids that are named there are kept, shortened to eight bytes. They
//! follow from the log alone, are made when they are asked for first, and stay.

use crate::reader::Reader;
use provenance::id::EventId;
use std::collections::{BTreeSet, HashMap};
use store::{Column, Keys, StoreError, Table};

/// Entries of one part: some ten kilobytes of shortened ids stand for some megabytes of events.
pub(super) const PART: u64 = 4_096;

/// [`Column::NamedIn`].
#[derive(Debug)]
struct NamedIn;

impl Table for NamedIn {
    const COLUMN: Column = Column::NamedIn;
    type Key = u64;
    type Value = Vec<u64>;
    type Encoding = Keys;
}

/// By id that is named, the entries that name it: index and id.
type NamedBy = HashMap<EventId, Vec<(u64, EventId)>>;

/// What is known of the parts of the log during one step.
pub(super) struct Naming<'a> {
    reader: &'a Reader,
    /// The last part, of which nothing is kept on the disk yet.
    last: Option<(u64, Vec<u64>)>,
    /// The part that was read last.
    read: Option<(u64, NamedBy)>,
}

impl<'a> Naming<'a> {
    pub fn new(reader: &'a Reader) -> Self {
        Self { reader, last: None, read: None }
    }

    /// The entries of a part that name one of these: index and id.
    pub fn naming(&mut self, part: u64, ids: &BTreeSet<EventId>) -> Result<Vec<(u64, EventId)>, StoreError> {
        if self.read.as_ref().is_none_or(|(number, _)| *number != part) {
            let named = self.named(part)?;
            if !ids.iter().any(|id| named.binary_search(&shortened(id)).is_ok()) {
                return Ok(Vec::new());
            }
            self.read(part)?;
        }
        let Some((_, entries)) = &self.read else { return Ok(Vec::new()) };
        Ok(ids.iter().filter_map(|id| entries.get(id)).flatten().copied().collect())
    }

    /// The shortened ids that are named in a part, ascending.
    fn named(&mut self, part: u64) -> Result<Vec<u64>, StoreError> {
        if let Some((_, named)) = self.last.as_ref().filter(|(number, _)| *number == part) {
            return Ok(named.clone());
        }
        if let Some(named) = self.reader.store().get::<NamedIn>(&part)? {
            return Ok(named);
        }
        let is_whole = self.read(part)?;
        let mut named: Vec<u64> = self.read.iter().flat_map(|(_, entries)| entries.keys()).map(shortened).collect();
        named.sort_unstable();
        named.dedup();
        if is_whole {
            // At once, so that what was read is not read again after a failure.
            let mut batch = self.reader.store().batch();
            batch.put::<NamedIn>(&part, &named);
            batch.commit()?;
        } else {
            self.last = Some((part, named.clone()));
        }
        Ok(named)
    }

    /// Reads the entries of a part; true if it has all that it will ever have.
    fn read(&mut self, part: u64) -> Result<bool, StoreError> {
        let count = usize::try_from(PART).expect("a part has some thousand entries");
        let ids = self.reader.log_ids(part * PART, count)?;
        let mut entries = NamedBy::new();
        for (index, id) in (part * PART..).zip(&ids) {
            let Some(stored) = self.reader.stored(id)? else { continue };
            for named in &stored.judged.event.payload().basis {
                entries.entry(*named).or_default().push((index, *id));
            }
        }
        self.read = Some((part, entries));
        Ok(ids.len() == count)
    }
}

fn shortened(id: &EventId) -> u64 {
    let (first, _) = id.as_bytes().split_first_chunk::<8>().expect("an id has 32 bytes");
    u64::from_be_bytes(*first)
}
