//! How far a peer's log was read, kept on the disk under the log's key.

use ledger::Ledger;
use minicbor::{Decode, Encode};
use provenance::id::{EventId, PublicKey};
use store::{Meta, PeerCursors, StoreError};

/// Entries that could not be kept for lack of room, and are asked for again. More of them mean that
/// this program is too old for the network; then the cursor stops until there is room.
pub(super) const MAX_GAPS: usize = 1_024;

/// How far a log was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cursor {
    /// The index that is read next.
    pub(super) next: u64,
    /// The entry before it, by which a changed log is recognised.
    pub(super) last: Option<EventId>,
    /// Earlier entries that were judged to wait for an upgrade, and could not be kept; ascending.
    pub(super) gaps: Vec<EventId>,
}

/// What stands beside the number.
#[derive(Debug, Encode, Decode)]
#[cbor(array)]
struct Trail {
    #[n(0)]
    last: Option<EventId>,
    #[n(1)]
    gaps: Vec<EventId>,
}

impl Cursor {
    /// The cursor of this log; at the start where it was never read, or what is stored makes no sense.
    pub(super) fn load(ledger: &Ledger, log: &PublicKey) -> Result<Self, StoreError> {
        let store = ledger.reader().store();
        let Some(next) = store.get::<PeerCursors>(&log.to_string())? else { return Ok(Self::default()) };
        let trail = store.get::<Meta>(&trail_key(log))?;
        let trail: Option<Trail> = trail.and_then(|bytes| minicbor::decode(&bytes).ok());
        Ok(trail.map_or_else(Self::default, |trail| Self { next, last: trail.last, gaps: trail.gaps }))
    }

    /// Keeps it. A power cut may undo it, and then a page is read again.
    pub(super) fn save(&self, ledger: &Ledger, log: &PublicKey) -> Result<(), StoreError> {
        let trail = Trail { last: self.last, gaps: self.gaps.clone() };
        let bytes = minicbor::to_vec(&trail).expect("writing to a vector cannot fail");
        let mut batch = ledger.reader().store().batch();
        batch.put::<PeerCursors>(&log.to_string(), &self.next);
        batch.put::<Meta>(&trail_key(log), &bytes);
        batch.commit()
    }

    /// From where a page is asked for: one entry early, to see whether the log is still the same.
    pub(super) fn page_start(&self) -> u64 {
        self.next.saturating_sub(1)
    }

    /// Whether the peer's log, of this size, can still be the one that was read.
    pub(super) fn fits(&self, log_size: u64) -> bool {
        log_size >= self.next
    }

    /// Passes entries that were judged.
    pub(super) fn pass(&mut self, ids: &[EventId]) {
        self.next += ids.len() as u64;
        self.last = ids.last().copied().or(self.last);
    }
}

fn trail_key(log: &PublicKey) -> String {
    format!("node/followed/{log}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_overlaps_by_one_entry() {
        let mut cursor = Cursor::default();
        assert_eq!(cursor.page_start(), 0);
        let ids = [1, 2, 3].map(|byte| EventId::from_bytes([byte; 32]));
        cursor.pass(&ids);
        assert_eq!((cursor.next, cursor.page_start(), cursor.last), (3, 2, Some(ids[2])));
        cursor.pass(&[]);
        assert_eq!(cursor.last, Some(ids[2]));
        assert!(cursor.fits(3) && !cursor.fits(2));
    }

    #[test]
    fn the_trail_on_the_disk_never_changes() {
        let trail = Trail { last: Some(EventId::from_bytes([1; 32])), gaps: vec![] };
        let bytes = minicbor::to_vec(&trail).unwrap();
        assert_eq!(bytes[..3], [0x82, 0x58, 0x20]);
        assert_eq!(bytes.last(), Some(&0x80));
    }
}
