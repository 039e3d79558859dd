//! Pages: sixteen children of the map's binary tree, stored together under path and version.

use super::{EMPTY, leaf_hash, node_hash};
use crate::id::SubjectId;
use crate::merkle::Hash;
use std::fmt;

/// Children of a page: it spans four bits of the key.
const WIDTH: usize = 16;

/// Nibbles of a key.
const KEY_NIBBLES: u8 = 64;

/// The first nibbles of a key: where in the map a page stands.
///
/// Shorter paths come first, so that the upper pages, which every change touches, lie together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NibblePath {
    len: u8,
    /// Four bits a nibble, the upper half first; what lies beyond the length is zero.
    bits: [u8; 32],
}

impl NibblePath {
    /// The path of the root page.
    pub const ROOT: Self = Self { len: 0, bits: [0; 32] };

    /// How many nibbles it has.
    pub fn len(&self) -> u8 {
        self.len
    }

    /// Whether it is the path of the root page.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The first `len` nibbles of a key; all of them if `len` is greater than 64.
    pub fn of(key: &SubjectId, len: u8) -> Self {
        let mut path = Self { len: len.min(KEY_NIBBLES), bits: *key.as_bytes() };
        let whole = usize::from(path.len / 2);
        if path.len % 2 == 1 {
            path.bits[whole] &= 0xf0;
        }
        path.bits[usize::from(path.len.div_ceil(2))..].fill(0);
        path
    }

    /// One nibble further; `nibble` is below 16. Nobody descends from the path of a whole key.
    #[must_use]
    pub fn child(mut self, nibble: usize) -> Self {
        debug_assert!(self.len < KEY_NIBBLES && nibble < WIDTH);
        let nibble = u8::try_from(nibble).expect("a page has 16 children");
        self.bits[usize::from(self.len / 2)] |= if self.len.is_multiple_of(2) { nibble << 4 } else { nibble };
        self.len += 1;
        self
    }

    /// Which child of the page at this path, shorter than a key, leads to `key`.
    pub fn next(&self, key: &SubjectId) -> usize {
        let byte = key.as_bytes()[usize::from(self.len / 2)];
        usize::from(if self.len.is_multiple_of(2) { byte >> 4 } else { byte & 0x0f })
    }
}

impl fmt::Display for NibblePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.bits.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).take(usize::from(self.len));
        f.write_str("/")?;
        digits.into_iter().try_for_each(|digit| write!(f, "{digit:x}"))
    }
}

impl fmt::Debug for NibblePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NibblePath({self})")
    }
}

/// Under what a page is stored. Ordered by length of path, path and version, as its bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageKey {
    /// Where the page stands.
    pub path: NibblePath,
    /// The version that wrote it.
    pub version: u64,
}

impl PageKey {
    /// Number of nibbles in one byte, the nibbles two a byte, version in 8 bytes, big-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let path = &self.path.bits[..usize::from(self.path.len.div_ceil(2))];
        [&[self.path.len], path, &self.version.to_be_bytes()].concat()
    }

    /// The key that has these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PageFormatError> {
        let (&len, rest) = bytes.split_first().ok_or(PageFormatError)?;
        let (path, version) = rest.split_last_chunk::<8>().ok_or(PageFormatError)?;
        if len >= KEY_NIBBLES || path.len() != usize::from(len.div_ceil(2)) {
            return Err(PageFormatError);
        }
        let mut bits = [0; 32];
        bits[..path.len()].copy_from_slice(path);
        if len % 2 == 1 && path.last().is_some_and(|last| last & 0x0f != 0) {
            return Err(PageFormatError);
        }
        Ok(Self { path: NibblePath { len, bits }, version: u64::from_be_bytes(*version) })
    }
}

impl fmt::Display for PageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of version {}", self.path, self.version)
    }
}

/// Bytes that are no page, or no key of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no page of the state map; the store is damaged, rebuild the map from the log")]
pub struct PageFormatError;

/// What stands below one of the sixteen places of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Child {
    /// No key.
    #[default]
    Empty,
    /// Exactly one key.
    Leaf {
        /// The key, whole.
        key: SubjectId,
        /// Its value.
        value: Hash,
    },
    /// More keys, on a page of their own.
    Page {
        /// The version that wrote that page.
        version: u64,
        /// The hash of its subtree.
        hash: Hash,
    },
}

/// Sixteen children. A page below the root has at least two keys beneath it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// One for each value of the next nibble. Boxed: pages are moved about more than read.
    pub(super) children: Box<[Child; WIDTH]>,
}

impl Page {
    /// Most bytes of an encoded page.
    pub const MAX_BYTES: usize = 4 + WIDTH * 64;

    /// The children, in order of their nibble.
    pub fn children(&self) -> &[Child; 16] {
        &self.children
    }

    /// The hash of the subtree.
    pub fn hash(&self) -> Hash {
        subtree(&*self.children).hash()
    }

