//! The node's configuration: file, then environment, then flags; each later one wins.

mod layers;
mod template;

pub(crate) use layers::{ConfigError, Overlay, load, unknown_variables};
pub(crate) use template::{TEMPLATE, set};

use anchoring::{Address, AnchorConfig};
use provenance::value::Text;
use serde::Deserialize;
use std::net::SocketAddr;
use std::time::Duration;

/// Everything that an operator may decide. The file that `furrow init` writes explains each field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Configuration {
    pub(crate) node: Node,
    pub(crate) http: Http,
    pub(crate) p2p: Peers,
    pub(crate) anchoring: Anchoring,
    pub(crate) recovery: Recovery,
    pub(crate) store: Store,
    pub(crate) log: Log,
}

/// Section `[node]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Node {
    pub(crate) name: String,
}

/// Section `[http]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Http {
    pub(crate) listen: SocketAddr,
    pub(crate) public_url: String,
}

/// Section `[p2p]`.
#[allow(clippy::struct_excessive_bools)] // Each is a setting of its own, and all combinations are meant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Peers {
    pub(crate) listen: Vec<String>,
    pub(crate) bootstrap: Vec<String>,
    pub(crate) mdns: bool,
    #[allow(clippy::struct_field_names)] // As it is called in the file.
    pub(crate) max_peers: usize,
    pub(crate) request_timeout_s: u64,
    pub(crate) block_for_s: u64,
    pub(crate) admission: Admission,
    pub(crate) trusted: Vec<String>,
    pub(crate) open_reading: bool,
    pub(crate) max_connections_per_address: u32,
    pub(crate) max_memory_mib: usize,
    pub(crate) max_upload_mib_s: u32,
    pub(crate) max_download_mib_s: u32,
    pub(crate) discovery: bool,
    pub(crate) autonat: bool,
    pub(crate) relay_client: bool,
    pub(crate) relay_server: bool,
    pub(crate) external_addresses: Vec<String>,
}

/// Which peers are let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Admission {
    /// The enrolled nodes of the network, and those that the operator names.
    Enrolled,
    /// Whoever knows the network's id.
    Anyone,
}

/// Section `[anchoring]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Anchoring {
    pub(crate) rpc_urls: Vec<String>,
    pub(crate) chain_id: u64,
    pub(crate) contract: String,
    pub(crate) interval_s: u64,
    pub(crate) max_waiting: u64,
    pub(crate) poll_ms: u64,
    pub(crate) confirmations: u64,
    pub(crate) max_fee_gwei: u64,
    pub(crate) replace_after_blocks: u64,
    pub(crate) daily_budget_eth: String,
}

/// Section `[recovery]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Recovery {
    pub(crate) keep_entries: u64,
    pub(crate) witnesses: usize,
    pub(crate) new_log_key_after_s: u64,
}

/// Section `[store]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Store {
    pub(crate) cache_mib: usize,
    pub(crate) write_buffer_mib: usize,
}

/// Section `[log]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    pub(crate) level: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for programs that collect logs.
    Json,
}

impl Default for Node {
    fn default() -> Self {
        Self { name: "furrow".to_owned() }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 7400)), public_url: String::new() }
    }
}

impl Default for Peers {
    fn default() -> Self {
        let port = p2p::DEFAULT_PORT;
        Self {
            listen: vec![format!("/ip4/0.0.0.0/tcp/{port}"), format!("/ip4/0.0.0.0/udp/{port}/quic-v1")],
            bootstrap: Vec::new(),
            mdns: true,
            max_peers: 64,
            request_timeout_s: 15,
            block_for_s: 600,
            admission: Admission::Enrolled,
            trusted: Vec::new(),
            open_reading: false,
            max_connections_per_address: 32,
            max_memory_mib: 0,
            max_upload_mib_s: 128,
            max_download_mib_s: 64,
            discovery: true,
            autonat: true,
            relay_client: true,
            relay_server: false,
            external_addresses: Vec::new(),
        }
    }
}

impl Default for Anchoring {
    fn default() -> Self {
        Self {
            rpc_urls: Vec::new(),
            chain_id: 0,
            contract: String::new(),
            interval_s: AnchorConfig::INTERVAL_MS / 1000,
            max_waiting: AnchorConfig::MAX_WAITING,
            poll_ms: AnchorConfig::POLL_MS,
            confirmations: AnchorConfig::CONFIRMATIONS,
            max_fee_gwei: AnchorConfig::MAX_FEE_GWEI,
            replace_after_blocks: AnchorConfig::REPLACE_AFTER_BLOCKS,
            daily_budget_eth: "0.05".to_owned(),
        }
    }
}

impl Default for Recovery {
    fn default() -> Self {
        let keep_entries = ledger::LedgerOptions::default().witnessed_entries;
        Self { keep_entries, witnesses: 0, new_log_key_after_s: 0 }
    }
}

