//! What the owner of a node decides about anchoring.

use crate::value::Address;

/// Where, how often and for how much a node anchors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorConfig {
    /// JSON-RPC endpoints over http or https, in order of preference.
    pub rpc_urls: Vec<String>,
    /// The chain id (EIP-155) that they must have.
    pub chain_id: u64,
    /// The contract.
    pub contract: Address,
    /// The log is anchored this long after the last time, if it grew.
    pub interval_ms: u64,
    /// The log is anchored earlier once so many entries wait.
    pub max_waiting: u64,
    /// How often the chain is looked at.
    pub poll_ms: u64,
    /// An anchor counts once its block has this depth; the newest block has depth 1.
    pub confirmations: u64,
    /// The most that is paid per unit of gas.
    pub max_fee_gwei: u64,
    /// A transaction that was not mined within so many blocks is replaced by one with higher fees.
    pub replace_after_blocks: u64,
    /// The most that is spent on a day (UTC).
    pub daily_budget_wei: u128,
}

impl AnchorConfig {
    /// The interval without further wish: every event is anchored within a quarter of an hour.
    pub const INTERVAL_MS: u64 = 10 * 60 * 1000;
    /// A lot of entries, so that a large import does not wait for the interval to pass.
    pub const MAX_WAITING: u64 = 10_000;
    /// Half a block of Ethereum.
    pub const POLL_MS: u64 = 6_000;
    /// Reorganisations of two blocks happen; deeper ones are corrected as well, but rare.
    pub const CONFIRMATIONS: u64 = 3;
    /// Above what Ethereum costs on all but its dearest days.
    pub const MAX_FEE_GWEI: u64 = 50;
    /// Two minutes on Ethereum.
    pub const REPLACE_AFTER_BLOCKS: u64 = 10;
    /// 0.05 ETH pay for an anchor every ten minutes at 11 gwei.
    pub const DAILY_BUDGET_WEI: u128 = 50_000_000_000_000_000;

    /// Anchoring there, all else by default.
    pub fn new(rpc_urls: Vec<String>, chain_id: u64, contract: Address) -> Self {
        Self {
            rpc_urls,
            chain_id,
            contract,
            interval_ms: Self::INTERVAL_MS,
            max_waiting: Self::MAX_WAITING,
            poll_ms: Self::POLL_MS,
            confirmations: Self::CONFIRMATIONS,
            max_fee_gwei: Self::MAX_FEE_GWEI,
            replace_after_blocks: Self::REPLACE_AFTER_BLOCKS,
            daily_budget_wei: Self::DAILY_BUDGET_WEI,
        }
    }

    pub(crate) fn max_fee_wei(&self) -> u128 {
        u128::from(self.max_fee_gwei) * 1_000_000_000
    }
}
