//! Batches: writes that happen all or not at all.

use crate::column::Column;
use crate::error::StoreError;
use crate::key::Key;
use crate::store::Store;
use crate::table::{Encoding, Table};
use rocksdb::{WriteBatch, WriteOptions};

/// Beyond every key: none begins with 64 bytes of ff, as an id is a hash of 32 bytes.
const BEYOND_ALL_KEYS: [u8; 64] = [0xff; 64];

/// Writes to one store, applied by a commit; later ones of the same row win.
pub struct Batch {
    store: Store,
    writes: WriteBatch,
    /// Where keys and values become bytes; kept for the next ones.
    key: Vec<u8>,
    value: Vec<u8>,
    /// What it changes, for a disk that can lose it again.
    #[cfg(feature = "faults")]
    touched: Vec<crate::memory_disk::Touched>,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("store", &self.store).field("len", &self.writes.len()).finish_non_exhaustive()
    }
}

impl Batch {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            writes: WriteBatch::default(),
            key: Vec::new(),
            value: Vec::new(),
            #[cfg(feature = "faults")]
            touched: Vec::new(),
        }
    }

    /// Writes a row, over the one that is there.
    pub fn put<T: Table>(&mut self, key: &T::Key, value: &T::Value) {
        self.value.clear();
        T::Encoding::encode(value, &mut self.value);
        self.write_key(key);
        self.writes.put_cf(self.store.column(T::COLUMN), &self.key, &self.value);
        #[cfg(feature = "faults")]
        self.touch_row(T::COLUMN);
    }

    /// Removes a row; it need not be there.
    pub fn delete<T: Table>(&mut self, key: &T::Key) {
        self.write_key(key);
        self.writes.delete_cf(self.store.column(T::COLUMN), &self.key);
        #[cfg(feature = "faults")]
        self.touch_row(T::COLUMN);
    }

    /// Removes all rows of a column.
    pub fn clear(&mut self, column: Column) {
        self.writes.delete_range_cf(self.store.column(column), &[][..], &BEYOND_ALL_KEYS[..]);
        #[cfg(feature = "faults")]
        if self.store.disk.is_some() {
            self.touched.push(crate::memory_disk::Touched::Column(column));
        }
    }

    fn write_key(&mut self, key: &impl Key) {
        self.key.clear();
        key.write(&mut self.key);
    }

    #[cfg(feature = "faults")]
    fn touch_row(&mut self, column: Column) {
        if self.store.disk.is_some() {
            self.touched.push(crate::memory_disk::Touched::Row(column, self.key.clone()));
        }
    }

    /// How many writes it holds.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether it holds no write.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Bytes that the commit will write.
    pub fn size_bytes(&self) -> usize {
        self.writes.size_in_bytes()
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

    fn write(self, sync: bool) -> Result<(), StoreError> {
        let mut options = WriteOptions::default();
        options.set_sync(sync);
        #[cfg(feature = "faults")]
        return self.store.faults.around(|| match &self.store.disk {
            Some(disk) => disk.write(&self.store, self.writes, &self.touched, sync),
            None => Ok(self.store.db.write_opt(self.writes, &options)?),
        });
        #[cfg(not(feature = "faults"))]
        Ok(self.store.db.write_opt(self.writes, &options)?)
    }
}
