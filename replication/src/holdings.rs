//! What the machine needs to know of this node's own ledger.

use crate::cursor::Cursor;
use p2p::PeerId;
use provenance::id::{EventId, PublicKey};
use provenance::merkle::Hash;
use provenance::state_map::{EMPTY, Page, PageKey, RootRef};
use store::StoreError;

/// What is known here of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It was judged: admitted, or void and kept as a link of its journal. Also the network's own id.
    Judged,
    /// It is kept until an upgrade of this program brings rules for it.
    AwaitsUpgrade,
    /// It is not here, or kept until an ancestor comes.
    No,
}

/// A version of a state map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateRoot {
    /// Entries of the log that it covers.
    pub size: u64,
    /// Where it starts; none for an empty map.
    pub root: Option<RootRef>,
}

impl StateRoot {
    /// The root of the map.
    pub fn hash(&self) -> Hash {
        self.root.map_or(EMPTY, |root| root.hash)
    }
}

/// This node's own ledger, as the machine looks at it. The calls read the disk and may block.
pub trait Holdings {
    /// The id of the network, which is entry 0 of every log.
    fn network(&self) -> EventId;

    /// Durable entries of this node's log.
    fn size(&self) -> u64;

    /// What is known of each of these events, in their order.
    fn known(&self, ids: &[EventId]) -> Result<Vec<Known>, StoreError>;

    /// The newest version of this node's state map; none while it is made again.
    fn state_root(&self) -> Result<Option<StateRoot>, StoreError>;

    /// A page of this node's state map; none where it was removed meanwhile.
    fn map_page(&self, key: &PageKey) -> Result<Option<Page>, StoreError>;

    /// Whether the log of this key is proven to contradict itself: it is followed no more.
    fn contradicts_itself(&self, log: &PublicKey) -> Result<bool, StoreError>;

    /// How far the log with which a peer greets was read; the start where it never was. What other peers show of a log
    /// of the same key does not matter: a greeting proves nothing of it.
    fn load_cursor(&self, peer: &PeerId, log: &PublicKey) -> Result<Cursor, StoreError>;

    /// Keeps how far a peer's log was read. A power cut may undo it, and then entries are read again.
    fn save_cursor(&self, peer: &PeerId, log: &PublicKey, cursor: &Cursor) -> Result<(), StoreError>;
}
