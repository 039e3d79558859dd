//! Fetching the evidence of an anchor while it can be had, and verifying it before it is kept.
//!
//! Endpoints forget the state of a block after some hundred others, long before bundles ask for it, so evidence is
//! fetched as soon as the anchor is mined. Storage evidence is the smaller; receipts are kept for longer and by more
//! endpoints, so they are the way out.

use crate::chain::{Chain, RpcError};
use crate::record::{AnchorRecord, Inclusion, UnprovenError};
use crate::value::BlockHash;
use alloy::eips::Encodable2718;
use alloy::primitives::{B256, Bytes};
use alloy::rlp;
use alloy::rpc::types::TransactionReceipt;
use alloy::trie::proof::ProofRetainer;
use alloy::trie::{HashBuilder, Nibbles};
use provenance::evidence::{Evidence, TrieNode};
use std::collections::BTreeMap;

/// Why there is no evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FetchError {
    /// The block's header.
    #[error("no header of the anchor's block: {0}")]
    Header(Missing),
    /// Neither kind of evidence.
    #[error("eth_getProof: {storage}; eth_getBlockReceipts: {receipt}")]
    Neither {
        /// Why no storage evidence.
        storage: Missing,
        /// Why no receipt evidence.
        receipt: Missing,
    },
}

/// Why a part of it is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Missing {
    /// The endpoint.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// It does not prove the anchor.
    #[error(transparent)]
    Unproven(#[from] UnprovenError),
    /// The endpoint has no such block.
    #[error("{0} does not have the block")]
    Block(String),
}

/// Asks an endpoint for evidence that verifies.
pub(crate) async fn fetch(chain: &Chain, record: &AnchorRecord) -> Result<Evidence, FetchError> {
    let in_no_block = || FetchError::Header(Missing::Unproven(UnprovenError::InNoBlock));
    let inclusion = record.provable().ok_or_else(in_no_block)?;
    let header = header(chain, inclusion.block_hash).await.map_err(FetchError::Header)?;
    let storage = match from_storage(chain, record, inclusion, header.clone()).await {
        Ok(evidence) => return Ok(evidence),
        Err(missing) => missing,
    };
    from_receipts(chain, record, inclusion, header).await.map_err(|receipt| FetchError::Neither { storage, receipt })
}

/// The header's bytes as hashed. They are made from the block's fields, which every endpoint gives; where a fork has
/// added fields that this program does not know, the endpoint is asked for the bytes.
async fn header(chain: &Chain, hash: BlockHash) -> Result<Vec<u8>, Missing> {
    let is_it = |bytes: &[u8]| alloy::primitives::keccak256(bytes).0 == *hash.as_bytes();
    let made = chain.header(hash).await?.ok_or_else(|| Missing::Block(chain.host().to_owned()))?;
    if is_it(&made) {
        return Ok(made);
    }
    let raw = chain.raw_header(hash).await?;
    if is_it(&raw) { Ok(raw) } else { Err(UnprovenError::OtherBlock.into()) }
}

async fn from_storage(
    chain: &Chain,
    record: &AnchorRecord,
    inclusion: &Inclusion,
    header: Vec<u8>,
) -> Result<Evidence, Missing> {
    let (account, slot) = chain.storage_proof(record.line.contract, record.line.sender, inclusion.block_hash).await?;
    verified(record, Evidence::Storage { header, account: listed(account), slot: listed(slot) })
}

async fn from_receipts(
    chain: &Chain,
    record: &AnchorRecord,
    inclusion: &Inclusion,
    header: Vec<u8>,
) -> Result<Evidence, Missing> {
    let receipts = chain.block_receipts(inclusion.block_hash).await?;
    let receipts = receipts.ok_or_else(|| Missing::Block(chain.host().to_owned()))?;
    let sought = B256::from(*inclusion.tx_hash.as_bytes());
    let found = receipts.iter().zip(0..).find(|(receipt, _)| receipt.transaction_hash == sought);
    let (receipt, transaction) = found.ok_or_else(|| Missing::Block(chain.host().to_owned()))?;
    let told = record.content.words(inclusion.block_number, inclusion.timestamp_s).to_bytes();
    let is_ours = |log: &alloy::rpc::types::Log| {
        log.address() == crate::contract::raw(record.line.contract) && log.data().data[..] == told
    };
    let log = receipt.inner.logs().iter().zip(0..).find(|(log, _)| is_ours(log)).map_or(0, |(_, index)| index);
    let receipt = receipt_proof(&receipts, transaction);
    verified(record, Evidence::Receipt { header, receipt, transaction, log })
}

/// The nodes of the trie of a block's receipts that lead to the one of this index.
fn receipt_proof(receipts: &[TransactionReceipt], transaction: u64) -> Vec<TrieNode> {
    let encoded = receipts.iter().zip(0_u64..).map(|(receipt, index)| {
        let receipt = receipt.inner.clone().into_primitives_receipt();
        (rlp::encode(index), receipt.encoded_2718())
    });
    let leaves: BTreeMap<Vec<u8>, Vec<u8>> = encoded.collect();
    let retainer = ProofRetainer::new(vec![Nibbles::unpack(rlp::encode(transaction))]);
    let mut builder = HashBuilder::default().with_proof_retainer(retainer);
    for (key, receipt) in &leaves {
        builder.add_leaf(Nibbles::unpack(key), receipt);
    }
    // The root is compared by whoever verifies the proof.
    builder.root();
    listed(builder.take_proof_nodes().into_nodes_sorted().into_iter().map(|(_, node)| node))
}

/// Some implementations list nodes that are written into their parents too; only those that are hashed belong there.
fn listed(nodes: impl IntoIterator<Item = Bytes>) -> Vec<TrieNode> {
    nodes.into_iter().filter(|node| node.len() >= 32).map(Vec::from).collect()
}

fn verified(record: &AnchorRecord, evidence: Evidence) -> Result<Evidence, Missing> {
    record.is_proven_by(&evidence)?;
    Ok(evidence)
}
