//! Proof bundles: everything that verifies the history of one lot, in one file.
//!
//! The format stands in `docs/bundle.cddl`, what each part proves in `docs/verification.md`. This module
//! reads and writes; what is read is within all bounds, and believed by nobody before
//! [`crate::verification`] has looked at it.

mod decoding;
mod encoding;
mod scope;

pub(crate) use scope::conflict;
pub use scope::{Part, Scope, parts};

use crate::body::AnchoringDetails;
use crate::cbor::CborError;
use crate::evidence::{AnchorWords, Evidence};
use crate::id::{EventId, PublicKey, SubjectId};
use crate::merkle::Hash;
use crate::network::{Network, NetworkError};
use crate::seal;
use crate::state_map::Proof;
use crate::value::{Text, ValueError};

/// The version of the format.
pub const VERSION: u64 = 1;

/// Most bytes of a bundle: a lot with thousands of events, and a file that can be sent by mail.
pub const MAX_BUNDLE_BYTES: usize = 32 * 1024 * 1024;

/// Most entries, subjects, openings or parent lots: more than the bytes have room for.
pub const MAX_ITEMS: usize = 65_536;

/// Most hashes of a path or of a proof of consistency: a tree of 2⁶⁴ leaves.
pub const MAX_PATH: usize = 64;

/// Most lines of anchors: each node on each chain, contract and sender that it ever had.
pub const MAX_LINES: usize = 64;

/// Most anchors of a line.
pub const MAX_ANCHORS: usize = 4096;

/// Most bytes of an opened value, which had to stand in an event.
pub const MAX_VALUE_BYTES: usize = 16 * 1024;

/// Deepest path of a sealed field.
pub const MAX_OPENING_PATH: usize = 4;

/// Integers stay exact in every JSON parser.
const INTEGER_LIMIT: u64 = 1 << 53;

/// A bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The network, by its definition.
    pub network: NetworkDefinition,
    /// The lot whose history this is.
    pub lot: SubjectId,
    /// Events, ascending by index.
    pub entries: Vec<Entry>,
    /// Proofs of whole histories, ascending by subject.
    pub subjects: Vec<SubjectProof>,
    /// The checkpoint to which the proofs lead, with its cosignatures: a signed note.
    pub checkpoint: String,
    /// What was anchored, by line.
    pub anchors: Vec<AnchorLine>,
    /// What opens sealed fields, ascending by event and path.
    pub openings: Vec<Opening>,
    /// In a shallow bundle, the parent lots whose histories are left out, ascending; at least one.
    pub left_out: Option<Vec<SubjectId>>,
}

/// The definition of a network as somebody wrote it: of the right shape, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkDefinition {
    /// What it is called.
    pub name: String,
    /// What tells it from another of the same name and founders.
    pub nonce: [u8; 16],
    /// The founders' keys, 1 to 64.
    pub founders: Vec<PublicKey>,
}

/// An event with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its index in the log, at least 1.
    pub index: u64,
    /// The signed bytes, 1 to 16384 of them.
    pub event: Vec<u8>,
    /// From the leaf to the log root (RFC 9162 §2.1.3), from the leaf upwards.
    pub path: Vec<Hash>,
}

/// Leads from a subject to the state root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectProof {
    /// The subject.
    pub subject: SubjectId,
    /// Its proof in the state map.
    pub proof: Proof,
}

/// Anchors of one sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorLine {
    /// The node whose log was anchored.
    pub node: SubjectId,
    /// On which chain, in which contract, by which sender.
    pub place: AnchoringDetails,
    /// The anchors, oldest first.
    pub anchors: Vec<Anchor>,
}

/// A commitment to a log, with what leads from it to the checkpoint and to a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// What was committed to.
    pub words: AnchorWords,
    /// From its size to that of the checkpoint (RFC 9162 §2.1.4).
    pub consistency: Option<Vec<Hash>>,
    /// That a block holds it.
    pub evidence: Option<Evidence>,
}

/// What opens one sealed field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The event.
    pub event: EventId,
    /// Field numbers from the body downwards, positions in arrays; 1 to 4 of them.
    pub path: Vec<u64>,
    /// Salt and value, 1 to 16384 bytes.
    pub opening: seal::Opening,
}

/// Why bytes are not a bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// More bytes than a bundle may have.
    #[error("the bundle has {0} bytes; at most 32 MiB are allowed")]
    TooLarge(usize),
    /// Written by a newer program.
    #[error("the bundle has format version {0}, which is newer than this program; upgrade to verify it")]
    NewerVersion(u64),
    /// Bytes of another form.
    #[error(transparent)]
    Form(#[from] CborError),
}

/// Why the definition in a bundle is none of a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// Its name.
    #[error("the network's name is not one: {0}")]
    Name(#[from] ValueError),
    /// Its founders.
    #[error(transparent)]
    Founders(#[from] NetworkError),
}

impl NetworkDefinition {
    /// The network, if this defines one.
    pub fn check(&self) -> Result<Network, DefinitionError> {
        let name = Text::new(self.name.as_str())?;
        Ok(Network::new(name, self.nonce, self.founders.clone())?)
    }
}

impl From<&Network> for NetworkDefinition {
    fn from(network: &Network) -> Self {
        Self { name: network.name().to_owned(), nonce: *network.nonce(), founders: network.founders().to_vec() }
    }
}
