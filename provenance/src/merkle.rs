//! The log's Merkle tree (RFC 9162 §2.1) over 256-wide tiles (C2SP tlog-tiles).

use crate::id::sha256;

/// A node of the tree.
pub type Hash = [u8; 32];

/// Hashes in the rows of a full tile.
pub const TILE_WIDTH: u64 = 256;

/// Levels of the tree that one tile row spans.
const TILE_HEIGHT: u32 = 8;

/// A proof longer than this would belong to a tree that no disk holds.
const MAX_PROOF: usize = 64;

/// Why a proof is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// An index or size outside the tree.
    #[error("the index or size lies outside the log of {0} entries")]
    Range(u64),
    /// More or fewer hashes than tree and index ask for.
    #[error("the proof has the wrong number of hashes")]
    Length,
    /// Hashes that lead to another root.
    #[error("the proof leads to another root than the one that is claimed")]
    Root,
}

/// The hash of an entry.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    sha256(&[&[0], entry])
}

/// The hash of two neighbours.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// The root of a log without entries.
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// Reads the root of a complete subtree: 2^`level` leaves from `index` × 2^`level` on.
pub trait Nodes {
    /// What can go wrong while reading.
    type Error;
    /// The hash of that subtree, all of whose leaves exist.
    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// Roots of the complete subtrees of which a log of some size consists, largest first; enough to
/// append and to know the root, without reading anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// The frontier of a stored log.
    pub fn load<N: Nodes>(size: u64, nodes: &N) -> Result<Self, N::Error> {
        let roots = subtrees(0, size).map(|(level, index)| nodes.node(level, index)).collect::<Result<_, _>>()?;
        Ok(Self { size, roots })
    }

    /// The frontier of `size` entries that has these roots; nothing if their number is another.
    pub fn from_roots(size: u64, roots: Vec<Hash>) -> Option<Self> {
        (roots.len() == size.count_ones() as usize).then_some(Self { size, roots })
    }

    /// How many entries the log has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of its complete subtrees, largest first.
    pub fn roots(&self) -> &[Hash] {
        &self.roots
    }

    /// The root of the log.
    pub fn root(&self) -> Hash {
        self.roots.iter().rev().copied().reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
    }

    /// Appends a leaf; `finished` is told every subtree that the leaf completes, itself first.
    pub fn append(&mut self, leaf: Hash, finished: impl FnMut(u32, u64, Hash)) {
        self.append_subtree(0, leaf, finished);
    }

    /// Appends a complete subtree of 2^`level` leaves; the size must be a multiple of as many.
    pub(crate) fn append_subtree(&mut self, level: u32, root: Hash, mut finished: impl FnMut(u32, u64, Hash)) {
        self.size += 1 << level;
        let (mut level, mut index, mut hash) = (level, (self.size >> level) - 1, root);
        finished(level, index, hash);
        while index % 2 == 1 {
            let left = self.roots.pop().expect("an odd index has a left neighbour");
            hash = node_hash(&left, &hash);
            (level, index) = (level + 1, index / 2);
            finished(level, index, hash);
        }
        self.roots.push(hash);
    }
}

/// Complete subtrees that cover leaves `start` to `end`, largest first; `start` must be a multiple
/// of the largest.
fn subtrees(start: u64, end: u64) -> impl Iterator<Item = (u32, u64)> {
    let mut next = start;
    std::iter::from_fn(move || {
        let left = end.checked_sub(next).filter(|left| *left > 0)?;
        let level = left.ilog2();
        let index = next >> level;
        next += 1 << level;
        Some((level, index))
    })
}

/// The root over leaves `start` to `end`.
fn range_root<N: Nodes>(start: u64, end: u64, nodes: &N) -> Result<Hash, N::Error> {
    let roots = subtrees(start, end).map(|(level, index)| nodes.node(level, index)).collect::<Result<Vec<_>, _>>()?;
    Ok(roots.into_iter().rev().reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root))
}

/// The root of the first `size` entries.
pub fn root<N: Nodes>(size: u64, nodes: &N) -> Result<Hash, N::Error> {
    range_root(0, size, nodes)
}

