//! Furrow's durable memory: `RocksDB` behind typed columns.
//!
//! A [`Column`] is a `RocksDB` column family; a [`Table`] gives its rows their types. Callers never
//! see raw bytes, nor that there is a `RocksDB` at all: no other crate names it.
//!
//! **Invariant:** bytes on disk never change their meaning. A row that has to look different gets
//! a new column, or [`SCHEMA_VERSION`] goes up and an older program refuses to open the store.
//!
//! **Invariant:** [`Batch::commit_synced`] returns only when the batch is on the disk, whole;
//! [`Batch::commit`] may lose the newest batches to a power cut, but never a part of one, and never
//! an older batch without all newer ones.

mod batch;
mod column;
mod erase;
mod error;
#[cfg(feature = "faults")]
mod faults;
mod key;
#[cfg(feature = "faults")]
mod memory_disk;
mod scan;
mod statistics;
mod store;
mod table;

pub use batch::Batch;
pub use column::Column;
pub use error::{OpenError, StoreError};
#[cfg(feature = "faults")]
pub use faults::Fault;
pub use key::{Key, Prefix};
#[cfg(feature = "faults")]
pub use memory_disk::{Crash, MemoryDisk};
pub use scan::{Range, Row, Rows};
pub use statistics::{ColumnStatistics, Statistics};
pub use store::{SCHEMA_VERSION, Store, StoreOptions};
pub use table::{
    Anchors, BigEndian, Cbor, CheckpointRow, Checkpoints, ContradictionRow, Contradictions, CosignedRow, CursorRow,
    Cursors, Cuts, Differences, Empty, Encoding, EncodingOf, Entries, EventRow, Held, HeldByMissing, HeldRow, Id,
    Indexes, JournalHead, Journals, Keys, LaneEvents, LaneHeads, Log, MapKept, MapPages, MapReplaced, MapTips,
    MapVersions, Meta, OpeningNotes, Openings, PageBytes, PeerCursors, Raw, RawRows, References, Subjects, Table,
    Tiles, VersionRow, Voids, Witnessed, WitnessedIds, WitnessedLogRow, WitnessedLogs, WitnessedRow,
};
