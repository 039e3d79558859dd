//! A chain of one block, built with another implementation of Ethereum's tries than the one that is tested.

use alloy_primitives::{B256, keccak256};
use alloy_trie::proof::ProofRetainer;
use alloy_trie::{HashBuilder, Nibbles};
use provenance::evidence::{AnchorWords, Evidence, Line, commitment_slot};
use std::collections::BTreeMap;

pub const ANCHORED: &str = "Anchored(address,bytes32,uint256,uint256,uint64,bytes32,bytes32)";

/// The anchor's transaction; its key in the trie is longer than a byte.
pub const TRANSACTION: u64 = 150;

/// RLP of a byte string.
pub fn string(bytes: &[u8]) -> Vec<u8> {
    alloy_rlp::encode(bytes)
}

/// RLP of an integer.
pub fn integer(value: u64) -> Vec<u8> {
    alloy_rlp::encode(value)
}

/// RLP of a list of encoded items.
pub fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    alloy_rlp::Header { list: true, payload_length: items.iter().map(Vec::len).sum() }.encode(&mut bytes);
    bytes.extend(items.concat());
    bytes
}

type Proof = Vec<Vec<u8>>;

/// Root of a trie, and the proof of one of its keys.
fn trie(entries: &BTreeMap<Vec<u8>, Vec<u8>>, key: &[u8]) -> (B256, Proof) {
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(vec![Nibbles::unpack(key)]));
    for (key, value) in entries {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    let root = builder.root();
    let nodes = builder.take_proof_nodes().into_nodes_sorted();
    (root, nodes.into_iter().map(|(_, node)| node.to_vec()).collect())
}

/// A trie whose keys are hashed, with sixty strangers beside the entry.
fn hashed_trie(key: &[u8], value: Vec<u8>) -> (B256, Proof) {
    let strangers = (0..60_u8).map(|number| (keccak256([number]).to_vec(), string(&[number + 1; 70])));
    let key = keccak256(key).to_vec();
    let mut entries: BTreeMap<_, _> = strangers.collect();
    entries.insert(key.clone(), value);
    trie(&entries, &key)
}

/// What stands in the block.
#[derive(Clone)]
pub struct Scene {
    pub line: Line,
    pub number: u64,
    pub timestamp_s: u64,
    /// What the slot holds.
    pub stored: Vec<u8>,
    pub status: u64,
    /// The byte before the receipt.
    pub kind: Option<u8>,
    pub address: Vec<u8>,
    pub topics: Vec<Vec<u8>>,
    pub data: Vec<u8>,
    /// Header fields beyond those of London.
    pub more_fields: usize,
}

impl Scene {
    /// The block in which `words` were anchored.
    pub fn of(line: Line, words: &AnchorWords) -> Self {
        let sender = [&[0; 12][..], &line.sender].concat();
        Self {
            line,
            number: words.number,
            timestamp_s: words.timestamp_s,
            stored: words.commitment().to_vec(),
            status: 1,
            kind: Some(2),
            address: line.contract.to_vec(),
            topics: vec![keccak256(ANCHORED).to_vec(), sender],
            data: words.to_bytes().to_vec(),
            more_fields: 6,
        }
    }

    fn receipt(&self) -> Vec<u8> {
        let topics: Vec<_> = self.topics.iter().map(|topic| string(topic)).collect();
        let strange = list(&[string(&[9; 20]), list(&[]), string(&[])]);
        let log = list(&[string(&self.address), list(&topics), string(&self.data)]);
        let fields = list(&[integer(self.status), integer(30_000), string(&[0; 256]), list(&[strange, log])]);
        self.kind.into_iter().chain(fields).collect()
    }

    /// Storage evidence and receipt evidence.
    pub fn evidence(&self) -> (Evidence, Evidence) {
        let (storage_root, slot) = hashed_trie(&commitment_slot(&self.line.sender), string(&self.stored));
        let account = list(&[integer(1), integer(0), string(storage_root.as_slice()), string(&[7; 32])]);
        let (state_root, account) = hashed_trie(&self.line.contract, account);

        let strangers = (0..200_u64).map(|number| (integer(number), string(&[1; 300])));
        let mut receipts: BTreeMap<_, _> = strangers.collect();
        receipts.insert(integer(TRANSACTION), self.receipt());
        let (receipts_root, receipt) = trie(&receipts, &integer(TRANSACTION));

        let mut fields = vec![string(&[4; 32]); 15 + self.more_fields];
        fields[3] = string(state_root.as_slice());
        fields[5] = string(receipts_root.as_slice());
        fields[8] = integer(self.number);
        fields[11] = integer(self.timestamp_s);
        let header = list(&fields);
        (
            Evidence::Storage { header: header.clone(), account, slot },
            Evidence::Receipt { header, receipt, transaction: TRANSACTION, log: 1 },
        )
    }
}
