//! The life of one anchor as plain data: what is written down about it and which state may follow which.
//!
//! ```text
//! Cut ──► Signed ◄──► Sent ──► Mined ──► Confirmed ──► Final
//!  │         │          │ ▲       │ │         │
//!  │         │          │ └───────┴─┼─────────┘  its block was dropped
//!  └─────────┴────┬─────┘           ▼
//!             Superseded         Failed
//! ```
//!
//! Every state has a way out. `Final`, `Failed` and `Superseded` are ends; after the latter two the log is cut anew.

use crate::commitment::{AnchorClaim, Content};
use crate::fees::Fees;
use crate::value::{Address, BlockHash, Commitment, TxHash};
use minicbor::{Decode, Encode};
use provenance::evidence::{Evidence, EvidenceError};

/// Fees rise by an eighth with each replacement, so after sixteen they are six times the first: whoever needs more has
/// a limit set too low, and says so by raising it.
pub const MAX_ATTEMPTS: usize = 16;

/// The line that an anchor belongs to: one sender's commitments in one contract on one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Line {
    /// Chain id (EIP-155).
    #[n(0)]
    pub chain_id: u64,
    /// The contract.
    #[n(1)]
    pub contract: Address,
    /// The account that anchors.
    #[n(2)]
    pub sender: Address,
}

impl Line {
    /// What evidence shows of the line; which chain its blocks are of is for whoever knows their hashes.
    pub fn to_evidence(self) -> provenance::evidence::Line {
        provenance::evidence::Line { contract: *self.contract.as_bytes(), sender: *self.sender.as_bytes() }
    }
}

/// One signed transaction. Replacements have the same nonce, and any of them may be the one that is mined.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Attempt {
    /// Its hash.
    #[n(0)]
    pub hash: TxHash,
    /// The bytes that are broadcast (EIP-2718).
    #[cbor(n(1), with = "minicbor::bytes")]
    pub raw: Vec<u8>,
    /// What it offers per unit of gas.
    #[n(2)]
    pub fees: Fees,
    /// The most gas that it may use.
    #[n(3)]
    pub gas_limit: u64,
    /// When it was signed, ms since the epoch.
    #[n(4)]
    pub signed_ms: u64,
}

/// The block that a transaction is in, and what came of it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Inclusion {
    /// Which of the attempts it was.
    #[n(0)]
    pub tx_hash: TxHash,
    /// Number of the block.
    #[n(1)]
    pub block_number: u64,
    /// Hash of the block.
    #[n(2)]
    pub block_hash: BlockHash,
    /// Time of the block, seconds since the epoch.
    #[n(3)]
    pub timestamp_s: u64,
    /// Whether the contract accepted the anchor.
    #[n(4)]
    pub succeeded: bool,
    /// The commitment as this node computes it for that block.
    #[n(5)]
    pub commitment: Commitment,
    /// Gas used.
    #[n(6)]
    pub gas_used: u64,
    /// What was paid per unit of gas.
    #[cbor(n(7), with = "crate::encoding::wei")]
    pub gas_price_wei: u128,
}

impl Inclusion {
    /// What the transaction cost.
    pub fn cost_wei(&self) -> u128 {
        self.gas_price_wei.saturating_mul(u128::from(self.gas_used))
    }
}

/// Where an anchor stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum AnchorState {
    /// Its content is chosen, nothing is signed: it waits for funds, budget or cheaper gas, and is cut anew meanwhile.
    #[n(0)]
    Cut,
    /// Its newest attempt is signed and written down; no endpoint is known to have it.
    #[n(1)]
    Signed,
    /// An endpoint has its newest attempt.
    #[n(2)]
    Sent,
    /// It is in a block that is not deep enough yet.
    #[n(3)]
    Mined(#[n(0)] Inclusion),
    /// It is deep enough, was read back and is what this node computes. Its entries count as anchored.
    #[n(4)]
    Confirmed(#[n(0)] Inclusion),
    /// Its block is final.
    #[n(5)]
    Final(#[n(0)] Inclusion),
    /// It was mined without effect, or the contract holds something else.
    #[n(6)]
    Failed {
        /// The block.
        #[n(0)]
        inclusion: Inclusion,
        /// What went wrong, in a sentence.
        #[n(1)]
        reason: String,
    },
    /// It can never be mined any more.
    #[n(7)]
    Superseded {
        /// Why, in a sentence.
        #[n(0)]
        reason: String,
    },
}

impl AnchorState {
    /// The state's name in lower case.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Signed => "signed",
            Self::Sent => "sent",
            Self::Mined(_) => "mined",
            Self::Confirmed(_) => "confirmed",
            Self::Final(_) => "final",
            Self::Failed { .. } => "failed",
            Self::Superseded { .. } => "superseded",
        }
    }
}

