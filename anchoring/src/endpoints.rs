//! Several RPC endpoints, each behind its own circuit breaker, used in the order in which they are configured.

use crate::breaker::Breaker;
use crate::chain::{Chain, RpcError};
use crate::record::Line;
use crate::value::Address;

/// Why an endpoint cannot be used now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EndpointError {
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
        /// The configured chain id.
        expected: u64,
    },
    /// The chain has no contract at the configured address.
    #[error(
        "{host} knows no contract at {contract} (deploy it with 'furrow contract deploy', or correct the contract's \
         address)"
    )]
    NoContract {
        /// The endpoint's host.
        host: String,
        /// The configured address.
        contract: Address,
    },
}

/// One endpoint and how it did lately.
struct Endpoint {
    chain: Chain,
    breaker: Breaker,
    /// Whether chain id and contract were found right since its last failure.
    checked: bool,
    failure: Option<EndpointError>,
}

/// The configured endpoints.
pub(crate) struct Endpoints(Vec<Endpoint>);

impl Endpoints {
    pub(crate) fn at(urls: &[String]) -> Result<Self, RpcError> {
        urls.iter()
            .map(|url| {
                Chain::at(url).map(|chain| Endpoint {
                    chain,
                    breaker: Breaker::default(),
                    checked: false,
                    failure: None,
                })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The numbers of the endpoints that may be asked now, in order of preference.
    pub(crate) fn usable(&self, now_ms: u64) -> Vec<usize> {
        (0..self.0.len()).filter(|&index| self.0[index].breaker.allows(now_ms)).collect()
    }

    /// The endpoint, once it was found to serve the right chain and contract.
    pub(crate) async fn checked(&mut self, index: usize, line: &Line) -> Result<Chain, EndpointError> {
        let endpoint = &mut self.0[index];
        if !endpoint.checked {
            let host = endpoint.chain.host().to_owned();
            let found = endpoint.chain.chain_id().await?;
            if found != line.chain_id {
                return Err(EndpointError::WrongChain { host, found, expected: line.chain_id });
            }
            if !endpoint.chain.has_code(line.contract).await? {
                return Err(EndpointError::NoContract { host, contract: line.contract });
            }
            endpoint.checked = true;
        }
        Ok(endpoint.chain.clone())
    }

    pub(crate) fn succeeded(&mut self, index: usize) {
        let endpoint = &mut self.0[index];
        endpoint.breaker.succeeded();
        endpoint.failure = None;
    }

    pub(crate) fn failed(&mut self, index: usize, error: EndpointError, now_ms: u64) {
        let endpoint = &mut self.0[index];
        tracing::warn!(endpoint = endpoint.chain.host(), %error, "an RPC endpoint failed");
        endpoint.breaker.failed(now_ms);
        endpoint.checked = false;
        endpoint.failure = Some(error);
    }

    /// Why the endpoints that failed last did so, in one line.
    pub(crate) fn failures(&self) -> String {
        let failures: Vec<_> =
            self.0.iter().filter_map(|endpoint| endpoint.failure.as_ref()).map(ToString::to_string).collect();
        failures.join("; ")
    }
}
