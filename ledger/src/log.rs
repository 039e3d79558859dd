//! Proofs of the log, over durable entries only.

use crate::check::StoredNodes;
use crate::ledger::Ledger;
use provenance::id::{EventId, PublicKey};
use provenance::merkle::{self, Frontier, Hash, TILE_WIDTH};
use store::{StoreError, Tiles};

/// The key of the log, and under which origin it signs.
pub trait LogSigner: Send + Sync {
    /// Names network and node, unique in the world.
    fn origin(&self) -> &str;
    /// The public half.
    fn key(&self) -> PublicKey;
    /// Signs the text of a checkpoint, or what cosigns one of another log.
    fn sign(&self, text: &[u8]) -> [u8; 64];
}

/// Why a proof cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Sizes or indexes that the log does not have.
    #[error("the log has {size} entries; ask for an index below that, or for a size between 1 and that")]
    Range {
        /// How many entries there are.
        size: u64,
    },
    /// A node that was started without a log key.
    #[error("this node has no log key, so it signs no checkpoints; run `furrow init` to make one")]
    NoKey,
    /// The state map is being made again, or cannot be written.
    #[error("the state map covers {covered} of {size} entries; ask again when it has caught up")]
    MapBehind {
        /// How many entries there are.
        size: u64,
        /// How many of them the map covers.
        covered: u64,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The proof that an entry stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inclusion {
    /// Which entry.
    pub index: u64,
    /// In the log of this size.
    pub size: u64,
    /// Its event; the network id at index 0.
    pub entry: EventId,
    /// The hash of the leaf.
    pub leaf_hash: Hash,
    /// The root that the proof leads to.
    pub root: Hash,
    /// Sibling hashes, from the leaf upwards.
    pub proof: Vec<Hash>,
}

impl Ledger {
    /// The root of the log's first `size` entries.
    pub fn root_at(&self, size: u64) -> Result<Hash, LogError> {
        self.within(size)?;
        Ok(merkle::root(size, &StoredNodes(self.reader()))?)
    }

    /// The right edge of the tree over the durable log: what further entries are appended to.
    pub fn frontier(&self) -> Result<Frontier, StoreError> {
        Frontier::load(self.size(), &StoredNodes(self.reader()))
    }

    /// Size and root of the durable log.
    pub fn head(&self) -> Result<(u64, Hash), LogError> {
        let size = self.size();
        Ok((size, self.root_at(size)?))
    }

    /// The proof that entry `index` stands in the log of `size` entries.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Inclusion, LogError> {
        self.within(size)?;
        let nodes = StoredNodes(self.reader());
        let out_of_range = LogError::Range { size };
        let proof = merkle::inclusion_proof(index, size, &nodes)?.ok_or(out_of_range)?;
        let entry = *self.reader().log_ids(index, 1)?.first().ok_or(LogError::Range { size })?;
        let leaf_hash = merkle::leaf_hash(entry.as_bytes());
        Ok(Inclusion { index, size, entry, leaf_hash, root: merkle::root(size, &nodes)?, proof })
    }

    /// The proof that the log of `old` entries is the beginning of the one of `new` entries.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, LogError> {
        self.within(new)?;
        let proof = merkle::consistency_proof(old, new, &StoredNodes(self.reader()))?;
        proof.ok_or(LogError::Range { size: new })
    }

    /// The first `width` hashes of a tile, one after the other; nothing if they do not all exist.
    pub fn tile(&self, level: u8, index: u64, width: u64) -> Result<Option<Vec<u8>>, StoreError> {
        if width == 0 || width > TILE_WIDTH || level > 7 {
            return Ok(None);
        }
        // A hash of this row covers 256^level entries, all of which must be durable.
        let below = u32::from(level) * 8;
        let end = index.checked_mul(TILE_WIDTH).and_then(|first| first.checked_add(width));
        if end.is_none_or(|end| end > self.size() >> below) {
            return Ok(None);
        }
        let bytes = usize::try_from(width * 32).expect("a tile has at most 8 KiB");
        let tile = self.reader().store().get::<Tiles>(&(level, index))?;
        Ok(tile.and_then(|tile| tile.get(..bytes).map(<[u8]>::to_vec)))
    }

    /// Under which origin this node signs checkpoints, if it does.
    pub fn log_origin(&self) -> Option<&str> {
        self.log_signer().map(LogSigner::origin)
    }

    /// The public key of this node's log, if it has one.
    pub fn log_key(&self) -> Option<PublicKey> {
        self.log_signer().map(LogSigner::key)
    }

    fn within(&self, size: u64) -> Result<(), LogError> {
        let durable = self.size();
        if size == 0 || size > durable { Err(LogError::Range { size: durable }) } else { Ok(()) }
    }
}
