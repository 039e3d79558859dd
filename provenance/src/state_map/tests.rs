//! The map against its definition, and its bytes against golden ones.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;
use std::convert::Infallible;

#[derive(Debug, Clone, Default)]
struct Memory(HashMap<PageKey, Page>);

impl Pages for Memory {
    type Error = Infallible;
    fn page(&self, key: &PageKey) -> Result<Option<Page>, Infallible> {
        Ok(self.0.get(key).cloned())
    }
}

impl Memory {
    fn store(&mut self, update: &Update) {
        for (key, page) in &update.written {
            let read = Page::from_bytes(&page.to_bytes()).unwrap();
            assert!(self.0.insert(*key, read).is_none(), "a page is never written over");
        }
    }
}

type Entries = BTreeMap<SubjectId, Hash>;

/// The root as `docs/state-map.md` defines it, without any cleverness.
fn naive_root(entries: &[(SubjectId, Hash)], depth: usize) -> Hash {
    match entries {
        [] => EMPTY,
        [(key, value)] => leaf_hash(key, value),
        more => {
            let right = more.partition_point(|(key, _)| key.as_bytes()[depth / 8] & (0x80 >> (depth % 8)) == 0);
            let (left, right) = more.split_at(right);
            node_hash(&naive_root(left, depth + 1), &naive_root(right, depth + 1))
        }
    }
}

fn root_of(entries: &Entries) -> Hash {
    naive_root(&entries.iter().map(|(key, value)| (*key, *value)).collect::<Vec<_>>(), 0)
}

fn key(number: u32) -> SubjectId {
    SubjectId::from_bytes(sha256(&[&number.to_be_bytes()]))
}

/// Keys that crowd together: one of four bases up to a bit, random after it.
fn crowded() -> impl Strategy<Value = SubjectId> {
    (0_u8..4, 0_usize..256, any::<[u8; 32]>()).prop_map(|(base, common, mut bytes)| {
        let base = sha256(&[&[base]]);
        for at in 0..common {
            let mask = 0x80 >> (at % 8);
            bytes[at / 8] = bytes[at / 8] & !mask | base[at / 8] & mask;
        }
        if common == 255 {
            bytes[31] ^= 1;
        }
        SubjectId::from_bytes(bytes)
    })
}

/// Batches over few keys, so that many values change and many keys are removed.
fn batches() -> impl Strategy<Value = Vec<BTreeMap<SubjectId, Option<Hash>>>> {
    prop::collection::vec(crowded(), 1..40).prop_flat_map(|keys| {
        let value = prop::option::weighted(0.6, any::<u8>().prop_map(|byte| [byte; 32]));
        prop::collection::vec(prop::collection::btree_map(prop::sample::select(keys), value, 0..20), 1..8)
    })
}

fn apply(entries: &mut Entries, changes: &BTreeMap<SubjectId, Option<Hash>>) {
    for (key, value) in changes {
        match value {
            Some(value) => entries.insert(*key, *value),
            None => entries.remove(key),
        };
    }
}

