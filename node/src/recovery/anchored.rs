//! What a restored node's log committed to on the chain last, which it must come to again.

use super::decide::Head;
use anchoring::{AnchorConfig, KeyError, Line, newest_content, sender_address};

/// Where a log is anchored.
#[derive(Debug, Clone)]
pub(crate) struct Anchored {
    rpc_urls: Vec<String>,
    line: Line,
}

impl Anchored {
    /// By the configuration of anchoring and the sender's key.
    pub(crate) fn new(config: &AnchorConfig, key: &[u8; 32]) -> Result<Self, KeyError> {
        let line = Line { chain_id: config.chain_id, contract: config.contract, sender: sender_address(key)? };
        Ok(Self { rpc_urls: config.rpc_urls.clone(), line })
    }

    /// Size and root of what was anchored last, if anything was, as the first endpoint tells that answers; why none does.
    pub(super) async fn newest(&self) -> Result<Option<Head>, String> {
        let mut failures = Vec::new();
        for url in &self.rpc_urls {
            match newest_content(url, &self.line).await {
                Ok(content) => return Ok(content.map(|content| (content.size, content.log_root))),
                Err(error) => failures.push(error.to_string()),
            }
        }
        Err(failures.join("; "))
    }
}
