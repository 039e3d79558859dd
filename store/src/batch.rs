//! Batches: writes that happen all or not at all.
//!
//! Rows reach `RocksDB` in the order of their keys, column by column: its memory is a sorted list, in which the place of a
//! row is found sooner from that of its neighbour.

use crate::column::Column;
use crate::error::StoreError;
use crate::key::Key;
use crate::store::Store;
use crate::table::{EncodingOf, Table};
use rocksdb::{WriteBatch, WriteOptions};
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

/// Beyond every key: none begins with 64 bytes of ff, as an id is a hash of 32 bytes.
const BEYOND_ALL_KEYS: [u8; 64] = [0xff; 64];

/// What `RocksDB` adds to a write in a batch, at most: its sort, its column, and two lengths.
const WRITE_BYTES: usize = 16;

/// How many buffers are kept for later batches, of those whose size is worth it and bearable.
const SPARE: usize = 4;
const SPARE_BYTES: RangeInclusive<usize> = 256 << 10..=16 << 20;

/// Writes to one store, applied by a commit; later ones of the same row win.
pub struct Batch {
    store: Store,
    /// Columns of which all rows go, before anything is written.
    cleared: Vec<Column>,
    buffers: Buffers,
}

/// What rows are gathered in.
#[derive(Default)]
struct Buffers {
    writes: Vec<Write>,
    /// The keys and values of all writes, one after the other.
    bytes: Vec<u8>,
}

/// Buffers of batches, for later ones: memory of this size would be got from the system, and cleared by it, each time anew.
#[derive(Default)]
pub(crate) struct Spare(Mutex<Vec<Buffers>>);

impl Drop for Batch {
    fn drop(&mut self) {
        self.store.spare.keep(std::mem::take(&mut self.buffers));
    }
}

impl Spare {
    fn take(&self) -> Buffers {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn keep(&self, mut buffers: Buffers) {
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE && SPARE_BYTES.contains(&buffers.bytes.capacity()) {
            buffers.writes.clear();
            buffers.bytes.clear();
            spare.push(buffers);
        }
    }
}

/// One row that is written or removed.
struct Write {
    column: Column,
    /// The first bytes of its key as a number of the same order: most keys differ in them, and are compared without being
    /// looked up.
    front: u64,
    /// Where its key begins; its value comes behind it.
    start: usize,
    key_len: u32,
    /// None for a row that is removed.
    value_len: Option<u32>,
}

impl Write {
    fn key<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        &bytes[self.start..][..self.key_len as usize]
    }

