//! Evidence from the chain: that a block of Ethereum holds an anchor, from bytes alone.
//!
//! Two kinds prove the same. *Storage evidence* shows that the contract stores the anchor's commitment for the sender
//! as of a block (EIP-1186). *Receipt evidence* shows the log that the contract wrote when it took the anchor; it can be
//! made where the state of that time is no longer to be had. Both end in the hash of a block's header, and whether that
//! block is one of the chain is for whoever verifies to know.
//!
//! Blocks, accounts, tries and receipts are read as the Ethereum Yellow Paper (§4 and appendix D) writes them. Of a
//! header only the fields that are needed are read, so fields that later forks append do not matter.

mod encoding;
mod receipt;
mod rlp;
mod trie;

use sha3::{Digest, Keccak256};

/// Longer than any header: a header has some 600 bytes, and forks have added 32 bytes at a time.
pub const MAX_HEADER_BYTES: usize = 4096;

/// A path through a trie of 32-byte keys has at most 64 steps.
pub const MAX_PROOF_NODES: usize = 64;

/// A branch has at most 532 bytes; a leaf holds an account, a word or a receipt with a few logs.
pub const MAX_NODE_BYTES: usize = 16 * 1024;

/// Integers stay exact in every JSON parser, as everywhere in a bundle.
const INTEGER_LIMIT: u64 = 1 << 53;

/// Fields of a header since London; the first whose base fee shows that it is one of the chains we anchor on.
const MIN_HEADER_FIELDS: usize = 15;

/// A trie's node as it is hashed.
pub type TrieNode = Vec<u8>;

/// What proves an anchor beside the anchor itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// The contract stores the commitment.
    Storage {
        /// RLP of the header of the anchor's block or a later one, as hashed.
        header: Vec<u8>,
        /// From the state root to the contract's account.
        account: Vec<TrieNode>,
        /// From the account's storage root to the sender's slot.
        slot: Vec<TrieNode>,
    },
    /// The contract wrote the log.
    Receipt {
        /// RLP of the header of the anchor's block, as hashed.
        header: Vec<u8>,
        /// From the receipts root to the receipt of the anchor's transaction.
        receipt: Vec<TrieNode>,
        /// The transaction's index in the block.
        transaction: u64,
        /// The log's index among those of the receipt.
        log: u64,
    },
}

/// The line of anchors that one belongs to, as far as evidence shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The contract's address.
    pub contract: [u8; 20],
    /// The account that anchors.
    pub sender: [u8; 20],
}

/// What the contract hashes and tells of an anchor: six words of 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnchorWords {
    /// The sender's commitment before; zeros before its first.
    pub previous: [u8; 32],
    /// Number of the anchor's block.
    pub number: u64,
    /// Time of that block, seconds since 1970.
    pub timestamp_s: u64,
    /// Entries of the log.
    pub size: u64,
    /// The log's root at that size.
    pub log_root: [u8; 32],
    /// The state map's root at that size.
    pub state_root: [u8; 32],
}

/// An anchor with what proves it; without evidence, the anchor that follows it in its line does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenAnchor {
    /// What the contract hashed.
    pub words: AnchorWords,
    /// That a block holds it.
    pub evidence: Option<Evidence>,
}

/// Anchors of one line, each proven by its own evidence or by the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenLine {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Contract and sender.
    pub line: Line,
    /// Oldest first, at least one, at most 4,096.
    pub anchors: Vec<ProvenAnchor>,
}

/// The block to which evidence leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Its number.
    pub number: u64,
    /// Keccak-256 of its header.
    pub hash: [u8; 32],
    /// Its time, seconds since 1970.
    pub timestamp_s: u64,
}

/// Why evidence does not prove an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum EvidenceError {
    /// The header.
    #[error("the block's header cannot be read, or is not that of the anchor's block")]
    BadHeader,
    /// The contract's account.
    #[error("the nodes do not lead from the block's state root to the contract's account")]
    BadAccountProof,
    /// The sender's slot.
    #[error("the nodes do not lead from the contract's storage root to the commitment of this anchor")]
    BadStorageProof,
    /// The receipt.
    #[error("the nodes do not lead from the block's receipts root to a log of the contract that tells of this anchor")]
    BadReceiptProof,
}

