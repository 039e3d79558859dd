//! `furrow doctor`: check a node's folder and its surroundings, a line each, with what to do.

use crate::cli::Global;
use crate::config::{self, Admission, Configuration};
use crate::data_dir::DataDir;
use crate::failure::{Exit, Failure, with_sources};
use crate::keystore::{ANCHORING, COOPERATIVE, Keystore, PublicKeyEntry, STANDARD};
use crate::network_file;
use crate::output::text;
use crate::rpc::{Endpoint, ether};
use clap::Args;
use ledger::{Restored, unconfirmed_journals};
use provenance::network::Network;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};
use store::{Store, StoreOptions};

/// Below this, a node has no room for its next files.
const MIN_FREE_BYTES: u64 = 1024 * 1024 * 1024;

/// A chain's newest block is seconds old; a clock that is further off gives events wrong times.
const MAX_CLOCK_ERROR: Duration = Duration::from_mins(5);

/// When this program was written; a clock before it is wrong.
const EARLIEST_MS: u64 = 1_767_225_600_000;

/// Anchors that the account should be able to pay for, at the limit of the fee.
const ANCHORS_IN_STOCK: u128 = 20;

/// Gas of a repeated anchor.
const ANCHOR_GAS: u128 = 31_000;

/// Check this node's folder and surroundings, running or not, and say what to do
#[derive(Debug, Args)]
pub(crate) struct Doctor {}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finding {
    Good(String),
    /// It works, but somebody should look.
    Look(String),
    /// It does not work, and this is what to do.
    Bad(String),
}

use Finding::{Bad, Good, Look};

impl Doctor {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let folder = global.data_dir()?;
        let mut findings: Vec<(&str, Finding)> = Vec::new();
        let configuration = match config::load(&folder.configuration(), Vec::new()) {
            Ok(configuration) => {
                findings.push(("configuration", Good(folder.configuration().display().to_string())));
                Some(configuration)
            }
            Err(error) => {
                findings.push(("configuration", Bad(with_sources(&error))));
                None
            }
        };
        for variable in config::unknown_variables() {
            findings
                .push(("environment", Look(format!("{variable} is no setting of this program; check its spelling"))));
        }
        let network = network_file::read(&folder.network());
        findings.push((
            "network",
            match &network {
                Ok(network) => Good(format!("{}, id {}", network.name(), network.id())),
                Err(error) => Bad(with_sources(error)),
            },
        ));
        findings.push(("keystore", keystore(global, &folder, network.as_ref().ok())));
        findings.push(("token", token(&folder.token())));
        findings.push(("disk", disk(folder.path())));
        findings.push(("clock", clock(SystemTime::now())));
        let running = is_running(global).await;
        if let Some(configuration) = &configuration {
            ports(configuration, running, &mut findings);
            admission(configuration, &mut findings);
        }
        if running {
            network_of_nodes(global, &mut findings).await;
        }
        findings.push(("store", store(&folder.store(), running)));
        if let Some(configuration) = &configuration {
            anchoring(&folder, configuration, &mut findings).await;
        }
        report(global, &findings)
    }
}

fn keystore(global: &Global, folder: &DataDir, network: Option<&Network>) -> Finding {
    let path = folder.keystore();
    let keys = match Keystore::public_keys(&path) {
        Ok(keys) => keys,
        Err(error) => return Bad(with_sources(&error)),
    };
    if let Some((name, _)) = STANDARD.iter().find(|(name, _)| !keys.iter().any(|key| key.name == *name)) {
        return Bad(format!("the key '{name}' is missing; restore the keystore from your backup"));
    }
    if let Some(finding) = readable_by_others(&path) {
        return finding;
    }
    // Without a passphrase file nobody is asked: a check should not wait for somebody to type.
    if global.passphrase_file.is_some()
        && let Err(failure) = global.keystore()
    {
        return Bad(failure.to_string());
    }
    let signer = keys.iter().find(|key| key.name == COOPERATIVE).and_then(PublicKeyEntry::public_key);
    let founder = signer.zip(network).and_then(|(key, network)| network.founder(&key));
    match founder {
        Some(_) => Good(format!("{} keys; 'cooperative' is a founder's", keys.len())),
        None => Look(format!("{} keys; 'cooperative' is no founder's, so a founder has to enrol it once", keys.len())),
    }
}

