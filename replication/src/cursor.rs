//! How far a peer's log was read, kept on the disk under the log's key.

use ledger::Ledger;
use minicbor::{Decode, Encode};
use provenance::id::{EventId, PublicKey};
use store::{Meta, PeerCursors, StoreError};

/// Entries that could not be kept for lack of room, and are asked for again. More of them mean that
/// this program is too old for the network; then the cursor stops until there is room.
pub const MAX_GAPS: usize = 1_024;

/// How far a log was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The index that is read next.
    pub next: u64,
    /// The entry before it, by which a changed log is recognised; none at the start, and where a comparison of
    /// state maps has just moved the cursor.
    pub last: Option<EventId>,
    /// Earlier entries that were judged to wait for an upgrade, and could not be kept; ascending by index.
    pub gaps: Vec<EventId>,
    /// Earlier entries that a comparison of state maps has skipped, and that are still to be read.
    pub skipped: Option<Skipped>,
}

/// A stretch of a log that is read at leisure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Skipped {
    /// The index that is read next.
    #[n(0)]
    pub next: u64,
    /// The entry before it.
    #[n(1)]
    pub last: Option<EventId>,
    /// The index at which the stretch ends, exclusive.
    #[n(2)]
    pub end: u64,
}

/// What stands beside the number.
#[derive(Debug, Encode, Decode)]
#[cbor(array)]
struct Trail {
    #[n(0)]
    last: Option<EventId>,
    #[n(1)]
    gaps: Vec<EventId>,
    #[n(2)]
    skipped: Option<Skipped>,
}

impl Cursor {
    /// The cursor of this log; at the start where it was never read, or what is stored makes no sense.
    pub fn load(ledger: &Ledger, log: &PublicKey) -> Result<Self, StoreError> {
        let store = ledger.reader().store();
        let Some(next) = store.get::<PeerCursors>(&log.to_string())? else { return Ok(Self::default()) };
        let trail = store.get::<Meta>(&trail_key(log))?;
        let trail: Option<Trail> = trail.and_then(|bytes| minicbor::decode(&bytes).ok());
        Ok(trail.map_or_else(Self::default, |Trail { last, gaps, skipped }| Self { next, last, gaps, skipped }))
    }

    /// Keeps it. A power cut may undo it, and then a page is read again.
    pub fn save(&self, ledger: &Ledger, log: &PublicKey) -> Result<(), StoreError> {
        let trail = Trail { last: self.last, gaps: self.gaps.clone(), skipped: self.skipped };
        let bytes = minicbor::to_vec(&trail).expect("writing to a vector cannot fail");
        let mut batch = ledger.reader().store().batch();
        batch.put::<PeerCursors>(&log.to_string(), &self.next);
        batch.put::<Meta>(&trail_key(log), &bytes);
        batch.commit()
    }
}

fn trail_key(log: &PublicKey) -> String {
    format!("node/followed/{log}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trail_on_the_disk_never_changes() {
        let trail = Trail { last: Some(EventId::from_bytes([1; 32])), gaps: vec![], skipped: None };
        let bytes = minicbor::to_vec(&trail).unwrap();
        assert_eq!(bytes[..3], [0x82, 0x58, 0x20]);
        assert_eq!(bytes.last(), Some(&0x80));
        let skipped = Some(Skipped { next: 5, last: None, end: 9 });
        let bytes = minicbor::to_vec(Trail { skipped, ..trail }).unwrap();
        assert_eq!((bytes[0], &bytes[bytes.len() - 5..]), (0x83, &[0x80, 0x83, 5, 0xf6, 9][..]));
        let read: Trail = minicbor::decode(&bytes).unwrap();
        assert_eq!(read.skipped, skipped);
    }
}