/// The largest power of two below `n`, for `n` of at least 2.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The proof that entry `index` stands in the log of `size` entries (RFC 9162 §2.1.3.1).
/// Nothing if the index lies outside.
pub fn inclusion_proof<N: Nodes>(index: u64, size: u64, nodes: &N) -> Result<Option<Vec<Hash>>, N::Error> {
    if index >= size {
        return Ok(None);
    }
    let (mut start, mut end, mut proof) = (0, size, Vec::new());
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(range_root(middle, end, nodes)?);
            end = middle;
        } else {
            proof.push(range_root(start, middle, nodes)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(Some(proof))
}

/// Checks a proof of inclusion (RFC 9162 §2.1.3.2).
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], expected: &Hash) -> Result<(), ProofError> {
    let root = inclusion_root(leaf, index, size, proof)?;
    if root == *expected { Ok(()) } else { Err(ProofError::Root) }
}

/// The root to which a proof of inclusion leads, for whoever then checks a signature on it.
pub fn inclusion_root(leaf: &Hash, index: u64, size: u64, proof: &[Hash]) -> Result<Hash, ProofError> {
    if index >= size {
        return Err(ProofError::Range(size));
    }
    let (mut fnode, mut snode, mut hash) = (index, size - 1, *leaf);
    for sibling in proof.iter().take(MAX_PROOF + 1) {
        if snode == 0 {
            return Err(ProofError::Length);
        }
        if fnode % 2 == 1 || fnode == snode {
            hash = node_hash(sibling, &hash);
            while fnode % 2 == 0 && fnode != 0 {
                (fnode, snode) = (fnode >> 1, snode >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (fnode, snode) = (fnode >> 1, snode >> 1);
    }
    if snode == 0 { Ok(hash) } else { Err(ProofError::Length) }
}

/// The proof that the log of `old` entries is the beginning of the one of `new` entries
/// (RFC 9162 §2.1.4.1). Empty where both are the same; nothing where the sizes are impossible.
pub fn consistency_proof<N: Nodes>(old: u64, new: u64, nodes: &N) -> Result<Option<Vec<Hash>>, N::Error> {
    if old == 0 || old > new {
        return Ok(None);
    }
    let (mut start, mut end, mut proof) = (0, new, Vec::new());
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(range_root(middle, end, nodes)?);
            end = middle;
        } else {
            proof.push(range_root(start, middle, nodes)?);
            start = middle;
        }
    }
    // A subtree that starts the whole tree is the old root itself, which the verifier has.
    if start != 0 {
        proof.push(range_root(start, end, nodes)?);
    }
    proof.reverse();
    Ok(Some(proof))
}

/// Checks a proof of consistency (RFC 9162 §2.1.4.2).
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    let root = consistency_root(old, new, old_root, proof)?;
    if root == *new_root { Ok(()) } else { Err(ProofError::Root) }
}

