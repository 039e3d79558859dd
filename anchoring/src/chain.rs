//! One RPC endpoint: the questions that anchoring asks a chain, and what can go wrong with the answers.

use crate::commitment::Content;
use crate::contract::{FurrowAnchor, commitment_slot, raw, word};
use crate::value::{Address, BlockHash, Commitment, TxHash};
use alloy::consensus::BlockHeader;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::network::{ReceiptResponse, TransactionBuilder};
use alloy::primitives::{B256, Bytes, keccak256};
use alloy::providers::{Provider, RootProvider};
use alloy::rlp;
use alloy::rpc::client::RpcClient;
use alloy::rpc::types::{Filter, Log, TransactionReceipt, TransactionRequest};
use alloy::sol_types::SolEvent;
use alloy::transports::{RpcError as LibraryError, TransportError, TransportErrorKind};
use std::time::Duration;

/// Endpoints answer within a second or are in trouble; ten leave room for a slow link to a rural node.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that needs longer is better replaced by another endpoint.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Messages of endpoints are shown to people and may be pages of HTML.
const MAX_MESSAGE_CHARS: usize = 200;

/// Why an endpoint did not give an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// The URL cannot be used.
    #[error("'{0}' is not an http or https URL: correct rpc_urls")]
    Url(String),
    /// No answer. URLs often contain keys, so the reason never does.
    #[error("{host} does not answer ({reason})")]
    Unreachable {
        /// The endpoint's host.
        host: String,
        /// Why not.
        reason: String,
    },
    /// It answered with an error.
    #[error("{host} refuses: {message} (code {code})")]
    Refused {
        /// The endpoint's host.
        host: String,
        /// JSON-RPC error code.
        code: i64,
        /// JSON-RPC error message.
        message: String,
    },
    /// It answered with something that is no answer.
    #[error("{host} does not answer as an Ethereum endpoint does ({reason})")]
    Nonsense {
        /// The endpoint's host.
        host: String,
        /// What is wrong.
        reason: &'static str,
    },
}

/// The newest block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) number: u64,
    pub(crate) base_fee_wei: u128,
}

/// A block as far as commitments depend on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    pub(crate) number: u64,
    pub(crate) timestamp_s: u64,
}

/// One endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    host: String,
    provider: RootProvider,
}

impl Chain {
    /// An endpoint at `url`; nothing is asked yet.
    pub(crate) fn at(url: &str) -> Result<Self, RpcError> {
        let refused = || RpcError::Url(url.chars().take_while(|c| !matches!(c, '?' | '@')).take(80).collect());
        let parsed: reqwest::Url = url.parse().map_err(|_| refused())?;
        let host = match (parsed.scheme(), parsed.host_str(), parsed.port()) {
            ("http" | "https", Some(host), Some(port)) => format!("{host}:{port}"),
            ("http" | "https", Some(host), None) => host.to_owned(),
            _ => return Err(refused()),
        };
        let client = reqwest::Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .map_err(|_| RpcError::Unreachable { host: host.clone(), reason: "no TLS is available".to_owned() })?;
        Ok(Self { provider: RootProvider::new(RpcClient::new_http_with_client(client, parsed)), host })
    }

