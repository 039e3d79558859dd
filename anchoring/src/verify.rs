//! Whether an anchor stands on the chain as it is told: from the chain's answers alone.

use crate::chain::{Chain, Receipt, RpcError};
use crate::commitment::{AnchorClaim, Content};
use crate::record::{Inclusion, Line};
use crate::value::{Address, BlockHash, Commitment};

/// What the chain says against an anchor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The contract refused it.
    #[error("the contract refused the anchor: another one of this sender came first")]
    Reverted,
    /// No event.
    #[error("the transaction holds no event of this contract for this sender")]
    NoEvent,
    /// Another event.
    #[error("the contract's event tells of another log, size, root or predecessor")]
    OtherEvent,
    /// Another commitment.
    #[error("the contract stored {stored}, but these values make {computed}")]
    OtherCommitment {
        /// What was stored.
        stored: Commitment,
        /// What it should have been.
        computed: Commitment,
    },
}

/// Where the commitment was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// In the contract's storage as of the anchor's block.
    AtItsBlock,
    /// In the contract's storage now.
    Now,
    /// The endpoint no longer has the storage of that time, and by now a later anchor is stored. The event of the
    /// contract is the witness.
    NotReadable,
}

/// An anchor that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedAnchor {
    /// Number of its block.
    pub block_number: u64,
    /// Hash of its block.
    pub block_hash: BlockHash,
    /// Time of its block, seconds since the epoch.
    pub timestamp_s: u64,
    /// Its commitment.
    pub commitment: Commitment,
    /// How deep its block is; the newest block has depth 1.
    pub depth_blocks: u64,
    /// Whether its block is final; none where the chain does not say.
    pub is_final: Option<bool>,
    /// Where the commitment was found.
    pub stored: Stored,
}

/// Why an anchor could not be verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// No answer.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The endpoint is one of another chain.
    #[error("the endpoint serves chain {found} and the anchor is on chain {expected}: name an endpoint of that chain")]
    WrongChain {
        /// The endpoint's chain.
        found: u64,
        /// The anchor's chain.
        expected: u64,
    },
    /// The transaction is in no block.
    #[error("the anchor's transaction is in no block of this chain")]
    NotMined,
    /// The anchor is not what it is said to be.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

/// What `contract` stores for `sender` now; zero if it never anchored.
pub async fn read_commitment(rpc_url: &str, contract: Address, sender: Address) -> Result<Commitment, RpcError> {
    Chain::at(rpc_url)?.commitment(contract, sender, None).await
}

/// Asks the endpoint for the hashes of blocks by their numbers; those that its chain does not have are left out. Nothing
/// where the endpoint serves another chain.
pub async fn block_hashes(rpc_url: &str, chain_id: u64, numbers: &[u64]) -> Result<Option<Vec<BlockHash>>, RpcError> {
    let chain = Chain::at(rpc_url)?;
    if chain.chain_id().await? != chain_id {
        return Ok(None);
    }
    let mut hashes = Vec::with_capacity(numbers.len());
    for number in numbers {
        hashes.extend(chain.hash_of(*number).await?);
    }
    Ok(Some(hashes))
}

/// Asks the endpoint whether `sender` anchored this in `contract`.
pub async fn verify_anchor(
    rpc_url: &str,
    contract: Address,
    sender: Address,
    claim: &AnchorClaim,
) -> Result<VerifiedAnchor, VerifyError> {
    let chain = Chain::at(rpc_url)?;
    let found = chain.chain_id().await?;
    if found != claim.chain_id {
        return Err(VerifyError::WrongChain { found, expected: claim.chain_id });
    }
    let receipt = chain.receipt(claim.tx_hash).await?.ok_or(VerifyError::NotMined)?;
    let block_hash = receipt.block_hash();
    let block = chain.block(block_hash).await?.ok_or(VerifyError::NotMined)?;
    let inclusion = Inclusion {
        tx_hash: claim.tx_hash,
        block_number: block.number,
        block_hash,
        timestamp_s: block.timestamp_s,
        succeeded: receipt.succeeded(),
        commitment: claim.content.commitment(block.number, block.timestamp_s),
        gas_used: receipt.gas_used(),
        gas_price_wei: receipt.gas_price_wei(),
    };
    let line = Line { chain_id: claim.chain_id, contract, sender };
    let stored = read_back(&chain, &line, &claim.content, &inclusion, &receipt).await??;
    let (head, finalized) = (chain.head().await?, chain.finalized().await?);
    Ok(VerifiedAnchor {
        block_number: block.number,
        block_hash,
        timestamp_s: block.timestamp_s,
        commitment: inclusion.commitment,
        depth_blocks: (head.number + 1).saturating_sub(block.number),
        is_final: finalized.map(|number| number >= block.number),
        stored,
    })
}

/// Compares what the chain holds with what was to be anchored: the receipt's status, the contract's event, and the
/// commitment in the contract's storage with the one computed from the block.
pub(crate) async fn read_back(
    chain: &Chain,
    line: &Line,
    content: &Content,
    inclusion: &Inclusion,
    receipt: &Receipt,
) -> Result<Result<Stored, Mismatch>, RpcError> {
    if !inclusion.succeeded {
        return Ok(Err(Mismatch::Reverted));
    }
    let Some(event) = receipt.anchored(line.contract, line.sender) else { return Ok(Err(Mismatch::NoEvent)) };
    if !content.is_told_by(&event, inclusion.block_number, inclusion.timestamp_s) {
        return Ok(Err(Mismatch::OtherEvent));
    }
    let computed = inclusion.commitment;
    match chain.commitment(line.contract, line.sender, Some(inclusion.block_hash)).await {
        Ok(stored) if stored == computed => return Ok(Ok(Stored::AtItsBlock)),
        Ok(stored) => return Ok(Err(Mismatch::OtherCommitment { stored, computed })),
        // Endpoints keep the storage of some hundred blocks only.
        Err(error) => error.refusal()?,
    };
    let stored = chain.commitment(line.contract, line.sender, None).await?;
    Ok(Ok(if stored == computed { Stored::Now } else { Stored::NotReadable }))
}
