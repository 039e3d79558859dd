//! Looking a key up in a Merkle Patricia trie (Yellow Paper, appendix D) of which only the nodes on the way are known.

use super::{MAX_NODE_BYTES, MAX_PROOF_NODES, TrieNode, keccak256, rlp};

/// The value of `key` in the trie with this root; none unless `nodes` are exactly those on the way from the root to it.
///
/// Each node stands for the hash by which the one before refers to it, the first for the root. A node shorter than a
/// hash is written into its parent and is not among `nodes`. Absence cannot be shown, and keys that are prefixes of
/// others cannot be looked up: neither the tries of accounts and storage nor that of receipts has such.
pub(super) fn look_up<'a>(root: &[u8; 32], key: &[u8], nodes: &'a [TrieNode]) -> Option<&'a [u8]> {
    if nodes.len() > MAX_PROOF_NODES || nodes.iter().any(|node| node.len() > MAX_NODE_BYTES) {
        return None;
    }
    let mut nodes = nodes.iter();
    let mut node = referred_to(root, nodes.next()?)?;
    let mut path = Path { key, at: 0 };
    loop {
        let child = match rlp::list(node)?.as_slice() {
            [partial, second] => {
                if path.follow(rlp::string(partial)?)? == Kind::Leaf {
                    let value = rlp::string(second)?;
                    return (path.is_at_its_end() && nodes.next().is_none() && !value.is_empty()).then_some(value);
                }
                *second
            }
            branch if branch.len() == 17 => branch[path.next()?],
            _ => return None,
        };
        node = match rlp::hash(child) {
            Some(hash) => referred_to(&hash, nodes.next()?)?,
            // A string that is no hash is refused as no list by the next step.
            None => child,
        };
    }
}

fn referred_to<'a>(hash: &[u8; 32], node: &'a TrieNode) -> Option<&'a [u8]> {
    (keccak256(node) == *hash).then_some(node)
}

#[derive(PartialEq, Eq)]
enum Kind {
    Extension,
    Leaf,
}

/// A key in half bytes, and how far it was followed.
struct Path<'a> {
    key: &'a [u8],
    at: usize,
}