    /// The endpoint's host and port, which is all of its URL that may be shown.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) async fn chain_id(&self) -> Result<u64, RpcError> {
        self.provider.get_chain_id().await.map_err(|error| self.explain(error))
    }

    pub(crate) async fn has_code(&self, address: Address) -> Result<bool, RpcError> {
        let code = self.provider.get_code_at(raw(address)).await.map_err(|error| self.explain(error))?;
        Ok(!code.is_empty())
    }

    pub(crate) async fn head(&self) -> Result<Head, RpcError> {
        let block = self.provider.get_block_by_number(BlockNumberOrTag::Latest).await;
        let block = block.map_err(|error| self.explain(error))?.ok_or_else(|| self.nonsense("no newest block"))?;
        Ok(Head {
            number: block.header.number(),
            base_fee_wei: u128::from(block.header.base_fee_per_gas().unwrap_or(0)),
        })
    }

    /// Number of the newest final block; none where the chain does not say.
    pub(crate) async fn finalized(&self) -> Result<Option<u64>, RpcError> {
        match self.provider.get_block_by_number(BlockNumberOrTag::Finalized).await {
            Ok(block) => Ok(block.map(|block| block.header.number())),
            Err(error) => self.explain(error).refusal().map(|_| None),
        }
    }

    pub(crate) async fn block(&self, hash: BlockHash) -> Result<Option<Block>, RpcError> {
        let block = self.provider.get_block_by_hash(B256::from(*hash.as_bytes())).await;
        Ok(block
            .map_err(|error| self.explain(error))?
            .map(|block| Block { number: block.header.number(), timestamp_s: block.header.timestamp() }))
    }

    /// The hash of the block with this number; none where the chain is not so long.
    pub(crate) async fn hash_of(&self, number: u64) -> Result<Option<BlockHash>, RpcError> {
        let block = self.provider.get_block_by_number(number.into()).await;
        Ok(block.map_err(|error| self.explain(error))?.map(|block| BlockHash::from_bytes(block.header.hash.0)))
    }

    pub(crate) async fn balance_wei(&self, account: Address) -> Result<u128, RpcError> {
        let balance = self.provider.get_balance(raw(account)).await.map_err(|error| self.explain(error))?;
        Ok(balance.saturating_to())
    }

    /// How many transactions of `account` are in the chain up to the newest block, or to block number `at`.
    pub(crate) async fn nonce(&self, account: Address, at: Option<u64>) -> Result<u64, RpcError> {
        let block = at.map_or(BlockId::latest(), BlockId::number);
        self.provider.get_transaction_count(raw(account)).block_id(block).await.map_err(|error| self.explain(error))
    }

    pub(crate) async fn receipt(&self, hash: TxHash) -> Result<Option<Receipt>, RpcError> {
        let receipt = self.provider.get_transaction_receipt(B256::from(*hash.as_bytes())).await;
        // A receipt without a block is that of a transaction which still waits.
        Ok(receipt.map_err(|error| self.explain(error))?.filter(|receipt| receipt.block_hash().is_some()).map(Receipt))
    }

    /// Whether the endpoint has the transaction, mined or waiting.
    pub(crate) async fn knows(&self, hash: TxHash) -> Result<bool, RpcError> {
        let found = self.provider.get_transaction_by_hash(B256::from(*hash.as_bytes())).await;
        Ok(found.map_err(|error| self.explain(error))?.is_some())
    }

    /// What the contract stores for `sender` at the newest block, or at the block with hash `at`.
    pub(crate) async fn commitment(
        &self,
        contract: Address,
        sender: Address,
        at: Option<BlockHash>,
    ) -> Result<Commitment, RpcError> {
        let block = at.map_or(BlockId::latest(), |hash| BlockId::hash(B256::from(*hash.as_bytes())));
        let stored = self.provider.get_storage_at(raw(contract), commitment_slot(sender).into()).block_id(block).await;
        Ok(Commitment::from_bytes(word(stored.map_err(|error| self.explain(error))?)))
    }

    /// RLP of a block's header, made from its fields.
    pub(crate) async fn header(&self, hash: BlockHash) -> Result<Option<Vec<u8>>, RpcError> {
        let block = self.provider.get_block_by_hash(B256::from(*hash.as_bytes())).await;
        Ok(block.map_err(|error| self.explain(error))?.map(|block| rlp::encode(&block.header.inner)))
    }

    /// RLP of a block's header as the endpoint has it; few answer this.
    pub(crate) async fn raw_header(&self, hash: BlockHash) -> Result<Vec<u8>, RpcError> {
        let block = BlockId::hash(B256::from(*hash.as_bytes()));
        let header = self.provider.raw_request::<_, Bytes>("debug_getRawHeader".into(), (block,)).await;
        header.map(Vec::from).map_err(|error| self.explain(error))
    }

    /// Nodes from a block's state root to the contract, and from there to the commitment of `sender` (EIP-1186).
    pub(crate) async fn storage_proof(
        &self,
        contract: Address,
        sender: Address,
        at: BlockHash,
    ) -> Result<(Vec<Bytes>, Vec<Bytes>), RpcError> {
        let block = BlockId::hash(B256::from(*at.as_bytes()));
        let proof = self.provider.get_proof(raw(contract), vec![commitment_slot(sender)]).block_id(block).await;
        let mut proof = proof.map_err(|error| self.explain(error))?;
        let slot = proof.storage_proof.pop().ok_or_else(|| self.nonsense("a proof without the slot"))?;
        Ok((proof.account_proof, slot.proof))
    }

    /// The receipts of a block, in its order.
    pub(crate) async fn block_receipts(&self, at: BlockHash) -> Result<Option<Vec<TransactionReceipt>>, RpcError> {
        let block = BlockId::hash(B256::from(*at.as_bytes()));
        self.provider.get_block_receipts(block).await.map_err(|error| self.explain(error))
    }

    /// The content whose commitment this is, from the events of the contract.
    pub(crate) async fn content(
        &self,
        contract: Address,
        sender: Address,
        commitment: Commitment,
    ) -> Result<Option<Content>, RpcError> {
        let filter = Filter::new()
            .address(raw(contract))
            .event_signature(FurrowAnchor::Anchored::SIGNATURE_HASH)
            .topic1(raw(sender))
            .from_block(BlockNumberOrTag::Earliest);
        let logs = self.provider.get_logs(&filter).await.map_err(|error| self.explain(error))?;
        Ok(logs
            .iter()
            .rev()
            .find(|log| keccak256(&log.data().data).0 == *commitment.as_bytes())
            .and_then(|log| FurrowAnchor::Anchored::decode_log(&log.inner).ok())
            .map(|event| Content::of(&event)))
    }

    /// Gas that a call needs. An endpoint refuses where the call would fail.
    pub(crate) async fn estimate_gas(&self, from: Address, to: Address, input: Vec<u8>) -> Result<u64, RpcError> {
        let request = TransactionRequest::default().with_from(raw(from)).with_to(raw(to)).with_input(input);
        self.provider.estimate_gas(request).await.map_err(|error| self.explain(error))
    }

    /// Gas that a deployment needs.
    pub(crate) async fn estimate_deployment_gas(&self, from: Address, code: Vec<u8>) -> Result<u64, RpcError> {
        let request = TransactionRequest::default().with_from(raw(from)).with_deploy_code(code);
        self.provider.estimate_gas(request).await.map_err(|error| self.explain(error))
    }

    /// The priority fee that is usual now; none where the endpoint does not say.
    pub(crate) async fn priority_fee_wei(&self) -> Result<Option<u128>, RpcError> {
        match self.provider.get_max_priority_fee_per_gas().await {
            Ok(fee) => Ok(Some(fee)),
            Err(error) => self.explain(error).refusal().map(|_| None),
        }
    }

    /// Hands a signed transaction over.
    pub(crate) async fn broadcast(&self, raw_tx: &[u8]) -> Result<(), RpcError> {
        self.provider.send_raw_transaction(raw_tx).await.map(|_| ()).map_err(|error| self.explain(error))
    }

    /// The error without the endpoint's URL, which may contain a key.
    fn explain(&self, error: TransportError) -> RpcError {
        let host = self.host.clone();
        let reason = match error {
            LibraryError::ErrorResp(payload) => {
                let message = payload.message.chars().take(MAX_MESSAGE_CHARS).collect();
                return RpcError::Refused { host, code: payload.code, message };
            }
            LibraryError::Transport(TransportErrorKind::HttpError(http)) => format!("HTTP status {}", http.status),
            LibraryError::Transport(TransportErrorKind::HttpErrorWithRetryAfter { error, .. }) => {
                format!("HTTP status {}", error.status)
            }
            LibraryError::Transport(TransportErrorKind::Custom(cause)) => {
                match cause.downcast_ref::<reqwest::Error>() {
                    Some(cause) if cause.is_timeout() => "no answer in time".to_owned(),
                    Some(cause) if cause.is_connect() => "cannot connect".to_owned(),
                    _ => "the connection broke".to_owned(),
                }
            }
            LibraryError::Transport(_) => "the connection broke".to_owned(),
            _ => return self.nonsense("the answer has another form"),
        };
        RpcError::Unreachable { host, reason }
    }

    fn nonsense(&self, reason: &'static str) -> RpcError {
        RpcError::Nonsense { host: self.host.clone(), reason }
    }
}