fn readable_by_others(path: &Path) -> Option<Finding> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| Bad(format!("others may read {0}; run 'chmod 600 {0}'", path.display())))
}

fn token(path: &Path) -> Finding {
    match std::fs::read_to_string(path) {
        Ok(token) => match api::Token::new(token.trim()) {
            Ok(_) => readable_by_others(path).unwrap_or_else(|| Good(path.display().to_string())),
            Err(error) => Bad(format!("{}: {error}", path.display())),
        },
        Err(error) => Bad(format!("cannot read {}: {error}; make the folder with 'furrow init'", path.display())),
    }
}

fn disk(path: &Path) -> Finding {
    match rustix::fs::statvfs(path) {
        Ok(space) => {
            let free = space.f_bavail.saturating_mul(space.f_frsize);
            let text = format!("{} MiB free", free >> 20);
            if free < MIN_FREE_BYTES { Bad(format!("{text}; make room, at least 1 GiB")) } else { Good(text) }
        }
        Err(error) => Bad(format!("cannot look at {}: {error}", path.display())),
    }
}

fn clock(now: SystemTime) -> Finding {
    let now_ms = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    if now_ms < u128::from(EARLIEST_MS) {
        return Bad("the machine's clock is years behind; set it, best with NTP".to_owned());
    }
    Good(jiff::Timestamp::try_from(now).map_or_else(|_| "set".to_owned(), |time| time.to_string()))
}

async fn is_running(global: &Global) -> bool {
    match global.client() {
        Ok(client) => client.get("/status").await.is_ok(),
        Err(_) => false,
    }
}

fn ports(configuration: &Configuration, running: bool, findings: &mut Vec<(&str, Finding)>) {
    if running {
        findings.push(("ports", Good("the node is running and answers".to_owned())));
        return;
    }
    let http = configuration.http.listen;
    findings.push((
        "ports",
        match TcpListener::bind(http) {
            Ok(_) => Good(format!("{http} is free")),
            Err(error) => {
                Bad(format!("cannot listen on {http} ({error}); stop the other program, or change listen under [http]"))
            }
        },
    ));
    for address in &configuration.p2p.listen {
        let Some(port) = tcp_port(address) else { continue };
        findings.push((
            "ports",
            match TcpListener::bind(("0.0.0.0", port)) {
                Ok(_) => Good(format!("{address} is free")),
                Err(error) => Bad(format!(
                    "cannot listen on {address} ({error}); stop the other program, or change listen under [p2p]"
                )),
            },
        ));
    }
}

fn admission(configuration: &Configuration, findings: &mut Vec<(&str, Finding)>) {
    if configuration.p2p.admission == Admission::Anyone {
        let text = "anyone who knows the network's id is let in; set admission = \"enrolled\" under [p2p]";
        findings.push(("peers", Look(text.to_owned())));
        return;
    }
    findings.extend(configuration.p2p.unnamed_bootstrap().map(|address| {
        let text = format!("{address} names no peer id, so a fresh node does not trust it; add /p2p/ and the id");
        ("peers", Look(text))
    }));
}