/// The new root to which a proof of consistency leads from the old one, for whoever then checks a
/// signature on it.
pub fn consistency_root(old: u64, new: u64, old_root: &Hash, proof: &[Hash]) -> Result<Hash, ProofError> {
    if old == 0 || old > new {
        return Err(ProofError::Range(new));
    }
    if old == new {
        return if proof.is_empty() { Ok(*old_root) } else { Err(ProofError::Length) };
    }
    let mut hashes = proof.iter();
    let first = if old.is_power_of_two() { old_root } else { hashes.next().ok_or(ProofError::Length)? };
    let (mut fnode, mut snode) = (old - 1, new - 1);
    while fnode % 2 == 1 {
        (fnode, snode) = (fnode >> 1, snode >> 1);
    }
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in hashes.take(MAX_PROOF + 1) {
        if snode == 0 {
            return Err(ProofError::Length);
        }
        if fnode % 2 == 1 || fnode == snode {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while fnode % 2 == 0 && fnode != 0 {
                (fnode, snode) = (fnode >> 1, snode >> 1);
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        (fnode, snode) = (fnode >> 1, snode >> 1);
    }
    if snode != 0 {
        return Err(ProofError::Length);
    }
    if old_hash == *old_root { Ok(new_hash) } else { Err(ProofError::Root) }
}

/// Where the root of a complete subtree is found in the tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TilePosition {
    /// Row of tiles, 0 at the leaves.
    pub level: u8,
    /// Which tile of the row.
    pub index: u64,
    /// First of the tile's hashes below the subtree.
    pub first: u64,
    /// How many of them lie below it.
    pub count: u64,
}

/// Subtrees between two rows of tiles are not stored: they are hashed from the lower row.
pub fn tile_position(level: u32, index: u64) -> TilePosition {
    let row = level / TILE_HEIGHT;
    let count = 1 << (level % TILE_HEIGHT);
    let start = index * count;
    TilePosition {
        level: u8::try_from(row).expect("a tree of 2^64 leaves has 8 rows of tiles"),
        index: start / TILE_WIDTH,
        first: start % TILE_WIDTH,
        count,
    }
}

/// The root over a complete run of hashes; their number is a power of two.
pub fn complete_root(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => empty_root(),
        [one] => *one,
        more => {
            let (left, right) = more.split_at(more.len() / 2);
            node_hash(&complete_root(left), &complete_root(right))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use std::convert::Infallible;

    /// The tree as RFC 9162 §2.1.1 defines it, without any cleverness.
    fn naive_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [one] => *one,
            more => {
                let (left, right) = more.split_at(usize::try_from(split(more.len() as u64)).unwrap());
                node_hash(&naive_root(left), &naive_root(right))
            }
        }
    }

    #[derive(Default)]
    struct Memory {
        nodes: HashMap<(u32, u64), Hash>,
        frontier: Frontier,
        leaves: Vec<Hash>,
    }

    impl Memory {
        fn of(size: u64) -> Self {
            let mut log = Self::default();
            for entry in 0..size {
                let leaf = leaf_hash(&entry.to_be_bytes());
                log.leaves.push(leaf);
                log.frontier.append(leaf, |level, index, hash| {
                    log.nodes.insert((level, index), hash);
                });
            }
            log
        }
    }

    impl Nodes for Memory {
        type Error = Infallible;
        fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
            Ok(self.nodes[&(level, index)])
        }
    }

    #[test]
    fn roots_of_the_published_test_tree() {
        // The eight leaves of the Certificate Transparency reference implementation.
        let inputs =
            ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
        let mut frontier = Frontier::default();
        for input in inputs {
            frontier.append(leaf_hash(&data_encoding::HEXLOWER.decode(input.as_bytes()).unwrap()), |_, _, _| {});
        }
        let root = data_encoding::HEXLOWER.encode(&frontier.root());
        assert_eq!(root, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
    }

    proptest! {
        #[test]
        fn every_proof_made_verifies_and_no_flipped_bit_does(size in 1_u64..600, a in any::<u64>(), b in any::<u64>(), bit in any::<usize>()) {
            let log = Memory::of(size);
            let root_now = log.frontier.root();
            prop_assert_eq!(root_now, naive_root(&log.leaves));
            prop_assert_eq!(root(size, &log).unwrap(), root_now);
            prop_assert_eq!(&Frontier::load(size, &log).unwrap(), &log.frontier);
            let roots = log.frontier.roots().to_vec();
            let rebuilt = Frontier::from_roots(size, roots.clone());
            prop_assert_eq!(rebuilt.as_ref(), Some(&log.frontier));
            prop_assert_eq!(Frontier::from_roots(size ^ 1, roots), None);

            let index = a % size;
            let leaf = log.leaves[usize::try_from(index).unwrap()];
            let mut proof = inclusion_proof(index, size, &log).unwrap().unwrap();
            prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root_now), Ok(()));
            prop_assert!(verify_inclusion(&leaf, (index + 1) % (size + 1), size, &proof, &root_now).is_err() || size == 1);
            if !proof.is_empty() {
                let at = bit % (proof.len() * 256);
                proof[at / 256][at % 256 / 8] ^= 1 << (at % 8);
                prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root_now), Err(ProofError::Root));
                proof.pop();
                prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root_now), Err(ProofError::Length));
            }

            let old = b % size + 1;
            let old_root = root(old, &log).unwrap();
            let mut proof = consistency_proof(old, size, &log).unwrap().unwrap();
            prop_assert_eq!(verify_consistency(old, size, &old_root, &root_now, &proof), Ok(()));
            if !proof.is_empty() {
                let at = bit % (proof.len() * 256);
                proof[at / 256][at % 256 / 8] ^= 1 << (at % 8);
                prop_assert_eq!(verify_consistency(old, size, &old_root, &root_now, &proof), Err(ProofError::Root));
            }
        }

        #[test]
        fn tiles_hold_every_subtree(size in 1_u64..70_000, level in 0_u32..16, index in any::<u64>()) {
            prop_assume!(size >> level > 0);
            let index = index % (size >> level);
            let position = tile_position(level, index);
            prop_assert!(position.first + position.count <= TILE_WIDTH);
            let row = TILE_HEIGHT * u32::from(position.level);
            prop_assert_eq!((position.index * TILE_WIDTH + position.first) << row, index << level);
        }
    }
}
