//! The verdict: what a verifier found, for programs and for people.

use super::Failure;
use super::chain::block_hash;
use super::findings::Finding;
use super::moments::Moments;
use super::sentences::{self, Words};
use crate::admission::Rule;
use crate::bundle::Bundle;
use crate::checkpoint::Checkpoint;
use crate::counting::CountedLot;
use crate::custody::Closed;
use crate::history::History;
use crate::id::{EventId, NetworkId, SubjectId};
use crate::merkle::Hash;
use data_encoding::HEXLOWER;
use serde::{Serialize, Serializer};

/// Everything that was found. Serialises as `docs/verification.md` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The whole in one word.
    pub verdict: Overall,
    /// The lot; nothing where the bundle is invalid, as with all that follows but the checks.
    pub subject: Option<SubjectId>,
    /// The network.
    pub network: Option<Network>,
    /// As of when the history is whole, according to whom.
    pub as_of: Option<AsOf>,
    /// Every check.
    pub checks: Vec<CheckResult>,
    /// What a reader should know.
    pub findings: Vec<Finding>,
    /// The events, in the order of the log.
    pub events: Vec<Event>,
    /// The lot as they leave it.
    pub lot: Option<Lot>,
    /// The blocks that the evidence names.
    pub blocks: Vec<NeededBlock>,
}

/// The whole in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Overall {
    /// Every check passed.
    Valid,
    /// Nothing is wrong, but something that the auditor did not bring is needed.
    Incomplete,
    /// A check failed.
    Invalid,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// Something is missing to tell.
    Open,
    /// An earlier check failed.
    Skipped,
}

macro_rules! checks {
    ($($(#[$doc:meta])* $name:ident $code:literal;)*) => {
        /// A check. They run in this order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Check {
            $($(#[$doc])* $name,)*
        }

        impl Check {
            /// Every check, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name in a verdict.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }
        }
    };
}

checks! {
    /// The bytes are a bundle.
    Format "format";
    /// The network is the one that is meant.
    Network "network";
    /// Events are well-formed and signed.
    Signatures "signatures";
    /// The rules hold.
    Rules "rules";
    /// What belongs to the lot is there, and nothing else.
    Scope "scope";
    /// The log's checkpoint is signed.
    Checkpoint "checkpoint";
    /// Other nodes confirm it.
    Cosignatures "cosignatures";
    /// The log holds the events.
    Log "log";
    /// No event is withheld.
    Whole "whole";
    /// The anchors are the node's and follow each other.
    Anchors "anchors";
    /// Blocks hold the anchors.
    Chain "chain";
    /// Opened fields fit.
    Openings "openings";
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $code:literal;)*) => {
        /// Why a check failed or is open; `docs/verification.md` lists them by check.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason {
            /// An event breaks this rule.
            Rule(Rule),
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Its name in a verdict.
            pub fn code(self) -> &'static str {
                match self {
                    Self::Rule(rule) => rule.code(),
                    $(Self::$name => $code,)*
                }
            }
        }
    };
}

