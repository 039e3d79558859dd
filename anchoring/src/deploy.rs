//! Deploying the contract from its committed bytecode.

use crate::chain::{Chain, RpcError};
use crate::contract::FurrowAnchor;
use crate::fees::{Ether, FeeError, Fees, USUAL_PRIORITY_FEE_WEI};
use crate::signing::{KeyError, Signer, Unsigned};
use crate::value::{Address, TxHash};
use std::time::Duration;

/// Ten blocks of Ethereum.
const WAIT: Duration = Duration::from_mins(2);

/// Chains for development mine at once, Ethereum every twelve seconds.
const POLL: Duration = Duration::from_millis(250);

/// A contract that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deployed {
    /// The contract's address.
    pub address: Address,
    /// The transaction that created it.
    pub tx_hash: TxHash,
    /// Gas used.
    pub gas_used: u64,
    /// What it cost.
    pub cost_wei: u128,
}

/// Why the contract could not be deployed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeployError {
    /// The key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No answer.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The endpoint is one of another chain.
    #[error("the endpoint serves chain {found}, not {expected}: correct chain_id or the endpoint")]
    WrongChain {
        /// The endpoint's chain.
        found: u64,
        /// The chain that was asked for.
        expected: u64,
    },
    /// Gas is too dear.
    #[error(transparent)]
    Fees(#[from] FeeError),
    /// The sender cannot pay.
    #[error("{sender} holds {} ETH and the deployment can cost {} ETH: send it ether", Ether(*balance_wei), Ether(*needed_wei))]
    Funds {
        /// The account.
        sender: Address,
        /// What it holds.
        balance_wei: u128,
        /// What it needs.
        needed_wei: u128,
    },
    /// Mined without effect.
    #[error("transaction {0} was mined but created no contract: look at it in a block explorer")]
    Failed(TxHash),
    /// Not mined in time.
    #[error("transaction {0} was not mined within {secs} seconds and may still be: look for it before deploying again", secs = WAIT.as_secs())]
    Unmined(TxHash),
}

/// Deploys the contract and waits until it stands.
pub async fn deploy(rpc_url: &str, key: &[u8; 32], chain_id: u64, max_fee_gwei: u64) -> Result<Deployed, DeployError> {
    let signer = Signer::new(key)?;
    let sender = signer.address();
    let chain = Chain::at(rpc_url)?;
    let found = chain.chain_id().await?;
    if found != chain_id {
        return Err(DeployError::WrongChain { found, expected: chain_id });
    }
    let code = FurrowAnchor::BYTECODE.to_vec();
    let gas_limit = chain.estimate_deployment_gas(sender, code.clone()).await?;
    let priority_fee_wei = chain.priority_fee_wei().await?.unwrap_or(USUAL_PRIORITY_FEE_WEI);
    let cap_wei = u128::from(max_fee_gwei) * 1_000_000_000;
    let fees = Fees::quote(chain.head().await?.base_fee_wei, priority_fee_wei, cap_wei)?;
    let (balance_wei, needed_wei) = (chain.balance_wei(sender).await?, fees.worst_cost_wei(gas_limit));
    if balance_wei < needed_wei {
        return Err(DeployError::Funds { sender, balance_wei, needed_wei });
    }
    let nonce = chain.nonce(sender, None).await?;
    let (tx_hash, raw) = signer.sign(Unsigned { chain_id, nonce, fees, gas_limit, to: None, input: code });
    chain.broadcast(&raw).await?;
    tokio::time::timeout(WAIT, mined(&chain, tx_hash)).await.map_err(|_| DeployError::Unmined(tx_hash))?
}

async fn mined(chain: &Chain, tx_hash: TxHash) -> Result<Deployed, DeployError> {
    loop {
        if let Some(receipt) = chain.receipt(tx_hash).await? {
            let address = receipt.created().filter(|_| receipt.succeeded()).ok_or(DeployError::Failed(tx_hash))?;
            let gas_used = receipt.gas_used();
            let cost_wei = receipt.gas_price_wei().saturating_mul(u128::from(gas_used));
            return Ok(Deployed { address, tx_hash, gas_used, cost_wei });
        }
        tokio::time::sleep(POLL).await;
    }
}