/// What the running node tells of its peers.
async fn network_of_nodes(global: &Global, findings: &mut Vec<(&str, Finding)>) {
    let Ok(client) = global.client() else { return };
    let Ok(peers) = client.get("/peers").await else { return };
    let connected = text(&peers, "/count");
    let relays = peers.pointer("/network/relays").and_then(Value::as_array).map_or(0, Vec::len);
    findings.push(("network", match text(&peers, "/network/reachability").as_str() {
        "public" => Good(format!("{connected} peers; others can dial this node")),
        "private" if relays > 0 => Good(format!("{connected} peers; others reach this node through {relays} relays")),
        "private" => Look(format!(
            "{connected} peers; others cannot dial this node: forward its port on the router, or connect with a node that relays"
        )),
        _ => Look(format!("{connected} peers; nobody has tried to dial this node yet")),
    }));
    for refused in peers.pointer("/network/refused").and_then(Value::as_array).into_iter().flatten() {
        findings.push(("network", Look(format!("{} was refused: {}", text(refused, "/id"), text(refused, "/reason")))));
    }
}

fn tcp_port(address: &str) -> Option<u16> {
    let (_, port) = address.split_once("/tcp/")?;
    port.split('/').next()?.parse().ok()
}

fn store(path: &Path, running: bool) -> Finding {
    if running {
        return Good("in use by the running node".to_owned());
    }
    if !path.exists() {
        return Good("none yet; the first run makes it".to_owned());
    }
    let options = StoreOptions { create: false, ..StoreOptions::default() };
    match Store::open(path, &options) {
        Ok(store) => recovery(&store),
        Err(error) => Bad(with_sources(&error)),
    }
}

/// What a restored node has still to find out.
fn recovery(store: &Store) -> Finding {
    match (Restored::of(store), unconfirmed_journals(store)) {
        (Ok(Some(restored)), _) => Look(format!(
            "restored from a backup with {} entries; when the node runs, it first asks its peers what it did since (where the \
             backup knows no other enrolled node, only if 'witnesses' under [recovery] says how many must answer)",
            restored.size
        )),
        (_, Ok(keys)) if !keys.is_empty() => Look(format!(
            "restored from a backup; {} keys sign nothing until peers confirm where their journals end",
            keys.len()
        )),
        (Ok(None), Ok(_)) => Good("opens".to_owned()),
        (Err(error), _) | (_, Err(error)) => Bad(with_sources(&error)),
    }
}

async fn anchoring(folder: &DataDir, configuration: &Configuration, findings: &mut Vec<(&str, Finding)>) {
    let config = match configuration.anchor_config() {
        Ok(Some(config)) => config,
        Ok(None) => {
            findings.push(("anchoring", Look("off: no endpoint is named, so nothing is anchored".to_owned())));
            return;
        }
        // Told as the configuration's fault already.
        Err(_) => return,
    };
    let keys = Keystore::public_keys(&folder.keystore()).unwrap_or_default();
    let sender = keys.into_iter().find(|key| key.name == ANCHORING).and_then(|key| key.public);
    for url in &config.rpc_urls {
        let found = endpoint(url, &config, sender.as_deref()).await;
        findings.extend(found.into_iter().map(|finding| ("anchoring", finding)));
    }
}

async fn endpoint(url: &str, config: &anchoring::AnchorConfig, sender: Option<&str>) -> Vec<Finding> {
    let asked = async {
        let endpoint = Endpoint::new(url)?;
        let chain_id = endpoint.chain_id().await?;
        if chain_id != config.chain_id {
            return Ok(vec![Bad(format!(
                "{url} serves chain {chain_id}, not {}; correct chain_id or rpc_urls",
                config.chain_id
            ))]);
        }
        let mut findings = Vec::new();
        let contract = config.contract.to_string();
        findings.push(if endpoint.has_code(&contract).await? {
            Good(format!("{url}: chain {chain_id}, contract {contract}"))
        } else {
            Bad(format!(
                "{url} knows no contract at {contract}; deploy it with 'furrow contract deploy', or correct the address"
            ))
        });
        if let Some(sender) = sender {
            findings.push(balance(sender, endpoint.balance_wei(sender).await?, config));
        }
        findings.push(clock_of_chain(&endpoint).await?);
        Ok::<_, crate::rpc::RpcError>(findings)
    };
    asked.await.unwrap_or_else(|error| vec![Bad(format!("{url}: {error}"))])
}