/// A step that the diagram above does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("anchor {sequence} is {from} and cannot become {to}")]
pub struct TransitionError {
    /// Which anchor.
    pub sequence: u64,
    /// Its state.
    pub from: &'static str,
    /// The state that was asked for.
    pub to: &'static str,
}

/// All that is known of one anchor.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AnchorRecord {
    /// Its number in this node's book, from zero.
    #[n(0)]
    pub sequence: u64,
    /// Chain, contract and sender.
    #[n(1)]
    pub line: Line,
    /// What it says.
    #[n(2)]
    pub content: Content,
    /// Where it stands.
    #[n(3)]
    pub state: AnchorState,
    /// The sender's nonce, once it is signed.
    #[n(4)]
    pub nonce: Option<u64>,
    /// All transactions signed for it, oldest first; at most [`MAX_ATTEMPTS`].
    #[n(5)]
    pub attempts: Vec<Attempt>,
    /// When it was cut, ms since the epoch.
    #[n(6)]
    pub cut_ms: u64,
    /// When its state changed last, ms since the epoch.
    #[n(7)]
    pub changed_ms: u64,
    /// The newest block when its newest attempt was signed, or when its block was found dropped: since then it waits
    /// to be mined.
    #[n(8)]
    pub waiting_since_block: u64,
    /// What proves to anybody that its block holds it. None until an endpoint gave it, and again when the block was
    /// dropped.
    #[n(9)]
    pub evidence: Option<Evidence>,
}

/// Why evidence is not kept with an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnprovenError {
    /// There is nothing to prove.
    #[error("the anchor stands in no block")]
    InNoBlock,
    /// Evidence of something else.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// Evidence of another block.
    #[error("the evidence is that of another block than the anchor's")]
    OtherBlock,
}

impl AnchorRecord {
    /// A new anchor of `content`.
    pub fn cut(sequence: u64, line: Line, content: Content, now_ms: u64) -> Self {
        Self {
            sequence,
            line,
            content,
            state: AnchorState::Cut,
            nonce: None,
            attempts: Vec::new(),
            cut_ms: now_ms,
            changed_ms: now_ms,
            waiting_since_block: 0,
            evidence: None,
        }
    }

    /// The log grew before anything was signed: the anchor covers that too.
    pub fn recut(&mut self, content: Content) -> Result<(), TransitionError> {
        if self.state != AnchorState::Cut {
            return Err(self.refusal("cut"));
        }
        self.content = content;
        Ok(())
    }

    /// A transaction was signed: the first, or a replacement with the same nonce.
    pub fn signed(&mut self, nonce: u64, attempt: Attempt, head_block: u64) -> Result<(), TransitionError> {
        let allowed = match self.state {
            AnchorState::Cut => self.attempts.is_empty(),
            AnchorState::Signed | AnchorState::Sent => self.nonce == Some(nonce) && self.attempts.len() < MAX_ATTEMPTS,
            _ => false,
        };
        if !allowed {
            return Err(self.refusal("signed"));
        }
        self.changed_ms = attempt.signed_ms;
        self.waiting_since_block = head_block;
        self.nonce = Some(nonce);
        self.attempts.push(attempt);
        self.state = AnchorState::Signed;
        Ok(())
    }

    /// An endpoint has the newest attempt.
    pub fn sent(&mut self, now_ms: u64) -> Result<(), TransitionError> {
        let next = matches!(self.state, AnchorState::Signed).then_some(AnchorState::Sent);
        self.turn("sent", next, now_ms)
    }

    /// One of its attempts is in a block; also when it moved to another block.
    pub fn mined(&mut self, inclusion: Inclusion, now_ms: u64) -> Result<(), TransitionError> {
        let is_ours = self.attempts.iter().any(|attempt| attempt.hash == inclusion.tx_hash);
        let is_waiting = matches!(self.state, AnchorState::Signed | AnchorState::Sent);
        let is_in_block = matches!(self.state, AnchorState::Mined(_) | AnchorState::Confirmed(_));
        let next = (is_ours && (is_waiting || is_in_block)).then_some(AnchorState::Mined(inclusion));
        self.turn("mined", next, now_ms)?;
        self.evidence = None;
        Ok(())
    }

    /// Its block was dropped; the same bytes are to be sent again.
    pub fn dropped(&mut self, head_block: u64, now_ms: u64) -> Result<(), TransitionError> {
        let is_in_block = matches!(self.state, AnchorState::Mined(_) | AnchorState::Confirmed(_));
        self.turn("sent", is_in_block.then_some(AnchorState::Sent), now_ms)?;
        self.waiting_since_block = head_block;
        self.evidence = None;
        Ok(())
    }

    /// It is deep enough and was read back.
    pub fn confirmed(&mut self, now_ms: u64) -> Result<(), TransitionError> {
        let next = match self.state {
            AnchorState::Mined(inclusion) if inclusion.succeeded => Some(AnchorState::Confirmed(inclusion)),
            _ => None,
        };
        self.turn("confirmed", next, now_ms)
    }

