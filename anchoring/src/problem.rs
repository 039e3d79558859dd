//! What keeps a node from anchoring, in sentences that say what is wrong and what to do. A problem never stops the
//! node: its events are kept and anchored once the problem is gone.

use crate::book::BookError;
use crate::encoding::DecodeError;
use crate::fees::{Ether, FeeError};
use crate::record::{MAX_ATTEMPTS, TransitionError};
use crate::value::Address;
use alloy::hex;

/// Why nothing is anchored now.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// All endpoints are down, wrong or paused.
    #[error("no RPC endpoint can be used: {failures}. Anchoring goes on by itself when one can; check rpc_urls")]
    NoEndpoint {
        /// Why each of them cannot.
        failures: String,
    },
    /// The endpoint's newest block is older than one seen before.
    #[error(
        "{host} is {blocks} blocks behind what was seen before: anchoring waits until it caught up; if this lasts, name \
         another endpoint in rpc_urls"
    )]
    Behind {
        /// The endpoint's host.
        host: String,
        /// How far.
        blocks: u64,
    },
    /// The sender cannot pay.
    #[error("{sender} holds {} ETH and an anchor can cost {} ETH: send it ether", Ether(*balance_wei), Ether(*needed_wei))]
    Funds {
        /// The account.
        sender: Address,
        /// What it holds.
        balance_wei: u128,
        /// What it needs.
        needed_wei: u128,
    },
    /// The owner's limit for a day is reached.
    #[error(
        "the day's budget of {} ETH leaves no room for an anchor of up to {} ETH ({} ETH are spent or on their way): \
         anchoring goes on at 00:00 UTC, or raise daily_budget_wei",
        Ether(*budget_wei), Ether(*needed_wei), Ether(*spent_wei)
    )]
    Budget {
        /// The limit.
        budget_wei: u128,
        /// What the day's anchors cost so far.
        spent_wei: u128,
        /// What one more can cost.
        needed_wei: u128,
    },
    /// Gas costs more than the owner wants to pay.
    #[error(transparent)]
    Fees(#[from] FeeError),
    /// An endpoint does not take the transaction.
    #[error("the endpoint does not take the transaction: {message}. It is offered again with every round")]
    Undelivered {
        /// The endpoint's message.
        message: String,
    },
    /// The contract would refuse the anchor.
    #[error("the contract would refuse the anchor: {message}. It is tried again with every round")]
    WouldFail {
        /// The endpoint's message.
        message: String,
    },
    /// Replacements did not help.
    #[error(
        "anchor {sequence} was replaced {MAX_ATTEMPTS} times and still waits: the chain is congested beyond what \
         max_fee_gwei pays for; raise it"
    )]
    Unmined {
        /// Which anchor.
        sequence: u64,
    },
    /// A shorter log than the anchored one must never be anchored.
    #[error(
        "the log has {size} entries, but {anchored_size} are anchored: this node lost entries; restore them from its \
         peers or a newer backup"
    )]
    LogShorter {
        /// Entries in the log.
        size: u64,
        /// Entries anchored.
        anchored_size: u64,
    },
    /// The log does not begin with what was anchored.
    #[error(
        "the log's root at {size} entries is not the one that was anchored: {sender} committed to {} on the chain, the log \
         has {}. It is another log, or went on in another way after a backup was restored, and is not anchored where it \
         would contradict that. Restore the backup again and recover it from peers that have the anchored entries; if there \
         are none, open a new log with 'furrow log new-key' and anchor it to a contract of its own ('furrow contract \
         deploy')",
        hex::encode(committed),
        hex::encode(root)
    )]
    OtherLog {
        /// The account.
        sender: Address,
        /// Entries in both.
        size: u64,
        /// The root that was anchored.
        committed: [u8; 32],
        /// The log's root at that size.
        root: [u8; 32],
    },
    /// The contract has forgotten an anchor that was deep enough.
    #[error(
        "the contract holds no anchor of {sender}, but this node's book does: the endpoint serves another chain with the \
         same id, or the contract's address changed; correct rpc_urls or the address"
    )]
    LineLost {
        /// The account.
        sender: Address,
    },
    /// Somebody else anchors with this key.
    #[error(
        "the contract's newest anchor of {sender} is not in this node's book and its event cannot be found: another \
         program uses this key; give this node a key of its own"
    )]
    UnknownAnchor {
        /// The account.
        sender: Address,
    },
    /// No endpoint gives what proves an anchor.
    #[error(
        "no RPC endpoint gives evidence of anchor {sequence} ({reason}): it is asked for again; until then proofs of \
         what it covers wait for a later anchor. Name an endpoint in rpc_urls that answers eth_getProof or \
         eth_getBlockReceipts"
    )]
    NoEvidence {
        /// Which anchor.
        sequence: u64,
        /// What the endpoints said.
        reason: String,
    },
    /// The book cannot be used.
    #[error("{error} ({}): check the disk", error.source)]
    Book {
        /// What failed.
        error: BookError,
    },
    /// The book holds something else.
    #[error(transparent)]
    Damaged(#[from] DecodeError),
    /// The service asked for an impossible step.
    #[error("{0}: this is a fault of the program; report it")]
    Transition(#[from] TransitionError),
}

impl From<BookError> for Problem {
    fn from(error: BookError) -> Self {
        Self::Book { error }
    }
}
