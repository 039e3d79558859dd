//! What a sender anchored last, as the chain alone tells it: for whoever has lost the book.

use crate::chain::{Chain, RpcError};
use crate::commitment::Content;
use crate::record::Line;
use crate::value::Commitment;

/// Why an endpoint does not tell it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NewestError {
    /// It did not answer.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// It is an endpoint of another chain.
    #[error("{host} serves chain {found}, not {expected} (correct chain_id or rpc_urls)")]
    WrongChain {
        /// The endpoint's host.
        host: String,
        /// Its chain id.
        found: u64,
        /// The chain id asked for.
        expected: u64,
    },
    /// The contract holds a commitment, and its content is not to be had.
    #[error(
        "{host} knows of an anchor and does not give its event (name an endpoint in rpc_urls that keeps old events)"
    )]
    NoEvent {
        /// The endpoint's host.
        host: String,
    },
}

/// What the contract's newest commitment of this line's sender says; none if it never anchored there. The content is the
/// one whose hash the contract stores, which is as much as the endpoint's word is worth.
pub async fn newest_content(rpc_url: &str, line: &Line) -> Result<Option<Content>, NewestError> {
    let chain = Chain::at(rpc_url)?;
    let (host, found) = (chain.host().to_owned(), chain.chain_id().await?);
    if found != line.chain_id {
        return Err(NewestError::WrongChain { host, found, expected: line.chain_id });
    }
    let commitment = chain.commitment(line.contract, line.sender, None).await?;
    if commitment == Commitment::ZERO {
        return Ok(None);
    }
    let content = chain.content(line.contract, line.sender, commitment).await?;
    content.map(Some).ok_or(NewestError::NoEvent { host })
}