impl RpcError {
    /// The endpoint's message if it refused; any other error stays one.
    pub(crate) fn refusal(self) -> Result<String, Self> {
        match self {
            Self::Refused { message, .. } => Ok(message),
            other => Err(other),
        }
    }
}

/// What came of a transaction.
pub(crate) struct Receipt(TransactionReceipt);

impl Receipt {
    pub(crate) fn block_hash(&self) -> BlockHash {
        BlockHash::from_bytes(self.0.block_hash().expect("only receipts with a block are made").0)
    }

    pub(crate) fn succeeded(&self) -> bool {
        self.0.status()
    }

    pub(crate) fn gas_used(&self) -> u64 {
        self.0.gas_used()
    }

    pub(crate) fn gas_price_wei(&self) -> u128 {
        self.0.effective_gas_price()
    }

    pub(crate) fn created(&self) -> Option<Address> {
        self.0.contract_address().map(|address| Address::from_bytes(address.into_array()))
    }

    /// What `contract` says in it that `sender` anchored.
    pub(crate) fn anchored(&self, contract: Address, sender: Address) -> Option<FurrowAnchor::Anchored> {
        let from_contract = |log: &&Log| log.address() == raw(contract);
        self.0
            .inner
            .logs()
            .iter()
            .filter(from_contract)
            .filter_map(|log| FurrowAnchor::Anchored::decode_log(&log.inner).ok())
            .map(|event| event.data)
            .find(|event| event.sender == raw(sender))
    }
}

/// Call data of `anchor`.
pub(crate) fn anchor_call(content: &Content) -> Vec<u8> {
    use alloy::sol_types::SolCall;
    FurrowAnchor::anchorCall {
        previous: B256::from(*content.previous.as_bytes()),
        size: content.size,
        logRoot: B256::from(content.log_root),
        stateRoot: B256::from(content.state_root),
    }
    .abi_encode()
}
