//! The anchoring service's book, kept in the ledger's store.

use anchoring::{AnchorBook, BookError, LogHead};
use ledger::Ledger;
use std::error::Error;
use store::{Anchors, Range};
use tokio::runtime::Handle;

/// Records by their number, synced to the disk before anything is sent.
#[derive(Debug, Clone)]
pub(super) struct Book(pub(super) Ledger);

impl AnchorBook for Book {
    fn last_sequence(&self) -> Result<Option<u64>, BookError> {
        let newest = self.0.reader().store().scan::<Anchors>(Range::all().backwards()).next();
        newest.transpose().map(|row| row.map(|(sequence, _)| sequence)).map_err(unreadable)
    }

    fn load(&self, sequence: u64) -> Result<Option<Vec<u8>>, BookError> {
        self.0.reader().store().get::<Anchors>(&sequence).map_err(unreadable)
    }

    fn save(&self, sequence: u64, record: &[u8]) -> Result<(), BookError> {
        let mut batch = self.0.reader().store().batch();
        batch.put::<Anchors>(&sequence, &record.to_vec());
        batch.commit_synced().map_err(|source| BookError { action: "written", source: source.into() })
    }

    fn log_head(&self) -> Result<LogHead, BookError> {
        // An anchor commits to the state map too, so the map is cut for exactly the log that is anchored.
        let cut = Handle::current().block_on(self.0.cut()).map_err(unreadable)?;
        Ok(LogHead { size: cut.size, root: cut.log_root, state_root: cut.state_root })
    }

    fn log_root_at(&self, size: u64) -> Result<[u8; 32], BookError> {
        self.0.root_at(size).map_err(unreadable)
    }
}

fn unreadable(source: impl Into<Box<dyn Error + Send + Sync>>) -> BookError {
    BookError { action: "read", source: source.into() }
}