reasons! {
    /// Made by a newer program.
    NewerVersion "newer_version";
    /// Not a bundle.
    NotABundle "not_a_bundle";
    /// The network's definition cannot be one.
    MalformedNetwork "malformed_network";
    /// Not the network that the policy expects.
    OtherNetwork "other_network";
    /// Malformed, or its signature does not hold.
    BadEvent "bad_event";
    /// An event of another network.
    EventOfOtherNetwork "event_of_other_network";
    /// An event that stands in the bundle twice.
    RepeatedEvent "repeated_event";
    /// An event that rests on one that does not stand before it.
    MissingAncestor "missing_ancestor";
    /// No rules for the kind in this program.
    Unsupported "unsupported";
    /// It is not shown that an event lies before the end of its key's journal.
    BadSurvival "bad_survival";
    /// Replaying the rules takes more work than any honest history does.
    TooComplex "too_complex";
    /// No node of the bundle has the log.
    UnknownLog "unknown_log";
    /// The lot is none.
    UnknownLot "unknown_lot";
    /// Not the lots that a shallow bundle leaves out.
    LeftOut "left_out";
    /// No proof for a subject.
    MissingSubject "missing_subject";
    /// A proof for a subject that does not belong.
    ExtraSubject "extra_subject";
    /// An event that does not belong.
    ExtraEvent "extra_event";
    /// Not a checkpoint.
    MalformedCheckpoint "malformed_checkpoint";
    /// A log of another network.
    OtherLog "other_log";
    /// Not signed by the log's key.
    BadSignature "bad_signature";
    /// A cosignature that does not hold.
    BadCosignature "bad_cosignature";
    /// Fewer cosigners than the policy wants.
    TooFewCosigners "too_few_cosigners";
    /// Not in the log.
    BadInclusion "bad_inclusion";
    /// Events are withheld, or the proof is of another moment.
    NotWhole "not_whole";
    /// Chain, contract or sender are not the node's.
    ForeignAnchor "foreign_anchor";
    /// Anchors out of order.
    AnchorOrder "anchor_order";
    /// Neither evidence nor a later anchor.
    BadLink "bad_link";
    /// Not a beginning of the log.
    BadConsistency "bad_consistency";
    /// Same size, other state root.
    OtherStateRoot "other_state_root";
    /// No anchor.
    NotAnchored "not_anchored";
    /// The header is none, or not of that block.
    BadHeader "bad_header";
    /// The contract's account is not proven.
    BadAccountProof "bad_account_proof";
    /// The commitment is not proven.
    BadStorageProof "bad_storage_proof";
    /// The log of the transaction is not proven.
    BadReceiptProof "bad_receipt_proof";
    /// A block that is not among those that the auditor brought.
    UnknownBlock "unknown_block";
    /// The auditor brought no block hashes.
    BlockHashNeeded "block_hash_needed";
    /// No such sealed field.
    UnknownField "unknown_field";
    /// A value that was not sealed there.
    BadOpening "bad_opening";
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// A check with what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// Which check.
    pub check: Check,
    /// What came of it.
    pub result: Outcome,
    /// What it proves where it passes.
    pub proves: String,
    /// On whose word it rests.
    pub rests_on: String,
    /// Why it failed, or is open.
    pub reason: Option<Reason>,
    /// The event that the reason concerns.
    pub event: Option<EventId>,
    /// The subject that the reason concerns.
    pub subject: Option<SubjectId>,
    /// The reason in a sentence.
    pub detail: Option<String>,
}

impl CheckResult {
    pub(super) fn passed(check: Check, words: Words) -> Self {
        let (proves, rests_on) = (words.proves.into_owned(), words.rests_on.into_owned());
        let (reason, event, subject, detail) = (None, None, None, None);
        Self { check, result: Outcome::Passed, proves, rests_on, reason, event, subject, detail }
    }

    pub(super) fn stopped(check: Check, result: Outcome, words: Words, failure: Failure) -> Self {
        let Failure { reason, event, subject, detail } = failure;
        Self { result, reason: Some(reason), event, subject, detail: Some(detail), ..Self::passed(check, words) }
    }

    pub(super) fn skipped(check: Check) -> Self {
        Self { result: Outcome::Skipped, ..Self::passed(check, sentences::of(check)) }
    }
}

impl Verdict {
    pub(super) fn invalid(checks: Vec<CheckResult>) -> Self {
        Self {
            verdict: Overall::Invalid,
            subject: None,
            network: None,
            as_of: None,
            checks,
            findings: Vec::new(),
            events: Vec::new(),
            lot: None,
            blocks: Vec::new(),
        }
    }
}

/// The network in a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Its id.
    pub id: NetworkId,
    /// What it calls itself.
    pub name: String,
}

/// The moment as of which a history is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AsOf {
    /// The log's origin.
    pub log: String,
    /// The node that keeps it.
    pub node: SubjectId,
    /// Its entries.
    pub size: u64,
    /// Its root.
    #[serde(serialize_with = "hex")]
    pub log_root: Hash,
    /// The root of the state map.
    #[serde(serialize_with = "hex")]
    pub state_root: Hash,
    /// Nodes that confirm it; ascending.
    pub cosigned_by: Vec<Cosigner>,
    /// The earliest block that holds an anchor of exactly this size.
    pub anchored_in: Option<Block>,
}