    /// Its block is final.
    pub fn finalised(&mut self, now_ms: u64) -> Result<(), TransitionError> {
        let next = match self.state {
            AnchorState::Confirmed(inclusion) => Some(AnchorState::Final(inclusion)),
            _ => None,
        };
        self.turn("final", next, now_ms)
    }

    /// It is in a block, but is no anchor of its content.
    pub fn failed(&mut self, reason: String, now_ms: u64) -> Result<(), TransitionError> {
        let next = match self.state {
            AnchorState::Mined(inclusion) => Some(AnchorState::Failed { inclusion, reason }),
            _ => None,
        };
        self.turn("failed", next, now_ms)?;
        self.evidence = None;
        Ok(())
    }

    /// Evidence was found: it is verified against this anchor, and kept if it proves that the anchor's block holds it.
    pub fn proven(&mut self, evidence: Evidence) -> Result<(), UnprovenError> {
        self.is_proven_by(&evidence)?;
        self.evidence = Some(evidence);
        Ok(())
    }

    /// Whether evidence proves that the anchor's block holds it.
    pub fn is_proven_by(&self, evidence: &Evidence) -> Result<(), UnprovenError> {
        let inclusion = self.provable().ok_or(UnprovenError::InNoBlock)?;
        let words = self.content.words(inclusion.block_number, inclusion.timestamp_s);
        let block = evidence.verify(&self.line.to_evidence(), &words)?;
        if block.hash == *inclusion.block_hash.as_bytes() { Ok(()) } else { Err(UnprovenError::OtherBlock) }
    }

    /// The block that evidence can be had of: that of an anchor which the contract took.
    pub(crate) fn provable(&self) -> Option<&Inclusion> {
        match &self.state {
            AnchorState::Mined(inclusion) | AnchorState::Confirmed(inclusion) | AnchorState::Final(inclusion) => {
                Some(inclusion).filter(|inclusion| inclusion.succeeded)
            }
            _ => None,
        }
    }

    /// None of its attempts can be mined any more.
    pub fn superseded(&mut self, reason: String, now_ms: u64) -> Result<(), TransitionError> {
        let is_in_no_block = matches!(self.state, AnchorState::Cut | AnchorState::Signed | AnchorState::Sent);
        self.turn("superseded", is_in_no_block.then_some(AnchorState::Superseded { reason }), now_ms)
    }

    /// Whether the next anchor has to wait for this one.
    pub fn is_in_flight(&self) -> bool {
        matches!(self.state, AnchorState::Cut | AnchorState::Signed | AnchorState::Sent | AnchorState::Mined(_))
    }

    /// Whether its state can still change.
    pub fn is_open(&self) -> bool {
        self.is_in_flight() || matches!(self.state, AnchorState::Confirmed(_))
    }

    /// Whether its entries count as anchored.
    pub fn is_anchored(&self) -> bool {
        matches!(self.state, AnchorState::Confirmed(_) | AnchorState::Final(_))
    }

    /// The block it is in.
    pub fn inclusion(&self) -> Option<&Inclusion> {
        match &self.state {
            AnchorState::Mined(inclusion)
            | AnchorState::Confirmed(inclusion)
            | AnchorState::Final(inclusion)
            | AnchorState::Failed { inclusion, .. } => Some(inclusion),
            AnchorState::Cut | AnchorState::Signed | AnchorState::Sent | AnchorState::Superseded { .. } => None,
        }
    }

    /// What a verifier looks up on the chain; none before it is mined.
    pub fn claim(&self) -> Option<AnchorClaim> {
        self.inclusion().map(|inclusion| AnchorClaim {
            chain_id: self.line.chain_id,
            tx_hash: inclusion.tx_hash,
            content: self.content,
        })
    }

    /// When the newest attempt was signed, ms since the epoch. Its cost counts for that day's budget.
    pub fn signed_ms(&self) -> Option<u64> {
        self.attempts.last().map(|attempt| attempt.signed_ms)
    }

    /// What it cost, or while that is open the most that it can cost. Of attempts with one nonce only one is paid.
    pub fn cost_wei(&self) -> u128 {
        match (&self.state, self.inclusion()) {
            (AnchorState::Superseded { .. }, _) => 0,
            (_, Some(inclusion)) => inclusion.cost_wei(),
            (_, None) => {
                let costs = self.attempts.iter().map(|attempt| attempt.fees.worst_cost_wei(attempt.gas_limit));
                costs.max().unwrap_or(0)
            }
        }
    }

    fn turn(&mut self, to: &'static str, next: Option<AnchorState>, now_ms: u64) -> Result<(), TransitionError> {
        self.state = next.ok_or_else(|| self.refusal(to))?;
        self.changed_ms = now_ms;
        Ok(())
    }

    fn refusal(&self, to: &'static str) -> TransitionError {
        TransitionError { sequence: self.sequence, from: self.state.name(), to }
    }
}
