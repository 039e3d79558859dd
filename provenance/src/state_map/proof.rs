//! Proofs that a subject has a value in the map, or that it is not in it.

use super::{Child, EMPTY, MapError, NibblePath, PageKey, Pages, RootRef, leaf_hash, load, node_hash};
use crate::id::SubjectId;
use crate::merkle::Hash;

/// Most siblings of a proof: one for each bit of the key.
pub const MAX_SIBLINGS: usize = 256;

/// What stands at the end of a key's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The key itself, with the value that the verifier has computed.
    Leaf,
    /// Nothing.
    Empty,
    /// Another key, where the one asked for would have to stand.
    Other {
        /// That key.
        key: SubjectId,
        /// Its value.
        value: Hash,
    },
}

/// What leads from a place in the map up to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The hashes beside the way, the lowest first; at most [`MAX_SIBLINGS`].
    pub siblings: Vec<Hash>,
    /// What stands at the place.
    pub place: Place,
}

/// Why a proof is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MapProofError {
    /// More siblings than a key has bits.
    #[error("the proof has {0} hashes; a key has 256 bits, so there are at most 256")]
    Length(usize),
    /// A proof of presence for a subject that should be absent, or the reverse.
    #[error("the proof is of the wrong kind: one shows that a subject is in the map, the other that it is not")]
    Kind,
    /// A leaf that says nothing about the key asked for.
    #[error("the other key in the proof of absence does not stand in the way of the one asked for")]
    OtherKey,
    /// Hashes that lead to another root.
    #[error("the proof leads to another state root: something of the subject's history is withheld or added")]
    Root,
}

impl Proof {
    /// Checks that in the map of this root the key has the value, or no value if there is none.
    pub fn verify(&self, root: &Hash, key: &SubjectId, value: Option<&Hash>) -> Result<(), MapProofError> {
        let depth = self.siblings.len();
        if depth > MAX_SIBLINGS {
            return Err(MapProofError::Length(depth));
        }
        let mut hash = match (self.place, value) {
            (Place::Leaf, Some(value)) => leaf_hash(key, value),
            (Place::Empty, None) => EMPTY,
            (Place::Other { key: other, value }, None) => {
                if other == *key || (0..depth).any(|at| bit(&other, at) != bit(key, at)) {
                    return Err(MapProofError::OtherKey);
                }
                leaf_hash(&other, &value)
            }
            _ => return Err(MapProofError::Kind),
        };
        for (sibling, at) in self.siblings.iter().zip((0..depth).rev()) {
            hash = if bit(key, at) { node_hash(sibling, &hash) } else { node_hash(&hash, sibling) };
        }
        if hash == *root { Ok(()) } else { Err(MapProofError::Root) }
    }
}

/// The proof of what the map has for `key`: its place is [`Place::Leaf`] if the key is in the map.
pub fn prove<P: Pages>(root: Option<RootRef>, key: &SubjectId, pages: &P) -> Result<Proof, MapError<P::Error>> {
    let mut siblings = Vec::new();
    let Some(RootRef { mut version, .. }) = root else {
        return Ok(Proof { siblings, place: Place::Empty });
    };
    let mut path = NibblePath::ROOT;
    let place = loop {
        let page = load(pages, PageKey { path, version })?;
        let nibble = path.next(key);
        match page.descend(nibble, &mut siblings) {
            Child::Page { version: deeper, .. } => (path, version) = (path.child(nibble), deeper),
            Child::Leaf { key: found, .. } if found == *key => break Place::Leaf,
            Child::Leaf { key, value } => break Place::Other { key, value },
            Child::Empty => break Place::Empty,
        }
    };
    siblings.reverse();
    Ok(Proof { siblings, place })
}

/// Bit `at` of a key, the most significant of the first byte being bit 0.
fn bit(key: &SubjectId, at: usize) -> bool {
    key.as_bytes()[at / 8] >> (7 - at % 8) & 1 == 1
}
