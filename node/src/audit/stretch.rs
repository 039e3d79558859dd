//! A stretch of the log: its entries, their hashes and their events, compared with each other.

use super::Stopped;
use super::tiles::{self, Row};
use crate::client::{CBOR_SEQUENCE, Client};
use crate::failure::with_sources;
use minicbor::Decoder;
use provenance::body::{Body, NodeDetails};
use provenance::event::SignedEvent;
use provenance::id::{EventId, NetworkId};
use provenance::merkle::{Hash, TILE_WIDTH, leaf_hash};

/// Entries of a stretch: four tiles, and as many events as the ledger checks at once.
pub(super) const STRETCH: usize = 1024;

/// An entry is the 32-byte id of an event.
const ENTRY_BYTES: u16 = 32;

/// Consecutive entries with their events.
pub(super) struct Stretch {
    /// Index of the first entry.
    pub(super) first: u64,
    /// The entries.
    pub(super) entries: Vec<EventId>,
    /// Their leaf hashes.
    pub(super) leaves: Vec<Hash>,
    /// Their events; entry 0 of the log is the network and has none.
    pub(super) events: Vec<Event>,
}

/// An event of the log; its signature and its rules have not been checked.
pub(super) struct Event {
    /// Its entry.
    pub(super) index: u64,
    /// SHA-256 of its bytes, which is what the entry says.
    pub(super) id: EventId,
    /// The signed bytes.
    pub(super) bytes: Vec<u8>,
    /// The event before it in its key's journal.
    pub(super) journal: EventId,
    /// Details of a node that it gives.
    pub(super) node: Option<NodeDetails>,
}

impl Stretch {
    /// Downloads the stretch that begins at `first`, a multiple of [`STRETCH`], of a log of `size` entries.
    pub(super) async fn fetch(node: &Client, network: NetworkId, first: u64, size: u64) -> Result<Self, Stopped> {
        let end = size.min(first + STRETCH as u64);
        let mut stretch = Self { first, entries: Vec::new(), leaves: Vec::new(), events: Vec::new() };
        for tile in first / TILE_WIDTH..end.div_ceil(TILE_WIDTH) {
            let bundle = fetch(node, "entries", &tiles::path(Row::Entries, tile, size)).await?;
            let hashes = tiles::path(Row::Hashes(0), tile, size);
            let leaves = fetch(node, "hash tiles", &hashes).await?;
            stretch.add(tile * TILE_WIDTH, tiles::width(tile, size), &bundle, &leaves, &hashes)?;
        }
        if first == 0 && stretch.entries.first() != Some(&network.as_event()) {
            let reason = format!("entry 0 must be the id of the network, {network}, and is another");
            return Err(Stopped::refuted("entries", reason));
        }
        stretch.fetch_events(node).await?;
        Ok(stretch)
    }

    /// Adds the entries of a bundle and compares them with their tile of hashes.
    fn add(&mut self, first: u64, width: u64, bundle: &[u8], hashes: &[u8], path: &str) -> Result<(), Stopped> {
        let (mut rest, mut hashes) = (bundle, hashes.chunks_exact(size_of::<Hash>()));
        for index in first..first + width {
            let entry = split_entry(&mut rest).ok_or_else(|| {
                Stopped::refuted(
                    "entries",
                    format!("entry {index} is not the 32-byte id of an event behind its length"),
                )
            })?;
            let leaf = leaf_hash(entry.as_bytes());
            if hashes.next() != Some(&leaf) {
                let reason = format!("entry {index} is {entry}, but {path} does not have its hash in that place");
                return Err(Stopped::refuted("hash tiles", reason));
            }
            self.entries.push(entry);
            self.leaves.push(leaf);
        }
        if !rest.is_empty() || hashes.next().is_some() || !hashes.remainder().is_empty() {
            let reason = format!("the tiles of entry {first} have more in them than the log has entries");
            return Err(Stopped::refuted("entries", reason));
        }
        Ok(())
    }

