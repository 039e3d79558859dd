//! Sizes on the disk, for metrics and for warning before it is full.

use crate::column::Column;
use crate::error::StoreError;
use crate::store::Store;
use rocksdb::properties;

/// One column's share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnStatistics {
    /// Which column.
    pub column: Column,
    /// Bytes of its files, not counting what is still in memory.
    pub disk_bytes: u64,
    /// About how many rows it has.
    pub rows_estimate: u64,
}

/// The whole store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// Column by column.
    pub columns: Vec<ColumnStatistics>,
    /// Bytes that are free for this program on the store's file system.
    pub free_bytes: u64,
}

impl Store {
    /// Sizes as they are now; cheap enough to be asked every few seconds.
    pub fn statistics(&self) -> Result<Statistics, StoreError> {
        let mut columns = Vec::with_capacity(Column::ALL.len());
        for &column in Column::ALL {
            let family = self.column(column);
            let property = |name| Ok::<_, StoreError>(self.db.property_int_value_cf(family, name)?.unwrap_or(0));
            columns.push(ColumnStatistics {
                column,
                disk_bytes: property(properties::TOTAL_SST_FILES_SIZE)?,
                rows_estimate: property(properties::ESTIMATE_NUM_KEYS)?,
            });
        }
        Ok(Statistics { columns, free_bytes: self.free_bytes()? })
    }

    /// Bytes that are free for this program on the store's file system.
    pub fn free_bytes(&self) -> Result<u64, StoreError> {
        let file_system = rustix::fs::statvfs(self.path()).map_err(|error| StoreError::Io(error.to_string()))?;
        Ok(file_system.f_bavail.saturating_mul(file_system.f_frsize))
    }
}
