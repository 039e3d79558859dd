//! The few questions about an Ethereum endpoint that `doctor`, `contract` and `demo` ask before
//! anchoring itself begins.

use serde_json::{Value, json};
use std::time::Duration;

/// A local chain answers in milliseconds, public ones within a few seconds.
const TIMEOUT: Duration = Duration::from_secs(10);

/// An endpoint over http or https.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    http: reqwest::Client,
    url: String,
}

/// Why an endpoint gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RpcError {
    /// Not reached.
    #[error("the endpoint does not answer; check its address and your connection")]
    Unreachable(#[source] reqwest::Error),
    /// Not JSON-RPC.
    #[error("the endpoint does not speak Ethereum's JSON-RPC; check its address")]
    Foreign,
    /// Refused.
    #[error("the endpoint refuses: {0}")]
    Refused(String),
}

impl Endpoint {
    /// The endpoint at this URL.
    pub(crate) fn new(url: &str) -> Result<Self, RpcError> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).build().map_err(RpcError::Unreachable)?;
        Ok(Self { http, url: url.to_owned() })
    }

    /// EIP-155 chain id.
    pub(crate) async fn chain_id(&self) -> Result<u64, RpcError> {
        let id = number(&self.call("eth_chainId", json!([])).await?)?;
        u64::try_from(id).map_err(|_| RpcError::Foreign)
    }

    /// Whether there is a contract at this address.
    pub(crate) async fn has_code(&self, address: &str) -> Result<bool, RpcError> {
        let code = self.call("eth_getCode", json!([address, "latest"])).await?;
        Ok(code.as_str().is_some_and(|code| code.len() > 2))
    }

    /// What an account holds, in wei.
    pub(crate) async fn balance_wei(&self, address: &str) -> Result<u128, RpcError> {
        number(&self.call("eth_getBalance", json!([address, "latest"])).await?)
    }

    /// Any question.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let response = self.http.post(&self.url).json(&request).send().await.map_err(RpcError::Unreachable)?;
        let answer: Value = response.json().await.map_err(|_| RpcError::Foreign)?;
        if let Some(message) = answer.pointer("/error/message").and_then(Value::as_str) {
            return Err(RpcError::Refused(crate::output::printable(message)));
        }
        answer.get("result").cloned().ok_or(RpcError::Foreign)
    }
}

/// A hexadecimal quantity.
fn number(value: &Value) -> Result<u128, RpcError> {
    let digits = value.as_str().and_then(|text| text.strip_prefix("0x")).ok_or(RpcError::Foreign)?;
    u128::from_str_radix(digits, 16).map_err(|_| RpcError::Foreign)
}

/// An amount of wei as ether, for people.
pub(crate) fn ether(wei: u128) -> String {
    let text = format!("{}.{:018}", wei / 1_000_000_000_000_000_000, wei % 1_000_000_000_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_hexadecimal() {
        assert_eq!(number(&json!("0x7a69")).unwrap(), 31337);
        assert!(number(&json!(31337)).is_err());
        assert!(number(&json!("0x")).is_err());
    }

    #[test]
    fn ether_is_shown_without_zeros() {
        assert_eq!(ether(50_000_000_000_000_000), "0.05");
        assert_eq!(ether(2_000_000_000_000_000_000), "2");
        assert_eq!(ether(0), "0");
    }
}