    /// Downloads the events of all entries, and compares each with its entry.
    async fn fetch_events(&mut self, node: &Client) -> Result<(), Stopped> {
        let end = self.first + self.entries.len() as u64;
        let mut next = self.first.max(1);
        while next < end {
            let path = format!("/events?from={next}&limit={}", end - next);
            let sequence = node.find_bytes(&path, CBOR_SEQUENCE).await?.unwrap_or_default();
            let before = next;
            let mut decoder = Decoder::new(&sequence);
            while decoder.position() < sequence.len() && next < end {
                let start = decoder.position();
                // What ends in the middle of an item is another event than the entry's.
                let item = decoder.skip().map_or(&sequence[start..], |()| &sequence[start..decoder.position()]);
                self.add_event(next, item)?;
                next += 1;
            }
            if next == before {
                let reason = format!("the node gives no event for entry {next}, {}: it is hidden", self.entry(next));
                return Err(Stopped::refuted("events", reason));
            }
        }
        Ok(())
    }

    fn add_event(&mut self, index: u64, bytes: &[u8]) -> Result<(), Stopped> {
        let (entry, id) = (self.entry(index), EventId::of(bytes));
        if id != entry {
            let reason = format!("entry {index} is event {entry}, but the node gives {id} in its place");
            return Err(Stopped::refuted("events", reason));
        }
        let event = SignedEvent::decode(bytes.to_vec()).map_err(|error| {
            Stopped::refuted("events", format!("entry {index}, {id}, is no event: {}", with_sources(&error)))
        })?;
        let node = match &event.payload().body {
            Body::ActorEnrolled(body) => body.node.clone(),
            Body::ActorUpdated(body) => body.node.clone(),
            _ => None,
        };
        self.events.push(Event { index, id, bytes: bytes.to_vec(), journal: event.payload().journal, node });
        Ok(())
    }

    fn entry(&self, index: u64) -> EventId {
        let position = usize::try_from(index - self.first).expect("a stretch fits in memory");
        self.entries[position]
    }
}

async fn fetch(node: &Client, check: &'static str, path: &str) -> Result<Vec<u8>, Stopped> {
    let found = node.find_file(path).await?;
    found.ok_or_else(|| Stopped::refuted(check, format!("{path} is missing, which the checkpoint covers")))
}

/// Takes the next entry of a bundle: its length in two bytes, big-endian, and then itself.
fn split_entry(rest: &mut &[u8]) -> Option<EventId> {
    let (length, after) = rest.split_first_chunk::<2>()?;
    if u16::from_be_bytes(*length) != ENTRY_BYTES {
        return None;
    }
    let (entry, after) = after.split_first_chunk::<32>()?;
    *rest = after;
    Some(EventId::from_bytes(*entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiles(ids: &[[u8; 32]]) -> (Vec<u8>, Vec<u8>) {
        let bundle = ids.iter().flat_map(|id| [&[0, 32][..], id].concat()).collect();
        (bundle, ids.iter().flat_map(|id| leaf_hash(id)).collect())
    }

    fn added(width: u64, bundle: &[u8], hashes: &[u8]) -> Result<Vec<EventId>, String> {
        let mut stretch = Stretch { first: 0, entries: Vec::new(), leaves: Vec::new(), events: Vec::new() };
        match stretch.add(0, width, bundle, hashes, "0/000") {
            Ok(()) => Ok(stretch.entries),
            Err(Stopped::Refuted { reason, .. }) => Err(reason),
            Err(Stopped::Unable(failure)) => panic!("{failure}"),
        }
    }

    #[test]
    fn a_bundle_fits_its_hashes() {
        let (bundle, hashes) = tiles(&[[1; 32], [2; 32], [3; 32]]);
        assert_eq!(added(3, &bundle, &hashes).unwrap().len(), 3);
        for (width, wrong) in [(2, "more in them"), (4, "entry 3 is not")] {
            assert!(added(width, &bundle, &hashes).unwrap_err().contains(wrong));
        }
    }

    #[test]
    fn each_flipped_bit_is_seen_and_its_entry_named() {
        let (bundle, hashes) = tiles(&[[1; 32], [2; 32]]);
        for at in 0..bundle.len() {
            let mut bundle = bundle.clone();
            bundle[at] ^= 1;
            assert!(added(2, &bundle, &hashes).unwrap_err().contains(&format!("entry {}", at / 34)));
        }
        for at in 0..hashes.len() {
            let mut hashes = hashes.clone();
            hashes[at] ^= 128;
            assert!(added(2, &bundle, &hashes).unwrap_err().contains(&format!("entry {}", at / 32)));
        }
        for end in 0..bundle.len() {
            assert!(added(2, &bundle[..end], &hashes).is_err());
        }
    }
}
