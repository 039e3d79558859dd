//! The book in which anchors are written down, as storage has to provide it.

use std::error::Error;

/// A log of this size holds only leaf 0, the network's id, and tells of no event.
pub(crate) const EMPTY_LOG_SIZE: u64 = 1;

/// Size and roots of the log: one moment of it, so that both roots belong to the same size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    /// Number of leaves, leaf 0 included.
    pub size: u64,
    /// Root of the RFC 9162 Merkle tree over them.
    pub root: [u8; 32],
    /// Root of the state map after those leaves; zeros where none is kept.
    pub state_root: [u8; 32],
}

/// The book could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the book of anchors cannot be {action}")]
pub struct BookError {
    /// What was tried: "read" or "written".
    pub action: &'static str,
    /// Why it failed.
    pub source: Box<dyn Error + Send + Sync>,
}

/// Keeps one record of bytes per anchor, numbered from zero without gaps.
///
/// A transaction is broadcast only after [`AnchorBook::save`] returned. So once `save` returns `Ok`, the record
/// survives a crash of program and machine (in `RocksDB`: a write with `sync`). After an `Err` it may or may not have
/// been kept, but never in part. Only one service writes a book.
///
/// The methods block and are called where blocking is allowed.
pub trait AnchorBook: Send + Sync + 'static {
    /// The newest record's number.
    fn last_sequence(&self) -> Result<Option<u64>, BookError>;

    /// The record with this number.
    fn load(&self, sequence: u64) -> Result<Option<Vec<u8>>, BookError>;

    /// Writes a record, replacing the one with the same number.
    fn save(&self, sequence: u64, record: &[u8]) -> Result<(), BookError>;

    /// The log as far as it is durable, at a size of which the state root is known: what is anchored must still be there after a crash.
    fn log_head(&self) -> Result<LogHead, BookError>;

    /// The root of the log's first `size` entries; `size` is at most that of [`AnchorBook::log_head`].
    fn log_root_at(&self, size: u64) -> Result<[u8; 32], BookError>;
}
