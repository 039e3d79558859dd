//! The log as C2SP has it: its checkpoint, tiles and proofs, before libraries that know transparency logs and nothing
//! of Furrow.

use crate::whole_checkpoint;
use data_encoding::{BASE64, HEXLOWER};
use end_to_end::node::Node;
use end_to_end::scene::Scene;
use end_to_end::signer::{self, Signer};
use provenance::id::PublicKey;
use serde_json::Value;
use signed_note::{Note, StandardVerifier, VerifierList};
use std::collections::HashMap;
use tlog_tiles::{
    Checkpoint, Error, Hash, Tile, TileHashReader, TileReader, check_record, check_tree, prove_record, prove_tree,
    record_hash, tree_hash,
};

/// Tiles of C2SP have 2⁸ hashes.
const TILE_HEIGHT: u8 = 8;

/// Ed25519 in the registry of signed-note signature types.
const ED25519: u8 = 1;

/// Makes a log of 258 entries: a full tile, a partial one with one complete subtree, and one above them. Where a tile
/// has several complete subtrees, the library takes as many further tiles for checked, and would accept changed ones.
const LOTS: u32 = 256;

/// Bytes of an entry behind its length.
const ENTRY: usize = 34;

#[tokio::test(flavor = "multi_thread")]
async fn checkpoint_tiles_and_proofs_are_those_of_a_transparency_log() {
    let mut scene = Scene::new(&["node"], &[signer::public(1)]).await;
    let node = scene.start("node").await;
    let mut signer = Signer::founder(&scene, 1, 0);
    let farm = signer.farm("Tramin");
    let lots: Vec<_> = (1..=LOTS).map(|kilograms| signer.lot(&farm, &kilograms.to_string())).collect();
    node.client.submit(&[vec![farm], lots].concat()).await;

    let note = whole_checkpoint(&node).await;
    let checkpoint = opened(&note).unwrap();
    let (size, root) = (checkpoint.size(), *checkpoint.hash());
    assert_eq!(size, u64::from(LOTS) + 2);
    assert!(checkpoint.extension().starts_with("furrow/state/1 "), "{note}");
    for changed in [note.replacen("\n258\n", "\n259\n", 1), note.replacen("furrow/state/1 ", "furrow/state/2 ", 1)] {
        assert_ne!(changed, note);
        assert!(opened(&changed).is_err(), "{changed}");
    }

    let mut tiles = Tiles::fetch(&node, size).await;
    assert_eq!(tiles.hashes.len(), 3, "{:?}", tiles.hashes.keys());
    tiles.have_the_hashes_of_entries();
    let reader = TileHashReader::new(size, root, &tiles);
    assert_eq!(tree_hash(size, &reader).unwrap(), root);

    // Their proofs from our tiles are our proofs.
    for index in [0, 1, 255, 256, 257] {
        let shown = node.client.get(&format!("/api/v1/log/inclusion?index={index}&size={size}")).await;
        let (proof, leaf) = (hashes(&shown["proof"]), hash(&shown["leaf_hash"]));
        assert_eq!(proof, prove_record(size, index, &reader).unwrap());
        check_record(&proof, size, root, index, leaf).unwrap();
        assert!(check_record(&flipped(&proof), size, root, index, leaf).is_err());
        assert!(check_record(&proof, size, root, index, record_hash(b"another entry")).is_err());
    }
    for old in [1, 2, 255, 256, 257] {
        let shown = node.client.get(&format!("/api/v1/log/consistency?old={old}&new={size}")).await;
        let (proof, old_root) = (hashes(&shown["proof"]), hash(&shown["old_root"]));
        assert_eq!(proof, prove_tree(size, old, &reader).unwrap());
        check_tree(&proof, size, root, old, old_root).unwrap();
        assert!(check_tree(&flipped(&proof), size, root, old, old_root).is_err());
        assert!(check_tree(&proof, size, root, old, root).is_err());
    }
    // The proofs of the first and the last entry take all tiles together.
    for tile in Tile::new_tiles(TILE_HEIGHT, 0, size) {
        tiles.flip(tile);
        let reader = TileHashReader::new(size, root, &tiles);
        let refused = [0, size - 1].iter().any(|index| prove_record(size, *index, &reader).is_err());
        assert!(refused, "a changed {} is taken", tile.path());
        tiles.flip(tile);
    }
}

/// The checkpoint in a note whose signature their library accepts.
fn opened(note: &str) -> Result<Checkpoint, String> {
    let origin = note.lines().next().unwrap();
    let key: PublicKey = origin.rsplit_once('/').unwrap().1.parse().unwrap();
    let key = [&[ED25519], key.as_bytes().as_slice()].concat();
    let id = signed_note::key_id(origin, &key);
    let verifier = StandardVerifier::new(&format!("{origin}+{id:08x}+{}", BASE64.encode(&key))).unwrap();
    let note = Note::from_bytes(note.as_bytes()).map_err(|error| error.to_string())?;
    note.verify(&VerifierList::new(vec![Box::new(verifier)])).map_err(|error| error.to_string())?;
    Checkpoint::from_bytes(note.text()).map_err(|error| error.to_string())
}

/// All tiles of a log.
struct Tiles {
    hashes: HashMap<Tile, Vec<u8>>,
    entries: HashMap<Tile, Vec<u8>>,
}

impl Tiles {
    async fn fetch(node: &Node, size: u64) -> Self {
        let (mut hashes, mut entries) = (HashMap::new(), HashMap::new());
        for tile in Tile::new_tiles(TILE_HEIGHT, 0, size) {
            hashes.insert(tile, fetch(node, tile).await);
            if tile.level() == 0 {
                let mut of_entries = tile;
                of_entries.set_is_data();
                entries.insert(tile, fetch(node, of_entries).await);
            }
        }
        Self { hashes, entries }
    }

    fn flip(&mut self, tile: Tile) {
        self.hashes.get_mut(&tile).expect("all tiles were fetched")[0] ^= 1;
    }

    fn have_the_hashes_of_entries(&self) {
        for (tile, entries) in &self.entries {
            let hashes = &self.hashes[tile];
            assert_eq!(hashes.len(), entries.len() / ENTRY * 32);
            assert_eq!(entries.len() / ENTRY, tile.width() as usize);
            for (entry, hash) in entries.chunks(ENTRY).zip(hashes.chunks(32)) {
                assert_eq!(entry[..2], [0, 32], "the entry's length");
                assert_eq!(record_hash(&entry[2..]).0, hash);
            }
        }
    }
}

impl TileReader for Tiles {
    fn height(&self) -> u8 {
        TILE_HEIGHT
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        tiles.iter().map(|tile| self.hashes.get(tile).cloned().ok_or(Error::InvalidTile)).collect()
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// Their paths are those of Go's checksum database, which name the height, and call entries data.
async fn fetch(node: &Node, tile: Tile) -> Vec<u8> {
    let path = tile.path().replacen("tile/8/", "/log/tile/", 1).replacen("/data/", "/entries/", 1);
    let answer = node.client.read(&path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.body
}

fn hashes(list: &Value) -> Vec<Hash> {
    list.as_array().unwrap().iter().map(hash).collect()
}

fn hash(hex: &Value) -> Hash {
    Hash(HEXLOWER.decode(hex.as_str().unwrap().as_bytes()).unwrap().try_into().unwrap())
}

fn flipped(proof: &[Hash]) -> Vec<Hash> {
    let mut proof = proof.to_vec();
    proof.last_mut().expect("no proof here is empty").0[0] ^= 1;
    proof
}
