//! Erasing rows so that no copy of them stays in the store's files.

use crate::column::Column;
use crate::error::StoreError;
use crate::key::Key;
use crate::store::Store;
use crate::table::Table;
use rocksdb::{BottommostLevelCompaction, CompactOptions, FlushOptions};

impl Store {
    /// Removes rows, and returns when none of the store's files holds them any more.
    ///
    /// Deleting alone only hides a row: its bytes stay in the write-ahead log and in table files until those happen
    /// to be written again. So after the deletion, which is synced, every column is flushed, which ends the log files
    /// that hold the rows, and the range of each row is compacted down to the last level, which rewrites the table
    /// files that hold it. That takes as long as rewriting those files, so it is for rare, deliberate erasure.
    ///
    /// What remains is beyond a store: blocks of deleted files that the disk has not overwritten yet, backups, and
    /// whatever was read from here before. An iterator that is open meanwhile keeps the old files until it ends.
    pub fn erase<T: Table>(&self, keys: &[T::Key]) -> Result<(), StoreError> {
        let mut batch = self.batch();
        for key in keys {
            batch.delete::<T>(key);
        }
        batch.commit_synced()?;
        let columns: Vec<_> = Column::ALL.iter().map(|column| self.column(*column)).collect();
        let mut flush = FlushOptions::default();
        flush.set_wait(true);
        self.db.flush_cfs_opt(&columns, &flush)?;
        let mut compaction = CompactOptions::default();
        compaction.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        for key in keys {
            let key = key.to_bytes();
            self.db.compact_range_cf_opt(self.column(T::COLUMN), Some(&key), Some(&key), &compaction);
        }
        Ok(())
    }
}