impl AsOf {
    pub(super) fn new(
        checkpoint: &Checkpoint,
        node: SubjectId,
        cosigned_by: Vec<Cosigner>,
        anchored_in: Option<Block>,
    ) -> Self {
        Self {
            log: checkpoint.origin.clone(),
            node,
            size: checkpoint.size,
            log_root: checkpoint.root,
            state_root: checkpoint.state_root,
            cosigned_by,
            anchored_in,
        }
    }
}

/// A node that confirms a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cosigner {
    /// The node.
    pub node: SubjectId,
    /// When, by its own clock, in seconds since 1970.
    pub time_s: u64,
}

/// A block of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Block {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Its number.
    pub number: u64,
    /// Its time, in seconds since 1970.
    pub timestamp_s: u64,
}

/// A block whose hash is to be compared with that of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NeededBlock {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Its number.
    pub number: u64,
    /// Its hash, as the evidence has it.
    #[serde(serialize_with = "hex_0x")]
    pub hash: [u8; 32],
}

/// An event in a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Its index in the log.
    pub index: u64,
    /// The kind's name.
    pub kind: &'static str,
    /// The actor whose key signed.
    pub signer: SubjectId,
    /// When it was signed, by the signer's clock, in milliseconds since 1970.
    pub time_ms: u64,
    /// It was made after this block.
    pub after: Option<Block>,
    /// It was made before this block.
    pub before: Option<Block>,
}

/// A lot in a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lot {
    /// Who holds it.
    pub holder: SubjectId,
    /// How much there is.
    pub balance: Balance,
    /// Whether its history has continuations that exclude each other.
    pub disputed: bool,
    /// Why nothing follows, if so.
    pub closed: Option<Closed>,
}

/// A quantity in a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// The integer, as text because it can exceed what JSON numbers hold.
    pub value: String,
    /// How many of its digits are decimals.
    pub scale: u8,
    /// UN/ECE Rec 20 code.
    pub unit: String,
    /// Number of packages, where they are counted.
    pub packages: Option<u32>,
}

impl std::fmt::Display for Balance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scale = usize::from(self.scale);
        let digits = format!("{:0>width$}", self.value, width = scale + 1);
        let (whole, decimals) = digits.split_at(digits.len() - scale);
        let point = if scale == 0 { "" } else { "." };
        write!(f, "{whole}{point}{decimals} {}", self.unit)
    }
}

impl Lot {
    pub(super) fn of(counted: &CountedLot, holder: SubjectId) -> Self {
        let balance = &counted.state.balance;
        Self {
            holder,
            balance: Balance {
                value: balance.value().to_string(),
                scale: balance.scale(),
                unit: balance.unit().as_str().to_owned(),
                packages: balance.packages(),
            },
            disputed: counted.disputed,
            closed: counted.state.closed,
        }
    }
}

pub(super) fn overall(checks: &[CheckResult]) -> Overall {
    let any = |outcome| checks.iter().any(|check| check.result == outcome);
    if any(Outcome::Failed) {
        Overall::Invalid
    } else if any(Outcome::Open) {
        Overall::Incomplete
    } else {
        Overall::Valid
    }
}

pub(super) fn events(bundle: &Bundle, history: &History, moments: &[Moments]) -> Vec<Event> {
    let places = bundle.entries.iter().zip(history.events()).zip(moments);
    places
        .map(|((entry, judged), moments)| {
            let payload = judged.event.payload();
            Event {
                id: judged.event.id(),
                index: entry.index,
                kind: payload.body.kind().map_or("unknown", |kind| kind.name()),
                signer: judged.judgement.actor,
                time_ms: payload.time.ms(),
                after: moments.after,
                before: moments.before,
            }
        })
        .collect()
}

fn hex<S: Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&HEXLOWER.encode(hash))
}

fn hex_0x<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&block_hash(hash))
}