impl Path<'_> {
    fn next(&mut self) -> Option<usize> {
        let byte = *self.key.get(self.at / 2)?;
        let half = if self.at.is_multiple_of(2) { byte >> 4 } else { byte & 0x0f };
        self.at += 1;
        Some(usize::from(half))
    }

    fn is_at_its_end(&self) -> bool {
        self.at == 2 * self.key.len()
    }

    /// Follows the partial path of a leaf or extension (hex-prefix encoding, Yellow Paper appendix C).
    fn follow(&mut self, partial: &[u8]) -> Option<Kind> {
        let (first, rest) = partial.split_first()?;
        let half = first & 0x0f;
        let (kind, is_odd) = match first >> 4 {
            0 => (Kind::Extension, false),
            1 => (Kind::Extension, true),
            2 => (Kind::Leaf, false),
            3 => (Kind::Leaf, true),
            _ => return None,
        };
        let fits = if is_odd { self.next()? == usize::from(half) } else { half == 0 };
        let rest_fits =
            rest.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).all(|half| self.next() == Some(usize::from(half)));
        // An extension that goes nowhere is in no trie.
        let goes_on = kind == Kind::Leaf || is_odd || !rest.is_empty();
        (fits && rest_fits && goes_on).then_some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_trie::proof::ProofRetainer;
    use alloy_trie::{HashBuilder, Nibbles};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

    /// Root and proof of one key, made by another implementation.
    fn prove(entries: &Entries, key: &[u8]) -> ([u8; 32], Vec<TrieNode>) {
        let retainer = ProofRetainer::new(vec![Nibbles::unpack(key)]);
        let mut builder = HashBuilder::default().with_proof_retainer(retainer);
        for (key, value) in entries {
            builder.add_leaf(Nibbles::unpack(key), value);
        }
        let root = builder.root().0;
        let nodes = builder.take_proof_nodes().into_nodes_sorted();
        (root, nodes.into_iter().map(|(_, node)| node.to_vec()).collect())
    }

    fn entries(count: u8) -> Entries {
        (0..count).map(|number| (keccak256(&[number]).to_vec(), vec![number + 1; 40])).collect()
    }

    #[test]
    fn what_another_implementation_proves_is_found() {
        for count in [1, 2, 17, 200] {
            let entries = entries(count);
            for (key, value) in &entries {
                let (root, nodes) = prove(&entries, key);
                assert_eq!(look_up(&root, key, &nodes), Some(&value[..]));
            }
        }
    }

    #[test]
    fn nodes_that_are_written_into_their_parents_are_entered() {
        let mut entries = Entries::new();
        entries.insert(vec![0x12, 0x34, 0x56], vec![1]);
        entries.insert(vec![0x12, 0x34, 0x57], vec![2]);
        entries.insert(vec![0x12, 0x99, 0x57], vec![3; 40]);
        for (key, value) in &entries {
            let (root, mut nodes) = prove(&entries, key);
            // The other implementation lists such nodes too.
            nodes.retain(|node| node.len() >= 32 || keccak256(node) == root);
            assert_eq!(look_up(&root, key, &nodes), Some(&value[..]), "{key:x?}");
        }
    }

    #[test]
    fn absence_is_no_value() {
        let entries = entries(20);
        let absent = keccak256(b"absent");
        let (root, nodes) = prove(&entries, &absent);
        assert!(!nodes.is_empty());
        assert_eq!(look_up(&root, &absent, &nodes), None);
        let empty = keccak256(&[0x80]);
        assert_eq!(look_up(&empty, &absent, &[]), None);
        assert_eq!(look_up(&empty, &absent, &[vec![0x80]]), None);
    }

    #[test]
    fn only_the_nodes_on_the_way_are_taken() {
        let entries = entries(200);
        let key = keccak256(&[7]);
        let (root, nodes) = prove(&entries, &key);
        assert!(nodes.len() > 2);
        assert_eq!(look_up(&root, &key, &[]), None, "no node");
        assert_eq!(look_up(&root, &key, &nodes[..nodes.len() - 1]), None, "cut short");
        assert_eq!(look_up(&root, &key, &nodes[1..]), None, "the first is not the root's");
        for at in 0..=nodes.len() {
            for extra in [vec![0x80], vec![], nodes[0].clone(), nodes[nodes.len() - 1].clone()] {
                let mut more = nodes.clone();
                more.insert(at, extra);
                assert_eq!(look_up(&root, &key, &more), None, "a node too many at {at}");
            }
        }
        assert_eq!(look_up(&root, &key[..31], &nodes), None, "a shorter key");
        assert_eq!(look_up(&root, &[&key[..], &[0]].concat(), &nodes), None, "a longer key");
        assert_eq!(look_up(&root, &keccak256(&[8]), &nodes), None, "another key");
    }

    /// Nodes that hash rightly, but that no trie has.
    #[test]
    fn crafted_nodes_are_refused() {
        let crafted = |node: Vec<u8>| look_up(&keccak256(&node), &[0x12], &[node]).map(<[u8]>::to_vec);
        assert_eq!(crafted(vec![0xc3, 0x82, 0x20, 0x12]), None, "an item too few");
        assert_eq!(crafted(vec![0xc4, 0x82, 0x20, 0x12, 0x05]), Some(vec![5]));
        assert_eq!(crafted(vec![0xc4, 0x82, 0x20, 0x12, 0x05, 0x00]), None, "bytes after the node");
        assert_eq!(crafted(vec![0xc4, 0x82, 0x21, 0x12, 0x05]), None, "an even path with a half byte in the flag");
        assert_eq!(crafted(vec![0xc4, 0x82, 0x40, 0x12, 0x05]), None, "no such flag");
        assert_eq!(crafted(vec![0xc4, 0x82, 0x20, 0x12, 0x80]), None, "an empty value");
        assert_eq!(crafted(vec![0xc4, 0x82, 0x20, 0x12, 0xc0]), None, "a value that is a list");
        assert_eq!(crafted(vec![0xc4, 0x82, 0x00, 0x12, 0x05]), None, "an extension to no node");
        assert_eq!(crafted(vec![0xc3, 0x20, 0x05, 0x05]), None, "an item too many");
        assert_eq!(crafted(vec![0xc2, 0x80, 0x05]), None, "no flag");
        assert_eq!(crafted(vec![]), None);
        // Extensions that go nowhere, in each other.
        let mut nested = vec![0xc4, 0x82, 0x20, 0x12, 0x05];
        for _ in 0..20 {
            nested = [&[0xc1 + u8::try_from(nested.len()).unwrap(), 0x00][..], &nested].concat();
        }
        assert_eq!(crafted(nested), None);
        let too_long = vec![0; MAX_NODE_BYTES + 1];
        assert_eq!(crafted(too_long), None);
    }

    proptest! {
        #[test]
        fn one_flipped_bit_finds_nothing(number in 0..60_u8, at: prop::sample::Index, bit in 0..8_u8) {
            let entries = entries(60);
            let key = keccak256(&[number]);
            let (root, mut nodes) = prove(&entries, &key);
            let node = at.index(nodes.len());
            let byte = at.index(nodes[node].len());
            nodes[node][byte] ^= 1 << bit;
            prop_assert_eq!(look_up(&root, &key, &nodes), None);
        }

        #[test]
        fn any_entries_are_found(
            entries in prop::collection::btree_map(any::<[u8; 4]>(), prop::collection::vec(1..=255_u8, 1..80), 1..40),
            at: prop::sample::Index,
        ) {
            let entries: Entries = entries.into_iter().map(|(key, value)| (key.to_vec(), value)).collect();
            let (key, value) = entries.iter().nth(at.index(entries.len())).unwrap();
            let (root, mut nodes) = prove(&entries, key);
            nodes.retain(|node| node.len() >= 32 || keccak256(node) == root);
            prop_assert_eq!(look_up(&root, key, &nodes), Some(&value[..]));
        }

        #[test]
        fn no_bytes_make_it_panic(key: Vec<u8>, node: Vec<u8>, more: Vec<Vec<u8>>) {
            let root = keccak256(&node);
            let nodes: Vec<_> = std::iter::once(node).chain(more).collect();
            let _ = look_up(&root, &key, &nodes);
        }
    }
}