    fn value<'b>(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let start = self.start + self.key_len as usize;
        self.value_len.map(|len| &bytes[start..][..len as usize])
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("store", &self.store).field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Batch {
    pub(crate) fn new(store: Store) -> Self {
        Self { buffers: store.spare.take(), store, cleared: Vec::new() }
    }

    /// Writes a row, over the one that is there.
    pub fn put<T: Table>(&mut self, key: &T::Key, value: &T::Value) {
        self.put_as::<T, _>(key, value);
    }

    /// Writes a row of which the value, or another form of it that has the same bytes, is only borrowed; says how many
    /// bytes that is.
    pub fn put_as<T: Table, V: ?Sized>(&mut self, key: &T::Key, value: &V) -> usize
    where
        T::Encoding: EncodingOf<V>,
    {
        self.write_key::<T>(key);
        let Buffers { writes, bytes } = &mut self.buffers;
        let value_start = bytes.len();
        T::Encoding::encode(value, bytes);
        let len = bytes.len() - value_start;
        writes.last_mut().expect("its key was just written").value_len = Some(length(len));
        len
    }

    /// Removes a row; it need not be there.
    pub fn delete<T: Table>(&mut self, key: &T::Key) {
        self.write_key::<T>(key);
    }

    /// Removes all rows of a column, also those that this batch has written so far.
    pub fn clear(&mut self, column: Column) {
        self.buffers.writes.retain(|write| write.column != column);
        self.cleared.push(column);
    }

    /// Begins a write, which removes the row unless it gets a value.
    fn write_key<T: Table>(&mut self, key: &T::Key) {
        let Buffers { writes, bytes } = &mut self.buffers;
        let start = bytes.len();
        key.write(bytes);
        let key = &bytes[start..];
        writes.push(Write { column: T::COLUMN, front: front(key), start, key_len: length(key.len()), value_len: None });
    }

    /// How many writes it holds.
    pub fn len(&self) -> usize {
        self.cleared.len() + self.buffers.writes.len()
    }

    /// Whether it holds no write.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes everything and returns when it is safe on the disk.
    ///
    /// After an error it is not known whether it was written: read again what there is.
    pub fn commit_synced(self) -> Result<(), StoreError> {
        self.write(true)
    }

    /// Writes everything; a power cut soon after may undo it. For rows that can be made again.
    pub fn commit(self) -> Result<(), StoreError> {
        self.write(false)
    }

    fn write(mut self, sync: bool) -> Result<(), StoreError> {
        self.sort();
        let writes = self.for_rocksdb();
        let mut options = WriteOptions::default();
        options.set_sync(sync);
        #[cfg(feature = "faults")]
        self.store.faults.around(|| match &self.store.disk {
            Some(disk) => disk.write(&self, writes, sync),
            None => Ok(self.store.db.write_opt(writes, &options)?),
        })?;
        #[cfg(not(feature = "faults"))]
        self.store.db.write_opt(writes, &options)?;
        Ok(())
    }

    /// Puts the writes in the order of columns and keys; of those of one row only the last stays.
    fn sort(&mut self) {
        let Buffers { writes, bytes } = &mut self.buffers;
        let by_key = |a: &Write, b: &Write| {
            let fronts = (a.column, a.front).cmp(&(b.column, b.front));
            fronts.then_with(|| a.key(bytes).cmp(b.key(bytes)))
        };
        // Later ones first.
        writes.sort_unstable_by(|a, b| by_key(a, b).then_with(|| b.start.cmp(&a.start)));
        writes.dedup_by(|earlier, last| by_key(earlier, last).is_eq());
    }

    fn for_rocksdb(&self) -> WriteBatch {
        let Buffers { writes, bytes } = &self.buffers;
        let mut batch = WriteBatch::with_capacity_bytes(bytes.len() + self.len() * WRITE_BYTES);
        for column in &self.cleared {
            batch.delete_range_cf(self.store.column(*column), &[][..], &BEYOND_ALL_KEYS[..]);
        }
        for run in writes.chunk_by(|a, b| a.column == b.column) {
            let column = self.store.column(run[0].column);
            for write in run {
                match write.value(bytes) {
                    Some(value) => batch.put_cf(column, write.key(bytes), value),
                    None => batch.delete_cf(column, write.key(bytes)),
                }
            }
        }
        batch
    }

    /// The store to which it writes.
    #[cfg(feature = "faults")]
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Columns that it clears.
    #[cfg(feature = "faults")]
    pub(crate) fn cleared(&self) -> &[Column] {
        &self.cleared
    }

    /// The rows that it writes or removes.
    #[cfg(feature = "faults")]
    pub(crate) fn rows(&self) -> impl Iterator<Item = (Column, &[u8])> {
        let Buffers { writes, bytes } = &self.buffers;
        writes.iter().map(|write| (write.column, write.key(bytes)))
    }
}

/// Keys and values are some kilobytes long at most.
fn length(len: usize) -> u32 {
    u32::try_from(len).expect("no row has gigabytes")
}

/// The first eight bytes of a key as a number of the same order, with zeros behind a shorter one.
fn front(key: &[u8]) -> u64 {
    let mut front = [0; 8];
    let len = key.len().min(front.len());
    front[..len].copy_from_slice(&key[..len]);
    u64::from_be_bytes(front)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // A test stops where something is not as it should be.
mod tests {
    use super::*;
    use crate::scan::Range;
    use crate::store::StoreOptions;
    use crate::table::{Log, PeerCursors};
    use provenance::id::EventId;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), &StoreOptions::default()).unwrap();
        (folder, store)
    }

    fn rows(store: &Store) -> Vec<(String, Vec<u8>)> {
        store.scan::<PeerCursors>(Range::all()).collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn of_the_writes_of_a_row_the_last_stays() {
        let (_folder, store) = store();
        let mut batch = store.batch();
        let put = |batch: &mut Batch, key: &str, value: u8| batch.put::<PeerCursors>(&key.to_owned(), &vec![value]);
        put(&mut batch, "removed", 1);
        batch.delete::<PeerCursors>(&"removed".to_owned());
        batch.delete::<PeerCursors>(&"put again".to_owned());
        put(&mut batch, "put again", 2);
        for value in 0..100 {
            put(&mut batch, "put often", value);
            batch.put::<Log>(&u64::from(value % 3), &EventId::from_bytes([value; 32]));
        }
        assert_eq!(batch.put_as::<PeerCursors, [u8]>(&"borrowed".to_owned(), &[7, 8]), 2);
        batch.commit_synced().unwrap();
        let expected = [("borrowed", vec![7, 8]), ("put again", vec![2]), ("put often", vec![99])];
        assert_eq!(rows(&store), expected.map(|(key, value)| (key.to_owned(), value)));
        let log: Vec<_> = store.scan::<Log>(Range::all()).map(|row| row.unwrap().1.as_bytes()[0]).collect();
        assert_eq!(log, [99, 97, 98]);
    }

    #[test]
    fn keys_that_begin_alike_stay_apart() {
        let (_folder, store) = store();
        let keys = ["", "a", "a\0", "a\0\0b", "ab", "abcdefgh", "abcdefgh1", "abcdefgh2", "abcdefghi"];
        let mut batch = store.batch();
        for (value, key) in (0..).zip(keys).collect::<Vec<_>>().into_iter().rev() {
            batch.put::<PeerCursors>(&key.to_owned(), &vec![value]);
        }
        batch.commit().unwrap();
        let expected: Vec<_> = (0..).zip(keys).map(|(value, key)| (key.to_owned(), vec![value])).collect();
        assert_eq!(rows(&store), expected);
    }

    #[test]
    fn what_comes_after_clearing_stays_and_what_came_before_goes() {
        let (_folder, store) = store();
        let mut first = store.batch();
        first.put::<PeerCursors>(&"old".to_owned(), &vec![1]);
        first.commit().unwrap();
        let mut batch = store.batch();
        batch.put::<PeerCursors>(&"before".to_owned(), &vec![2]);
        batch.put::<Log>(&0, &EventId::from_bytes([3; 32]));
        batch.clear(Column::PeerCursors);
        batch.put::<PeerCursors>(&"after".to_owned(), &vec![4]);
        batch.commit().unwrap();
        assert_eq!(rows(&store), [("after".to_owned(), vec![4])]);
        assert!(store.get::<Log>(&0).unwrap().is_some());
    }
}