impl EvidenceError {
    /// The reason's code in a verdict.
    pub fn code(self) -> &'static str {
        match self {
            Self::BadHeader => "bad_header",
            Self::BadAccountProof => "bad_account_proof",
            Self::BadStorageProof => "bad_storage_proof",
            Self::BadReceiptProof => "bad_receipt_proof",
        }
    }
}

impl AnchorWords {
    /// The words one after the other, numbers big-endian, as the contract hashes them and as its log has them for data.
    pub fn to_bytes(&self) -> [u8; 192] {
        let mut bytes = [0; 192];
        let words =
            [self.previous, word(self.number), word(self.timestamp_s), word(self.size), self.log_root, self.state_root];
        for (place, word) in bytes.as_chunks_mut::<32>().0.iter_mut().zip(words) {
            *place = word;
        }
        bytes
    }

    /// What the contract stores for the sender: Keccak-256 of the words.
    pub fn commitment(&self) -> [u8; 32] {
        keccak256(&self.to_bytes())
    }
}

impl Evidence {
    /// Which kind it is: `storage` or `receipt`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Storage { .. } => "storage",
            Self::Receipt { .. } => "receipt",
        }
    }

    /// Verifies that a block holds the anchor, and tells which.
    pub fn verify(&self, line: &Line, anchor: &AnchorWords) -> Result<Block, EvidenceError> {
        match self {
            Self::Storage { header, account, slot } => {
                let header = Header::read(header)?;
                if header.block.number < anchor.number {
                    return Err(EvidenceError::BadHeader);
                }
                let key = keccak256(&line.contract);
                let account = trie::look_up(&header.state_root, &key, account).ok_or(EvidenceError::BadAccountProof)?;
                let storage_root = storage_root(account).ok_or(EvidenceError::BadAccountProof)?;
                let stored = trie::look_up(&storage_root, &keccak256(&commitment_slot(&line.sender)), slot);
                if stored.and_then(rlp::word) != Some(anchor.commitment()) {
                    return Err(EvidenceError::BadStorageProof);
                }
                Ok(header.block)
            }
            Self::Receipt { header, receipt, transaction, log } => {
                let header = Header::read(header)?;
                if (header.block.number, header.block.timestamp_s) != (anchor.number, anchor.timestamp_s) {
                    return Err(EvidenceError::BadHeader);
                }
                let found = trie::look_up(&header.receipts_root, &rlp::of_integer(*transaction), receipt);
                if !found.is_some_and(|found| receipt::tells_of(found, *log, line, anchor)) {
                    return Err(EvidenceError::BadReceiptProof);
                }
                Ok(header.block)
            }
        }
    }
}

/// The slot in which the contract keeps the commitment of `sender`: that of a mapping in its first variable
/// (Solidity's layout of storage).
pub fn commitment_slot(sender: &[u8; 20]) -> [u8; 32] {
    let mut words = [0; 64];
    words[..32].copy_from_slice(&padded(sender));
    keccak256(&words)
}

/// What is read of a header.
struct Header {
    block: Block,
    state_root: [u8; 32],
    receipts_root: [u8; 32],
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, EvidenceError> {
        Self::fields(bytes).ok_or(EvidenceError::BadHeader)
    }

    fn fields(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_HEADER_BYTES {
            return None;
        }
        let fields = rlp::list(bytes)?;
        if fields.len() < MIN_HEADER_FIELDS {
            return None;
        }
        let below_limit = |field: &[u8]| rlp::integer(field).filter(|value| *value < INTEGER_LIMIT);
        let block =
            Block { number: below_limit(fields[8])?, timestamp_s: below_limit(fields[11])?, hash: keccak256(bytes) };
        Some(Self { block, state_root: rlp::hash(fields[3])?, receipts_root: rlp::hash(fields[5])? })
    }
}

/// An account is nonce, balance, storage root and hash of the code.
fn storage_root(account: &[u8]) -> Option<[u8; 32]> {
    let fields = rlp::list(account)?;
    (fields.len() >= 4).then(|| rlp::hash(fields[2]))?
}

/// Ethereum's hash: Keccak as it was before it became SHA-3.
fn keccak256(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

/// An address as a word.
fn padded(address: &[u8; 20]) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(address);
    word
}

/// A number as a word.
fn word(number: u64) -> [u8; 32] {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&number.to_be_bytes());
    word
}