    /// Two bytes that tell which places are taken and two that tell which of these are pages, the
    /// place of nibble 0 in the highest bit; then for each taken place key and value of a leaf, or
    /// version and hash of a page. Integers are big-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (mut taken, mut pages) = (0_u16, 0_u16);
        let mut bytes = vec![0; 4];
        for (nibble, child) in self.children.iter().enumerate() {
            let bit = 0x8000 >> nibble;
            match child {
                Child::Empty => {}
                Child::Leaf { key, value } => {
                    taken |= bit;
                    bytes.extend_from_slice(key.as_bytes());
                    bytes.extend_from_slice(value);
                }
                Child::Page { version, hash } => {
                    taken |= bit;
                    pages |= bit;
                    bytes.extend_from_slice(&version.to_be_bytes());
                    bytes.extend_from_slice(hash);
                }
            }
        }
        bytes[..2].copy_from_slice(&taken.to_be_bytes());
        bytes[2..4].copy_from_slice(&pages.to_be_bytes());
        bytes
    }

    /// The page that has these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PageFormatError> {
        let (taken, rest) = take(bytes)?;
        let (pages, mut rest) = take(rest)?;
        let (taken, pages) = (u16::from_be_bytes(taken), u16::from_be_bytes(pages));
        if pages & !taken != 0 {
            return Err(PageFormatError);
        }
        let mut page = Self::default();
        for (nibble, child) in page.children.iter_mut().enumerate() {
            let bit = 0x8000 >> nibble;
            if pages & bit != 0 {
                let (version, after) = take(rest)?;
                let (hash, after) = take(after)?;
                *child = Child::Page { version: u64::from_be_bytes(version), hash };
                rest = after;
            } else if taken & bit != 0 {
                let (key, after) = take(rest)?;
                let (value, after) = take(after)?;
                *child = Child::Leaf { key: SubjectId::from_bytes(key), value };
                rest = after;
            }
        }
        if rest.is_empty() { Ok(page) } else { Err(PageFormatError) }
    }

    /// Whether a page like this can have been written under `key`. Everything that walks the tree
    /// relies on it: leaves stand under their own nibbles, and no path is longer than a key.
    pub fn fits(&self, key: &PageKey) -> bool {
        let len = key.path.len + 1;
        let children = self.children.iter().enumerate().all(|(nibble, child)| match child {
            Child::Empty => true,
            Child::Leaf { key: leaf, .. } => NibblePath::of(leaf, len) == key.path.child(nibble),
            Child::Page { version, .. } => len < KEY_NIBBLES && *version <= key.version,
        });
        let enough = match single(&*self.children) {
            None => true,
            Some(Child::Leaf { .. }) => key.path.is_empty(),
            Some(_) => false,
        };
        children && enough
    }

    /// Walks towards `nibble` as deep as there is more than one key, adding to `siblings` the
    /// hashes passed by, the highest first; gives what stands there.
    pub(super) fn descend(&self, nibble: usize, siblings: &mut Vec<Hash>) -> Child {
        let mut range = &self.children[..];
        while range.len() > 1 {
            if let Some(single) = single(range) {
                return single;
            }
            let half = range.len() / 2;
            let (left, right) = range.split_at(half);
            let (taken, passed) = if nibble & half == 0 { (left, right) } else { (right, left) };
            siblings.push(subtree(passed).hash());
            range = taken;
        }
        range[0]
    }
}

/// The leaf or the emptiness below these children; nothing if there is more than one key.
pub(super) fn single(children: &[Child]) -> Option<Child> {
    let mut taken = children.iter().filter(|child| **child != Child::Empty);
    match (taken.next(), taken.next()) {
        (None, _) => Some(Child::Empty),
        (Some(leaf @ Child::Leaf { .. }), None) => Some(*leaf),
        _ => None,
    }
}

/// A subtree as its parent needs it: one with a single key is hashed as that leaf at every depth.
enum Subtree {
    Empty,
    Single(Hash),
    More(Hash),
}

impl Subtree {
    fn hash(&self) -> Hash {
        match self {
            Self::Empty => EMPTY,
            Self::Single(hash) | Self::More(hash) => *hash,
        }
    }
}

/// The subtree above these children, whose number is a power of two.
fn subtree(children: &[Child]) -> Subtree {
    match children {
        [] | [Child::Empty] => Subtree::Empty,
        [Child::Leaf { key, value }] => Subtree::Single(leaf_hash(key, value)),
        [Child::Page { hash, .. }] => Subtree::More(*hash),
        more => {
            let (left, right) = more.split_at(more.len() / 2);
            match (subtree(left), subtree(right)) {
                (Subtree::Empty, Subtree::Empty) => Subtree::Empty,
                (Subtree::Single(hash), Subtree::Empty) | (Subtree::Empty, Subtree::Single(hash)) => {
                    Subtree::Single(hash)
                }
                (left, right) => Subtree::More(node_hash(&left.hash(), &right.hash())),
            }
        }
    }
}

fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), PageFormatError> {
    bytes.split_first_chunk().map(|(chunk, rest)| (*chunk, rest)).ok_or(PageFormatError)
}
