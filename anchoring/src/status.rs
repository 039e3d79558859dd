//! What a node shows about its anchoring.

use crate::record::AnchorRecord;
use crate::value::{Address, Commitment};

/// How anchoring stands. Published on every change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnchorStatus {
    /// Whether this node anchors at all.
    pub enabled: bool,
    /// The chain.
    pub chain_id: u64,
    /// The contract; none if anchoring is not configured.
    pub contract: Option<Address>,
    /// The account that anchors; none if anchoring is not configured.
    pub sender: Option<Address>,
    /// What it holds, as far as it was asked.
    pub balance_wei: Option<u128>,
    /// The chain's newest block when it was asked last.
    pub head_block: Option<u64>,
    /// Entries of the log when it was read last.
    pub log_size: u64,
    /// Entries that are anchored: deep enough, read back and found right.
    pub anchored_size: u64,
    /// Entries whose anchor is final.
    pub final_size: u64,
    /// What the contract stored with that anchor; none before the first.
    pub final_commitment: Option<Commitment>,
    /// The anchor on its way.
    pub in_flight: Option<AnchorRecord>,
    /// Spent today (UTC), what is on its way counted in full.
    pub spent_today_wei: u128,
    /// What may be spent in a day.
    pub daily_budget_wei: u128,
    /// What is wrong and what to do; none if all is well.
    pub problem: Option<String>,
}

impl AnchorStatus {
    /// The status of a node that does not anchor, with the reason.
    pub fn disabled(reason: &str) -> Self {
        Self { problem: Some(reason.to_owned()), ..Self::default() }
    }
}
