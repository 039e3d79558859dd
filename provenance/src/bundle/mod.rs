//! Proof bundles: everything that verifies the history of one lot, in one file.
//!
//! The format stands in `docs/bundle.cddl`. What is here says only what a bundle holds;
//! [`crate::verification`] says what that proves.

pub(crate) mod codec;
pub(crate) mod reading;

use crate::evidence::{AnchorWords, Evidence, Line};
use crate::id::{EventId, SubjectId};
use crate::merkle::Hash;
use crate::network::Network;
use crate::state_map::Proof;

/// The version that this program writes and verifies.
pub const VERSION: u64 = 1;

/// Media type of a bundle.
pub const CONTENT_TYPE: &str = "application/vnd.furrow.bundle+cbor";

/// Most bytes of a bundle: some ten thousand events with their proofs.
pub const MAX_BUNDLE_BYTES: usize = 32 << 20;

/// Most entries, subjects, openings, and lots left out.
pub const MAX_ENTRIES: usize = 65_536;

/// Most lines of anchors: one for each node that signed, and one for each key that a node anchored with.
pub const MAX_LINES: usize = 64;

/// Most anchors of a line: a year of one every two hours.
pub const MAX_ANCHORS: usize = 4_096;

/// Everything that verifies one lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The network's definition.
    pub network: Network,
    /// The lot.
    pub lot: SubjectId,
    /// Its events and all that they rest on; ascending by index.
    pub entries: Vec<Entry>,
    /// A proof for each subject whose history is shown whole; ascending by subject.
    pub subjects: Vec<SubjectProof>,
    /// The signed note, cosignatures included.
    pub checkpoint: String,
    /// Anchors of the checkpoint's node, and of nodes whose anchors events name.
    pub lines: Vec<AnchorLine>,
    /// What opens sealed fields; ascending by event, then path.
    pub openings: Vec<OpenedField>,
    /// Parent lots whose histories a shallow bundle leaves out, ascending; nothing in a deep bundle.
    pub left_out: Option<Vec<SubjectId>>,
    /// That events lie before the end of their key's journal; ascending by cutter, key event, event.
    pub survivals: Vec<Survival>,
}

/// The proof that an event lies before the end of its key's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survival {
    /// The event that cuts the journal.
    pub cutter: EventId,
    /// The event with which the journal began; the network id for a founder's.
    pub key_event: EventId,
    /// The event that survives.
    pub event: EventId,
    /// Its index in the journal, whose first event has 0.
    pub index: u64,
    /// The inclusion proof, from the leaf upwards to the root in the cut.
    pub path: Vec<Hash>,
}

/// An event with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Index in the log.
    pub index: u64,
    /// The signed bytes, at most 16 KiB.
    pub event: Vec<u8>,
    /// The inclusion proof, from the leaf upwards.
    pub path: Vec<Hash>,
}

/// The proof of what the state map holds for a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectProof {
    /// The subject.
    pub subject: SubjectId,
    /// Presence or absence.
    pub proof: Proof,
}

/// Anchors of one sender, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorLine {
    /// The node that anchored.
    pub node: SubjectId,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Contract and sender.
    pub line: Line,
    /// The anchors.
    pub anchors: Vec<Anchor>,
}

/// An anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// What the contract hashed.
    pub words: AnchorWords,
    /// From the anchor's size to that of the checkpoint; only on lines of the checkpoint's node.
    pub consistency: Option<Vec<Hash>>,
    /// What proves it; without that the next anchor of the line does.
    pub evidence: Option<Evidence>,
}

/// What opens a sealed field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedField {
    /// The event.
    pub event: EventId,
    /// Field numbers from the body downwards, positions in arrays.
    pub path: Vec<u8>,
    /// Random.
    pub salt: [u8; 16],
    /// Deterministic CBOR of the value.
    pub value: Vec<u8>,
}

/// Why bytes are no bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Made by a newer program.
    #[error("the bundle has version {0}; upgrade this program to verify it")]
    NewerVersion(u64),
    /// Anything else.
    #[error("the bytes are no bundle: {0}")]
    Malformed(String),
}