impl Default for Store {
    fn default() -> Self {
        let defaults = store::StoreOptions::default();
        Self { cache_mib: defaults.cache_bytes >> 20, write_buffer_mib: defaults.write_buffer_bytes >> 20 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

impl Configuration {
    /// Rules that concern more than the type of one value.
    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key: &'static str, rule: String| Err(ConfigError::Value { key, rule });
        if Text::<64>::new(self.node.name.as_str()).is_err() {
            return wrong("node.name", "give 1 to 64 characters without blanks at the ends".to_owned());
        }
        if self.p2p.listen.is_empty() {
            return wrong("p2p.listen", "name at least one address, such as /ip4/0.0.0.0/tcp/4874".to_owned());
        }
        if self.p2p.max_peers == 0 || self.p2p.request_timeout_s == 0 {
            return wrong("p2p", "max_peers and request_timeout_s must be more than zero".to_owned());
        }
        let rates = [self.p2p.max_connections_per_address, self.p2p.max_upload_mib_s, self.p2p.max_download_mib_s];
        if rates.contains(&0) {
            let rule = "max_connections_per_address, max_upload_mib_s and max_download_mib_s must be more than zero";
            return wrong("p2p", rule.to_owned());
        }
        self.p2p.trusted_peers()?;
        if self.store.cache_mib < 8 || self.store.write_buffer_mib < 8 {
            return wrong("store", "cache_mib and write_buffer_mib must be at least 8".to_owned());
        }
        self.anchor_config().map(|_| ())
    }

    /// The same for the anchoring service; nothing where no endpoint is named.
    pub(crate) fn anchor_config(&self) -> Result<Option<AnchorConfig>, ConfigError> {
        let section = &self.anchoring;
        let daily_budget_wei = wei(&section.daily_budget_eth).ok_or_else(|| ConfigError::Value {
            key: "anchoring.daily_budget_eth",
            rule: format!("'{}' is no amount of ether; write a decimal such as \"0.05\"", section.daily_budget_eth),
        })?;
        if section.rpc_urls.is_empty() {
            return Ok(None);
        }
        if section.chain_id == 0 {
            let rule = "name the chain's id (EIP-155), such as 1 for Ethereum or 11155111 for Sepolia".to_owned();
            return Err(ConfigError::Value { key: "anchoring.chain_id", rule });
        }
        let contract: Address = section.contract.parse().map_err(|error: anchoring::ValueError| {
            let rule = format!("{error}; 'furrow contract deploy' makes a contract");
            ConfigError::Value { key: "anchoring.contract", rule }
        })?;
        for (key, value) in [
            ("anchoring.interval_s", section.interval_s),
            ("anchoring.max_waiting", section.max_waiting),
            ("anchoring.poll_ms", section.poll_ms),
            ("anchoring.confirmations", section.confirmations),
            ("anchoring.max_fee_gwei", section.max_fee_gwei),
            ("anchoring.replace_after_blocks", section.replace_after_blocks),
        ] {
            if value == 0 {
                return Err(ConfigError::Value { key, rule: "must be more than zero".to_owned() });
            }
        }
        Ok(Some(AnchorConfig {
            interval_ms: section.interval_s.saturating_mul(1000),
            max_waiting: section.max_waiting,
            poll_ms: section.poll_ms,
            confirmations: section.confirmations,
            max_fee_gwei: section.max_fee_gwei,
            replace_after_blocks: section.replace_after_blocks,
            daily_budget_wei,
            ..AnchorConfig::new(section.rpc_urls.clone(), section.chain_id, contract)
        }))
    }

    /// The base of the links that others get to see.
    pub(crate) fn public_url(&self) -> Option<&str> {
        let url = self.http.public_url.trim_end_matches('/');
        (!url.is_empty()).then_some(url)
    }
}

impl Peers {
    /// How long a peer may take to answer.
    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_s)
    }

    /// The peers that are let in though nobody enrolled them.
    pub(crate) fn trusted_peers(&self) -> Result<Vec<p2p::PeerId>, ConfigError> {
        let parse = |text: &String| {
            text.parse().map_err(|error: p2p::PeerIdError| {
                let rule = format!("'{text}' is {error}");
                ConfigError::Value { key: "p2p.trusted", rule }
            })
        };
        self.trusted.iter().map(parse).collect()
    }

    /// The bootstrap addresses that do not say who is to answer: trusted only once it is enrolled.
    pub(crate) fn unnamed_bootstrap(&self) -> impl Iterator<Item = &String> {
        self.bootstrap.iter().filter(|address| !address.contains("/p2p/"))
    }

    /// How long a peer that misbehaved stays cut off.
    pub(crate) fn block_for(&self) -> Duration {
        Duration::from_secs(self.block_for_s)
    }
}

/// An amount of ether with at most 18 decimals, in wei.
fn wei(text: &str) -> Option<u128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || fraction.len() > 18 || !digits(whole) || !digits(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<18}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ether_is_read_exactly() {
        assert_eq!(wei("0.05"), Some(AnchorConfig::DAILY_BUDGET_WEI));
        assert_eq!(wei("1"), Some(1_000_000_000_000_000_000));
        assert_eq!(wei("0.000000000000000001"), Some(1));
        for text in ["", ".5", "-1", "1e3", "0.0000000000000000001", "9999999999999"] {
            assert_eq!(wei(text), None, "{text}");
        }
    }

    #[test]
    fn anchoring_needs_chain_and_contract_only_where_it_is_on() {
        let mut configuration = Configuration::default();
        assert_eq!(configuration.anchor_config().unwrap(), None);
        configuration.anchoring.rpc_urls = vec!["http://127.0.0.1:8545".to_owned()];
        assert!(configuration.check().unwrap_err().to_string().contains("anchoring.chain_id"));
        configuration.anchoring.chain_id = 1;
        assert!(configuration.check().unwrap_err().to_string().contains("anchoring.contract"));
        configuration.anchoring.contract = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".to_owned();
        configuration.check().unwrap();
        configuration.anchoring.confirmations = 0;
        assert!(configuration.check().is_err());
    }
}
