//! The state map: a Merkle map from every subject to a digest of the tips of its history.
//!
//! The format stands in `docs/state-map.md`. Stored, the map is a tree of [`Page`]s that span four
//! bits each; a change writes new pages under a new version and leaves the old ones, so any version
//! can be read and proved until its pages are pruned.
//!
//! No library is used. The one that fits, `jmt`, hashes and stores each key on its own: 45,000
//! changes a second on one core at a million keys, a core that a node with two does not have. One
//! pass over a sorted batch, with pages that are hashed once each, does several times as much.

mod page;
mod proof;
mod update;

pub use page::{Child, NibblePath, Page, PageFormatError, PageKey};
pub use proof::{MAX_SIBLINGS, MapProofError, Place, Proof, prove};
pub use update::{Update, update};

use crate::cbor;
use crate::id::{EventId, SubjectId, sha256};
use crate::merkle::Hash;
use crate::payload::Lane;
use minicbor::Encoder;
use std::collections::{BTreeMap, BTreeSet};

/// The hash of a subtree without keys, and so the root of an empty map.
pub const EMPTY: Hash = [0; 32];

/// Where a version of the map starts. An empty map has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootRef {
    /// The version that wrote the root page; later versions without a change keep it.
    pub version: u64,
    /// The root of the map.
    pub hash: Hash,
}

/// Reads stored pages.
pub trait Pages {
    /// What can go wrong while reading.
    type Error;
    /// The page, or nothing where none is stored under this key.
    fn page(&self, key: &PageKey) -> Result<Option<Page>, Self::Error>;
}

/// Why a stored map cannot be read or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError<E> {
    /// A page that the map refers to is not there.
    #[error("the state map's page {0} is missing: the version was pruned, or the store is damaged")]
    Missing(PageKey),
    /// A page that cannot stand in its place.
    #[error("the state map's page {0} does not fit its place: the store is damaged; rebuild the map from the log")]
    Damaged(PageKey),
    /// Pages of a stored version would be overwritten.
    #[error("version {new} of the state map cannot follow version {old}: versions must ascend")]
    Version {
        /// The version to be written.
        new: u64,
        /// The version of the root on which it builds.
        old: u64,
    },
    /// The pages cannot be read.
    #[error(transparent)]
    Read(E),
}

/// The value of a subject: SHA-256 of the CBOR map from lane to ascending tips. Nothing where no
/// lane has a tip, because such a subject is not in the map.
pub fn digest(lanes: &BTreeMap<Lane, BTreeSet<EventId>>) -> Option<Hash> {
    let lanes: Vec<_> = lanes.iter().filter(|(_, tips)| !tips.is_empty()).collect();
    if lanes.is_empty() {
        return None;
    }
    let mut bytes = Vec::with_capacity(64 * lanes.len());
    let mut e = Encoder::new(&mut bytes);
    e.map(lanes.len() as u64).expect("writing to a vector cannot fail");
    // The order of `Lane` is that of its encodings: 00, 01, then 58 20 and the attester's id.
    for (lane, tips) in lanes {
        let tips: Vec<EventId> = tips.iter().copied().collect();
        bytes.extend_from_slice(&cbor::to_vec(lane));
        bytes.extend_from_slice(&cbor::to_vec(&tips));
    }
    Some(sha256(&[&bytes]))
}

/// The hash of a subtree with exactly one key.
pub fn leaf_hash(key: &SubjectId, value: &Hash) -> Hash {
    sha256(&[&[0], key.as_bytes(), value])
}

/// The hash of a subtree with more keys than one.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// The page under `key`, found to fit its place.
fn load<P: Pages>(pages: &P, key: PageKey) -> Result<Page, MapError<P::Error>> {
    let page = pages.page(&key).map_err(MapError::Read)?.ok_or(MapError::Missing(key))?;
    if page.fits(&key) { Ok(page) } else { Err(MapError::Damaged(key)) }
}

#[cfg(test)]
mod tests;