fn balance(sender: &str, wei: u128, config: &anchoring::AnchorConfig) -> Finding {
    let one = ANCHOR_GAS * u128::from(config.max_fee_gwei) * 1_000_000_000;
    let text = format!("the account {sender} holds {} ETH", ether(wei));
    if wei < one {
        Bad(format!("{text}, which may not pay for one anchor ({} ETH); send it ether", ether(one)))
    } else if wei < one * ANCHORS_IN_STOCK {
        Look(format!("{text}, enough for a few anchors; send it ether soon"))
    } else {
        Good(text)
    }
}

/// The chain's newest block tells the time independently of this machine.
async fn clock_of_chain(endpoint: &Endpoint) -> Result<Finding, crate::rpc::RpcError> {
    let block = endpoint.call("eth_getBlockByNumber", json!(["latest", false])).await?;
    let hex = block.get("timestamp").and_then(serde_json::Value::as_str).and_then(|text| text.strip_prefix("0x"));
    let block_s = hex.and_then(|hex| u64::from_str_radix(hex, 16).ok()).ok_or(crate::rpc::RpcError::Foreign)?;
    let block_time = SystemTime::UNIX_EPOCH + Duration::from_secs(block_s);
    let ahead = block_time.duration_since(SystemTime::now()).unwrap_or_default();
    Ok(if ahead > MAX_CLOCK_ERROR {
        Bad(format!(
            "the chain's newest block is {} s in this machine's future; set the clock, best with NTP",
            ahead.as_secs()
        ))
    } else {
        Good("the clock agrees with the chain's newest block".to_owned())
    })
}

fn report(global: &Global, findings: &[(&str, Finding)]) -> Result<(), Failure> {
    let entry = |(check, finding): &(&str, Finding)| {
        let (state, detail) = match finding {
            Good(detail) => ("good", detail),
            Look(detail) => ("look", detail),
            Bad(detail) => ("bad", detail),
        };
        json!({ "check": check, "state": state, "detail": detail })
    };
    let bad = findings.iter().filter(|(_, finding)| matches!(finding, Bad(_))).count();
    let value = json!({ "healthy": bad == 0, "findings": findings.iter().map(entry).collect::<Vec<_>>() });
    global.output().print(&value, || {
        let line = |(check, finding): &(&str, Finding)| match finding {
            Good(detail) => format!("  ok    {check:<14} {detail}\n"),
            Look(detail) => format!("  look  {check:<14} {detail}\n"),
            Bad(detail) => format!("  BAD   {check:<14} {detail}\n"),
        };
        findings.iter().map(line).collect()
    })?;
    if bad == 0 {
        Ok(())
    } else {
        Err(Failure::new(Exit::Failed, format!("{bad} checks need attention; see the lines marked BAD")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_never_set_is_seen() {
        assert!(matches!(clock(SystemTime::UNIX_EPOCH), Bad(_)));
        assert!(matches!(clock(SystemTime::now()), Good(_)));
    }

    #[test]
    fn a_poor_account_is_told() {
        let config = anchoring::AnchorConfig::new(vec![], 1, anchoring::Address::from_bytes([1; 20]));
        assert!(matches!(balance("0x", 0, &config), Bad(_)));
        assert!(matches!(balance("0x", 5_000_000_000_000_000, &config), Look(_)));
        assert!(matches!(balance("0x", 1_000_000_000_000_000_000, &config), Good(_)));
    }

    #[test]
    fn ports_are_found_in_addresses() {
        assert_eq!(tcp_port("/ip4/0.0.0.0/tcp/4874"), Some(4874));
        assert_eq!(tcp_port("/ip4/0.0.0.0/udp/4874/quic-v1"), None);
    }

    #[test]
    fn a_file_that_others_may_read_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(readable_by_others(file.path()), Some(Bad(_))));
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(readable_by_others(file.path()), None);
    }
}
