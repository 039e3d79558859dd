//! The verdict on a bundle, and its JSON form (docs/verification.md).

use crate::custody::Closed;
use crate::id::{EventId, NetworkId, SubjectId};
use crate::merkle::Hash;
use crate::value::Quantity;
use data_encoding::HEXLOWER;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// What a verifier says of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// In one word.
    #[serde(rename = "verdict")]
    pub conclusion: Conclusion,
    /// The lot.
    pub subject: Option<SubjectId>,
    /// The network.
    pub network: Option<NetworkName>,
    /// As of which state of which log the history is whole.
    pub as_of: Option<AsOf>,
    /// What was checked; all checks, in their order.
    pub checks: Vec<CheckLine>,
    /// Facts that a reader should know.
    pub findings: Vec<Finding>,
    /// The events, by index.
    pub events: Vec<EventLine>,
    /// The lot as all events together show it.
    pub lot: Option<LotLine>,
    /// The blocks to which evidence leads, for the auditor to compare.
    pub blocks: Vec<EvidenceBlock>,
}

/// A verdict in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// Every check passed.
    Valid,
    /// Nothing is wrong, but something is needed that the auditor did not bring, or nothing was anchored.
    Incomplete,
    /// A check failed.
    Invalid,
}

/// A network's id and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NetworkName {
    /// Its id.
    pub id: NetworkId,
    /// What it calls itself.
    pub name: String,
}

/// The moment as of which a history is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsOf {
    /// Origin of the log.
    pub log: String,
    /// The node that keeps it.
    pub node: SubjectId,
    /// Entries of the log.
    pub size: u64,
    /// Root of the log.
    pub log_root: Hash,
    /// Root of the state map.
    pub state_root: Hash,
    /// Who confirms it, ascending by node.
    pub cosigned_by: Vec<Cosigner>,
    /// The earliest block that holds an anchor of this very size.
    pub anchored_in: Option<Block>,
}

/// A node that cosigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cosigner {
    /// The node.
    pub node: SubjectId,
    /// When, by its own clock, in seconds since 1970.
    pub time_s: u64,
}

/// A block as an anchor tells of it. Ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Block {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Its number.
    pub number: u64,
    /// Its time, seconds since 1970.
    pub timestamp_s: u64,
}

/// The checks, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The bytes are a bundle.
    Format,
    /// The network is one, and the expected one.
    Network,
    /// Events are well-formed and well signed.
    Signatures,
    /// Events keep the rules.
    Rules,
    /// The bundle holds what belongs to the lot, and nothing else.
    Scope,
    /// The log signed the checkpoint.
    Checkpoint,
    /// Other nodes confirm it.
    Cosignatures,
    /// Events stand in the log.
    Log,
    /// Histories are whole.
    Whole,
    /// Anchors are of this log.
    Anchors,
    /// Blocks hold the anchors.
    Chain,
    /// Opened values are the sealed ones.
    Openings,
}

impl Check {
    /// All checks, in their order.
    pub const ALL: [Self; 12] = [
        Self::Format,
        Self::Network,
        Self::Signatures,
        Self::Rules,
        Self::Scope,
        Self::Checkpoint,
        Self::Cosignatures,
        Self::Log,
        Self::Whole,
        Self::Anchors,
        Self::Chain,
        Self::Openings,
    ];
}

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// Nothing is wrong, but something is missing that the auditor can bring.
    Open,
    /// It was not looked at, because an earlier one failed.
    Skipped,
}

/// One check with its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckLine {
    /// Which.
    pub check: Check,
    /// What became of it.
    pub result: CheckResult,
    /// What it proves, or would if it passed: a sentence.
    pub proves: String,
    /// Whom one has to believe for that: a phrase.
    pub rests_on: String,
    /// Why it failed or is open: a code.
    pub reason: Option<&'static str>,
    /// Which event that concerns.
    pub event: Option<EventId>,
    /// Which subject that concerns.
    pub subject: Option<SubjectId>,
    /// Why, in a sentence.
    pub detail: Option<String>,
}

/// A fact that a reader should know. Ordered by name, subject and events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Its name.
    pub finding: &'static str,
    /// Whom it concerns.
    pub subject: Option<SubjectId>,
    /// Which events, ascending.
    pub events: Vec<EventId>,
}

/// An event between its moments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventLine {
    /// The event.
    pub id: EventId,
    /// Its index in the log.
    pub index: u64,
    /// The name of its kind.
    pub kind: &'static str,
    /// The actor whose key signed.
    pub signer: SubjectId,
    /// When, by the signer's clock, in milliseconds since 1970.
    pub time_ms: u64,
    /// The block after which it was made.
    pub after: Option<Block>,
    /// The block before which it was made.
    pub before: Option<Block>,
}

/// A lot as its history shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotLine {
    /// Who holds it.
    pub holder: SubjectId,
    /// How much.
    pub balance: Quantity,
    /// Whether its tips exclude each other and nobody's acceptance has settled that.
    pub disputed: bool,
    /// Why nothing follows.
    pub closed: Option<Closed>,
}

/// A block to which evidence leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvidenceBlock {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Its number.
    pub number: u64,
    /// Keccak-256 of its header.
    pub hash: [u8; 32],
}

impl Ord for Block {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |block: &Self| (block.timestamp_s, block.chain_id, block.number);
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Block {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for AsOf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("AsOf", 7)?;
        out.serialize_field("log", &self.log)?;
        out.serialize_field("node", &self.node)?;
        out.serialize_field("size", &self.size)?;
        out.serialize_field("log_root", &HEXLOWER.encode(&self.log_root))?;
        out.serialize_field("state_root", &HEXLOWER.encode(&self.state_root))?;
        out.serialize_field("cosigned_by", &self.cosigned_by)?;
        out.serialize_field("anchored_in", &self.anchored_in)?;
        out.end()
    }
}

impl Serialize for LotLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Balance<'a> {
            /// As text, because it can exceed what numbers of JSON hold.
            value: String,
            scale: u8,
            unit: &'a str,
            packages: Option<u32>,
        }
        let unit = self.balance.unit();
        let balance = Balance {
            value: self.balance.value().to_string(),
            scale: self.balance.scale(),
            unit: unit.as_str(),
            packages: self.balance.packages(),
        };
        let mut out = serializer.serialize_struct("LotLine", 4)?;
        out.serialize_field("holder", &self.holder)?;
        out.serialize_field("balance", &balance)?;
        out.serialize_field("disputed", &self.disputed)?;
        out.serialize_field("closed", &self.closed)?;
        out.end()
    }
}

impl Serialize for EvidenceBlock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("EvidenceBlock", 3)?;
        out.serialize_field("chain_id", &self.chain_id)?;
        out.serialize_field("number", &self.number)?;
        out.serialize_field("hash", &format!("0x{}", HEXLOWER.encode(&self.hash)))?;
        out.end()
    }
}