/// Proofs for keys in the map and beside it hold, and hold for nothing else.
fn check(root: Option<RootRef>, entries: &Entries, asked: &[SubjectId], pages: &Memory) -> Result<(), TestCaseError> {
    let hash = root.map_or(EMPTY, |root| root.hash);
    prop_assert_eq!(hash, root_of(entries));
    for key in entries.keys().chain(asked) {
        let proof = prove(root, key, pages).unwrap();
        let value = entries.get(key);
        prop_assert_eq!(proof.verify(&hash, key, value), Ok(()));
        let wrong = if value.is_some() { None } else { Some(&[7; 32]) };
        prop_assert_eq!(proof.verify(&hash, key, wrong), Err(MapProofError::Kind));
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_way_leads_to_the_defined_root(batches in batches(), asked in prop::collection::vec(crowded(), 8)) {
        let (mut pages, mut root, mut entries) = (Memory::default(), None, Entries::new());
        let mut history = Vec::new();
        for (version, changes) in (1..).zip(&batches) {
            let update = update(root, changes, version, &pages).unwrap();
            apply(&mut entries, changes);
            prop_assert_eq!(update.root_hash(), root_of(&entries));
            if update.root == root {
                prop_assert!(update.written.is_empty() && update.replaced.is_empty());
            }
            pages.store(&update);
            root = update.root;
            history.push((root, entries.clone(), update.replaced));
        }
        // One batch that does the same: the same root, pages of the same content, the same proofs.
        let all: BTreeMap<_, _> = entries.iter().map(|(key, value)| (*key, Some(*value))).collect();
        let mut at_once = Memory::default();
        let fresh = update(None, &all, 1, &at_once).unwrap();
        at_once.store(&fresh);
        prop_assert_eq!(fresh.root_hash(), root.map_or(EMPTY, |root| root.hash));
        for key in entries.keys().chain(&asked) {
            prop_assert_eq!(prove(root, key, &pages).unwrap(), prove(fresh.root, key, &at_once).unwrap());
        }
        // Every version is whole until it is pruned, and pruning it leaves the later ones whole.
        for oldest in 0..history.len() {
            for key in &history[oldest].2 {
                prop_assert!(pages.0.remove(key).is_some(), "a page is replaced once");
            }
            for (root, entries, _) in &history[oldest..] {
                check(*root, entries, &asked, &pages)?;
            }
        }
        // Nothing is left that no version needs.
        prop_assert_eq!(pages.0.len(), at_once.0.len());
    }

    #[test]
    fn a_changed_proof_is_refused(
        keys in prop::collection::btree_map(crowded(), any::<[u8; 32]>(), 0..20),
        asked in crowded(),
        flipped in any::<prop::sample::Index>(),
    ) {
        let mut pages = Memory::default();
        let changes = keys.iter().map(|(key, value)| (*key, Some(*value))).collect();
        let update = update(None, &changes, 1, &pages).unwrap();
        pages.store(&update);
        let hash = update.root_hash();
        for key in keys.keys().chain([&asked]) {
            let (proof, value) = (prove(update.root, key, &pages).unwrap(), keys.get(key));
            let mut long = proof.clone();
            long.siblings.push(EMPTY);
            prop_assert!(long.verify(&hash, key, value).is_err());
            let mut long = proof.clone();
            long.siblings.insert(0, EMPTY);
            prop_assert!(long.verify(&hash, key, value).is_err());
            let bits = proof.siblings.len() * 256;
            if bits > 0 {
                let bit = flipped.index(bits);
                let mut wrong = proof.clone();
                wrong.siblings[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
                prop_assert!(wrong.verify(&hash, key, value).is_err());
                let mut short = proof.clone();
                short.siblings.remove(bit / 256);
                prop_assert!(short.verify(&hash, key, value).is_err());
            }
            if let Place::Other { key: other, value: found } = proof.place {
                let (mut flipped_key, mut flipped_value) = (*other.as_bytes(), found);
                let bit = flipped.index(256);
                flipped_key[bit / 8] ^= 1 << (bit % 8);
                flipped_value[bit / 8] ^= 1 << (bit % 8);
                for place in [
                    Place::Other { key: SubjectId::from_bytes(flipped_key), value: found },
                    Place::Other { key: other, value: flipped_value },
                    Place::Other { key: *key, value: found },
                    Place::Empty,
                ] {
                    let wrong = Proof { place, ..proof.clone() };
                    prop_assert!(wrong.verify(&hash, key, None).is_err());
                }
            }
            let mut other_root = hash;
            other_root[flipped.index(32)] ^= 1;
            prop_assert!(proof.verify(&other_root, key, value).is_err());
            if let Some(value) = value {
                let mut wrong = *value;
                wrong[flipped.index(32)] ^= 0x10;
                prop_assert!(proof.verify(&hash, key, Some(&wrong)).is_err());
            }
        }
    }

    #[test]
    fn page_keys_keep_their_order(a in (crowded(), 0_u8..64, any::<u64>()), b in (crowded(), 0_u8..64, any::<u64>())) {
        let [a, b] = [a, b].map(|(key, len, version)| PageKey { path: NibblePath::of(&key, len), version });
        prop_assert_eq!(PageKey::from_bytes(&a.to_bytes()), Ok(a));
        prop_assert_eq!(a.cmp(&b), a.to_bytes().cmp(&b.to_bytes()));
    }

    #[test]
    fn pages_are_read_strictly(bytes in prop::collection::vec(any::<u8>(), 0..1100)) {
        if let Ok(page) = Page::from_bytes(&bytes) {
            prop_assert_eq!(&page.to_bytes(), &bytes);
        }
        if let Ok(key) = PageKey::from_bytes(&bytes) {
            prop_assert_eq!(&key.to_bytes(), &bytes);
        }
    }
}

fn set(entries: impl IntoIterator<Item = (SubjectId, Hash)>) -> BTreeMap<SubjectId, Option<Hash>> {
    entries.into_iter().map(|(key, value)| (key, Some(value))).collect()
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// The test vectors of `docs/state-map.md`.
#[test]
fn golden_roots() {
    let keys = [[0x00; 32], [0x0f; 32], [0xf0; 32]].map(SubjectId::from_bytes);
    let values = [[0x11; 32], [0x22; 32], [0x33; 32]];
    let entries = keys.into_iter().zip(values);
    let nothing = Memory::default();
    assert_eq!(update(None, &BTreeMap::new(), 1, &nothing).unwrap().root_hash(), EMPTY);
    let one = update(None, &set(entries.clone().take(1)), 1, &nothing).unwrap();
    assert_eq!(hex(&one.root_hash()), "8e724b356ecbd683d218e82e1a5c03ccbff6bd2949257bcc7a8e35297d18e992");
    let three = update(None, &set(entries), 1, &nothing).unwrap();
    assert_eq!(hex(&three.root_hash()), "539b6b0298a5b072b1c774a4208a9f1956926e48d5dde8e4b787dd1b82105ee8");

    let mut pages = Memory::default();
    pages.store(&three);
    let present = prove(three.root, &keys[0], &pages).unwrap();
    assert_eq!(present.place, Place::Leaf);
    let siblings: Vec<_> = present.siblings.iter().map(|hash| hex(hash)).collect();
    let (near, far) = (
        "c44ae37003ec641c38df57516ba1cd8c641dd642f536c4d0acb63e578065ae3f",
        "2138cb3d78abc20f7b59917d4c0e637f8b8ffc903794ed6f8fd99e5bd5201796",
    );
    let zeros = "00".repeat(32);
    assert_eq!(siblings, [near, &zeros, &zeros, &zeros, far]);
    let absent = prove(three.root, &SubjectId::from_bytes([0x70; 32]), &pages).unwrap();
    assert_eq!(absent.place, Place::Empty);
    let siblings: Vec<_> = absent.siblings.iter().map(|hash| hex(hash)).collect();
    assert_eq!(siblings, ["324b65fade08aebf3576ab703affca7ca1800ca3acdaf642f5c4a28e4faaa98e", far]);
    let other = prove(three.root, &SubjectId::from_bytes([0xff; 32]), &pages).unwrap();
    assert_eq!(other.place, Place::Other { key: keys[2], value: values[2] });
    let siblings: Vec<_> = other.siblings.iter().map(|hash| hex(hash)).collect();
    assert_eq!(siblings, ["0f30e37f112b0e1f292a2e2c506b554baa8eabbed0ccb48276ecdf40d68ab206"]);
}

#[test]
fn golden_digest() {
    let tips = |bytes: &[u8]| bytes.iter().map(|byte| EventId::from_bytes([*byte; 32])).collect::<BTreeSet<_>>();
    let mut lanes = BTreeMap::new();
    assert_eq!(digest(&lanes), None);
    lanes.insert(Lane::Title, tips(&[]));
    assert_eq!(digest(&lanes), None);
    lanes.insert(Lane::Main, tips(&[1]));
    assert_eq!(hex(&digest(&lanes).unwrap()), "ee70391febc8a909103e5ae511971ae6a5fb35f7ee1651040fa9cdc5b7b3376a");
    lanes.insert(Lane::Title, tips(&[4]));
    lanes.insert(Lane::Attester(SubjectId::from_bytes([9; 32])), tips(&[3, 2]));
    let id = |byte: u8| [&[0x58, 0x20], &[byte; 32][..]].concat();
    let bytes = [&[0xa3, 0x00, 0x81][..], &id(1), &[0x01, 0x81], &id(4), &id(9), &[0x82], &id(2), &id(3)];
    assert_eq!(digest(&lanes), Some(sha256(&bytes)));
    assert_eq!(hex(&digest(&lanes).unwrap()), "51cb5918938611453fc018bfa17613866188c9d64c3546023ba4dbc2f6b6eabd");
}

/// Bytes on disk keep their meaning.
#[test]
fn golden_page() {
    let mut page = Page::default();
    page.children[1] = Child::Leaf { key: SubjectId::from_bytes([0x71; 32]), value: [0xaa; 32] };
    page.children[15] = Child::Page { version: 258, hash: [0xbb; 32] };
    let bytes = page.to_bytes();
    let expected = format!("40010001{}{}0000000000000102{}", "71".repeat(32), "aa".repeat(32), "bb".repeat(32));
    assert_eq!(hex(&bytes), expected);
    assert_eq!(Page::from_bytes(&bytes), Ok(page));
    for end in 0..bytes.len() {
        assert_eq!(Page::from_bytes(&bytes[..end]), Err(PageFormatError));
    }
    assert_eq!(Page::from_bytes(&[bytes, vec![0]].concat()), Err(PageFormatError));
    assert_eq!(Page::from_bytes(&[0, 0, 0x80, 0]), Err(PageFormatError));

    let key = PageKey { path: NibblePath::of(&SubjectId::from_bytes([0x71; 32]), 3), version: 258 };
    assert_eq!(hex(&key.to_bytes()), "0371700000000000000102");
    assert_eq!(key.to_string(), "/717 of version 258");
    for wrong in ["", "00", "0371710000000000000102", "03710000000000000102", "40"] {
        let bytes = data_encoding::HEXLOWER.decode(wrong.as_bytes()).unwrap();
        assert_eq!(PageKey::from_bytes(&bytes), Err(PageFormatError), "{wrong}");
    }
}

#[test]
fn keys_that_differ_in_the_last_bit_have_the_longest_proof() {
    let (a, mut b) = (key(1), *key(1).as_bytes());
    b[31] ^= 1;
    let b = SubjectId::from_bytes(b);
    let mut pages = Memory::default();
    let both = update(None, &set([(a, [1; 32]), (b, [2; 32])]), 1, &pages).unwrap();
    pages.store(&both);
    let proof = prove(both.root, &a, &pages).unwrap();
    assert_eq!(proof.siblings.len(), MAX_SIBLINGS);
    assert_eq!(proof.verify(&both.root_hash(), &a, Some(&[1; 32])), Ok(()));
    let long = Proof { siblings: vec![EMPTY; MAX_SIBLINGS + 1], place: Place::Empty };
    assert_eq!(long.verify(&both.root_hash(), &a, None), Err(MapProofError::Length(257)));
    // Without its neighbour, the other key moves up through all 64 pages.
    let one = update(both.root, &BTreeMap::from([(b, None)]), 2, &pages).unwrap();
    assert_eq!(one.root_hash(), leaf_hash(&a, &[1; 32]));
    assert_eq!((one.written.len(), one.replaced.len()), (1, 64));
}

#[test]
fn a_damaged_store_is_reported() {
    let mut pages = Memory::default();
    let update_1 = update(None, &set((0..100).map(|n| (key(n), [1; 32]))), 7, &pages).unwrap();
    pages.store(&update_1);
    let change = |n| BTreeMap::from([(key(n), Some([2; 32]))]);
    assert_eq!(
        update(update_1.root, &change(0), 7, &pages),
        Err(MapError::Version { new: 7, old: 7 }),
        "a version is never written over"
    );
    let leaf = Child::Leaf { key: key(0), value: [1; 32] };
    for (place, page) in &update_1.written {
        let missing = Memory(pages.0.iter().filter(|(key, _)| *key != place).map(|(k, p)| (*k, p.clone())).collect());
        let mut found = 0;
        for n in 0..100 {
            let results =
                [prove(update_1.root, &key(n), &missing).err(), update(update_1.root, &change(n), 8, &missing).err()];
            assert_eq!(results[0], results[1]);
            found += usize::from(results[0] == Some(MapError::Missing(*place)));
        }
        assert!(found >= 2, "{place}");
        for wrong in [Child::Page { version: 8, hash: EMPTY }, leaf] {
            let mut damaged = pages.clone();
            let mut page = page.clone();
            let nibble = (place.path.next(&key(0)) + 1) % 16;
            page.children[nibble] = wrong;
            damaged.0.insert(*place, page);
            let errors =
                (0..100).filter(|n| prove(update_1.root, &key(*n), &damaged).err() == Some(MapError::Damaged(*place)));
            assert!(errors.count() >= 1, "{place}");
        }
    }
}

/// Prints changes a second at a million keys. Run it alone, with `--release --run-ignored only --no-capture`.
#[test]
#[ignore = "a measurement"]
fn speed() {
    const KEYS: u32 = 1_000_000;
    const BATCH: u32 = 8_192;
    let mut pages = Memory::default();
    let first = update(None, &set((0..KEYS).map(|n| (key(n), [0; 32]))), 1, &pages).unwrap();
    pages.0.extend(first.written);
    let (mut root, mut bytes, mut written, mut spent) = (first.root, 0, 0, std::time::Duration::ZERO);
    for version in 2..42 {
        let start = version * BATCH;
        let changes = set((start..start + BATCH).map(|n| (key(n.wrapping_mul(2_654_435_761) % KEYS), [1; 32])));
        let clock = std::time::Instant::now();
        let update = update(root, &changes, u64::from(version), &pages).unwrap();
        spent += clock.elapsed();
        bytes += update.written.iter().map(|(_, page)| page.to_bytes().len()).sum::<usize>();
        written += update.written.len();
        update.replaced.iter().for_each(|key| drop(pages.0.remove(key)));
        pages.0.extend(update.written);
        root = update.root;
    }
    let changes = 40 * BATCH as usize;
    let clock = std::time::Instant::now();
    let mut hash = EMPTY;
    for _ in 0..1_000_000 {
        hash = node_hash(&hash, &EMPTY);
    }
    let per_hash = clock.elapsed().as_nanos() / 1_000_000;
    println!(
        "{} changes/s; {} pages and {} bytes written per batch; one node hash {per_hash} ns ({})",
        changes as u128 * 1_000_000_000 / spent.as_nanos(),
        written / 40,
        bytes / 40,
        hash[0]
    );
}
