//! How far a peer's log was read, kept on the disk under the peer's id.
//!
//! The network proves who a peer is, and nothing proves that a log is of the key that the peer names: a cursor under that key could be
//! moved by anybody.

use ledger::Ledger;
use minicbor::{Decode, Encode};
use p2p::PeerId;
use provenance::id::{EventId, PublicKey};
use store::{Batch, Meta, PeerCursors, Range, Store, StoreError};

/// Entries that could not be kept for lack of room, and are asked for again. More of them mean that
/// this program is too old for the network; then the cursor stops until there is room.
pub const MAX_GAPS: usize = 1_024;

/// Peers whose cursors are kept: more than a network has nodes that are worth following. Peer ids cost nothing, so
/// there must be an end; whoever is forgotten is read from the start, or compared.
pub const MAX_CURSORS: usize = 1_024;

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

/// A row: the key of the log, and how long this node's own log was when the row was written.
#[derive(Debug, Encode, Decode)]
#[cbor(array)]
struct Row {
    #[n(0)]
    log: PublicKey,
    #[n(1)]
    own_size: u64,
    #[n(2)]
    next: u64,
    #[n(3)]
    last: Option<EventId>,
    #[n(4)]
    gaps: Vec<EventId>,
    #[n(5)]
    skipped: Option<Skipped>,
}

impl Cursor {
    /// The cursor into the log of this key, as this peer shows it; at the start where that was never read, or the
    /// peer has shown a log of another key meanwhile.
    pub fn load(ledger: &Ledger, peer: &PeerId, log: &PublicKey) -> Result<Self, StoreError> {
        let bytes = ledger.reader().store().get::<PeerCursors>(&peer.to_string())?;
        let row: Option<Row> = bytes.and_then(|bytes| minicbor::decode(&bytes).ok());
        let row = row.filter(|row| row.log == *log);
        Ok(row.map_or_else(Self::default, |Row { next, last, gaps, skipped, .. }| Self { next, last, gaps, skipped }))
    }

    /// Keeps it in place of what was kept of this peer. A power cut may undo it, and then a page is read again.
    pub fn save(&self, ledger: &Ledger, peer: &PeerId, log: &PublicKey) -> Result<(), StoreError> {
        let store = ledger.reader().store();
        let Self { next, last, gaps, skipped } = self.clone();
        let row = Row { log: *log, own_size: ledger.size(), next, last, gaps, skipped };
        let bytes = minicbor::to_vec(&row).expect("writing to a vector cannot fail");
        let (mut batch, peer) = (store.batch(), peer.to_string());
        if !store.contains::<PeerCursors>(&peer)? {
            make_room(store, &mut batch)?;
        }
        batch.put::<PeerCursors>(&peer, &bytes);
        batch.commit()
    }
}

/// Removes what is too much beside one more row: first those rows that were written longest ago, by what this node's
/// own log has grown since, and of the same age those that cost least to read again.
fn make_room(store: &Store, batch: &mut Batch) -> Result<(), StoreError> {
    let mut kept = Vec::new();
    for row in store.scan::<PeerCursors>(Range::all()) {
        let (peer, bytes) = row?;
        match minicbor::decode::<Row>(&bytes) {
            Ok(row) => kept.push((row.own_size, row.next, peer)),
            // Earlier programs kept a number under the key of a log, and the rest elsewhere.
            Err(_) => {
                batch.delete::<PeerCursors>(&peer);
                batch.delete::<Meta>(&format!("node/followed/{peer}"));
            }
        }
    }
    kept.sort_unstable();
    let surplus = (kept.len() + 1).saturating_sub(MAX_CURSORS);
    kept.iter().take(surplus).for_each(|(_, _, peer)| batch.delete::<PeerCursors>(peer));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::StoreOptions;

    #[test]
    fn rows_on_the_disk_never_change() {
        let (log, last) = (PublicKey::from_bytes([1; 32]), Some(EventId::from_bytes([2; 32])));
        let row = Row { log, own_size: 3, next: 4, last, gaps: vec![], skipped: None };
        let bytes = minicbor::to_vec(&row).unwrap();
        assert_eq!((&bytes[..3], &bytes[35..40]), (&[0x86, 0x58, 0x20][..], &[3, 4, 0x58, 0x20, 2][..]));
        assert_eq!(bytes[71..], [0x80, 0xf6]);
        let skipped = Some(Skipped { next: 5, last: None, end: 9 });
        let bytes = minicbor::to_vec(Row { skipped, ..row }).unwrap();
        assert_eq!(bytes[71..], [0x80, 0x83, 5, 0xf6, 9]);
        let read: Row = minicbor::decode(&bytes).unwrap();
        assert_eq!((read.log, read.next, read.last, read.skipped), (log, 4, last, skipped));
    }

    #[test]
    fn rows_are_bounded_and_those_of_an_earlier_form_go() {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions { create: true, cache_bytes: 1 << 20, write_buffer_bytes: 1 << 20 };
        let store = Store::open(folder.path(), &options).unwrap();
        let mut batch = store.batch();
        let log = PublicKey::from_bytes([1; 32]);
        for number in 0..1_050_u64 {
            // Of the same age are the first fifty: of them, the one that was read furthest is kept longest.
            let (own_size, next) = (number.max(49), 50_u64.saturating_sub(number));
            let row = Row { log, own_size, next, last: None, gaps: vec![], skipped: None };
            batch.put::<PeerCursors>(&format!("peer {number:04}"), &minicbor::to_vec(&row).unwrap());
        }
        batch.put::<PeerCursors>(&"0101".to_owned(), &7_u64.to_be_bytes().to_vec());
        batch.put::<Meta>(&"node/followed/0101".to_owned(), &vec![0x82, 0xf6, 0x80]);
        batch.commit().unwrap();

        let mut batch = store.batch();
        make_room(&store, &mut batch).unwrap();
        batch.commit().unwrap();
        let kept: Vec<String> = store.scan::<PeerCursors>(Range::all()).map(|row| row.unwrap().0).collect();
        assert_eq!(kept.len(), MAX_CURSORS - 1);
        assert!(kept.contains(&"peer 0000".to_owned()) && kept.contains(&"peer 1049".to_owned()));
        assert!(!kept.contains(&"peer 0049".to_owned()) && !kept.contains(&"0101".to_owned()));
        assert_eq!(store.get::<Meta>(&"node/followed/0101".to_owned()).unwrap(), None);
    }
}
