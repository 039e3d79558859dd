//! The processes of the demonstration: a chain and three nodes, which end with it whatever happens.

use super::Scene;
use crate::client::Client;
use crate::config;
use crate::durable::{self, Readable};
use crate::failure::{Exit, Failure, OrExit};
use crate::rpc::Endpoint;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::File;
use std::future::Future;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use toml::Value as Setting;

/// Anvil's usual chain id.
const CHAIN_ID: i64 = 31_337;

/// What each node's account gets: a thousand ether of the local chain.
const BALANCE: &str = "0x3635c9adc5dea00000";

/// Nodes and chain start within a second or two, on a busy machine within ten.
const START_PATIENCE: Duration = Duration::from_secs(45);

/// Nodes stop within five seconds; after that they are killed.
const STOP_PATIENCE: Duration = Duration::from_secs(6);

/// How often something awaited is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A running node of the demonstration.
#[derive(Debug)]
pub(crate) struct Node {
    /// Short name, also of its folder.
    pub(crate) name: &'static str,
    /// What it is called.
    pub(crate) title: &'static str,
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Its interface.
    pub(crate) client: Client,
    process: Option<Child>,
}

/// All processes. Dropping it kills those that still run.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The chain's endpoint.
    pub(crate) rpc: String,
    /// Where the anchors are kept.
    pub(crate) contract: String,
    /// The nodes.
    pub(crate) nodes: Vec<Node>,
    chain: Option<Child>,
    program: PathBuf,
}

impl Stage {
    /// Starts the chain.
    pub(crate) async fn raise(scene: &Scene, anvil: &Path) -> Result<Self, Failure> {
        let program = std::env::current_exe()?;
        let port = free_port()?;
        let log = File::create(scene.join("anvil.log"))?;
        let chain = Command::new(anvil)
            .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--chain-id", &CHAIN_ID.to_string()])
            .args(["--block-time", "1", "--slots-in-an-epoch", "1", "--accounts", "1"])
            // It would keep files of its own at home.
            .env("HOME", scene.path())
            .env("TMPDIR", scene.path())
            .current_dir(scene.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .or_exit_with(Exit::BadInput, || {
                format!(
                    "cannot start the local chain {}; run 'npm ci' in the checkout, or name anvil with --anvil",
                    anvil.display()
                )
            })?;
        let rpc = format!("http://127.0.0.1:{port}");
        let endpoint = Endpoint::new(&rpc)?;
        eventually("the local chain answers", START_PATIENCE, || async { Ok(endpoint.chain_id().await.ok()) }).await?;
        Ok(Self { rpc, contract: String::new(), nodes: Vec::new(), chain: Some(chain), program })
    }

    /// Makes a node's folder with its keys; returns the public key of its cooperative and its account.
    pub(crate) async fn make_keys(&self, folder: &Path) -> Result<(String, String), Failure> {
        std::fs::create_dir_all(folder)?;
        let mut passphrase = [0; 16];
        getrandom::fill(&mut passphrase)?;
        let text = data_encoding::HEXLOWER.encode(&passphrase);
        durable::create(&passphrase_file(folder), text.as_bytes(), Readable::ByOwner)?;
        let keys = self.command(folder, &["key", "new"]).await?;
        let public = |name: &str| {
            let key = keys["keys"].as_array().into_iter().flatten().find(|key| key["name"] == name);
            key.and_then(|key| key["public"].as_str()).unwrap_or_default().to_owned()
        };
        let account = public("anchoring");
        Endpoint::new(&self.rpc)?.call("anvil_setBalance", json!([account, BALANCE])).await?;
        Ok((public("cooperative"), account))
    }

    /// Runs a command of this program in a node's folder and reads its JSON.
    pub(crate) async fn command(&self, folder: &Path, arguments: &[&str]) -> Result<Value, Failure> {
        let output = self.plain_command(folder).args(arguments).stdin(Stdio::null()).output().await?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let told: Value =
                said.lines().next_back().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
            let reason = told["error"].as_str().unwrap_or_else(|| said.trim());
            return Err(Failure::new(Exit::Failed, format!("'furrow {}' failed: {reason}", arguments.join(" "))));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Writes a node's settings; `peers` are the addresses of the nodes before it.
    pub(crate) fn configure(&self, folder: &Path, peers: &[String]) -> Result<String, Failure> {
        let (http, p2p) = (free_port()?, free_port()?);
        let address = format!("/ip4/127.0.0.1/tcp/{p2p}");
        let path = folder.join("furrow.toml");
        let text = |text: &str| Setting::String(text.to_owned());
        let list = |list: Vec<String>| Setting::Array(list.into_iter().map(Setting::String).collect());
        let sections = [
            ("http", vec![("listen", text(&format!("127.0.0.1:{http}")))]),
            (
                "p2p",
                vec![
                    ("listen", list(vec![address.clone(), format!("/ip4/127.0.0.1/udp/{p2p}/quic-v1")])),
                    ("bootstrap", list(peers.to_vec())),
                    ("mdns", Setting::Boolean(false)),
                ],
            ),
            (
                "anchoring",
                vec![
                    ("rpc_urls", list(vec![self.rpc.clone()])),
                    ("chain_id", Setting::Integer(CHAIN_ID)),
                    ("contract", text(&self.contract)),
                    ("interval_s", Setting::Integer(3)),
                    ("poll_ms", Setting::Integer(300)),
                    ("confirmations", Setting::Integer(2)),
                ],
            ),
        ];
        let mut configuration = std::fs::read_to_string(&path)?;
        for (section, values) in sections {
            configuration = config::set(&configuration, section, &values)
                .ok_or_else(|| Failure::new(Exit::Failed, format!("{} has no [{section}]", path.display())))?;
        }
        durable::replace(&path, configuration.as_bytes(), Readable::ByAll)?;
        Ok(address)
    }

    /// Starts a node and waits until it says that it is ready.
    pub(crate) async fn start_node(
        &mut self,
        name: &'static str,
        title: &'static str,
        folder: PathBuf,
    ) -> Result<(), Failure> {
        let log = File::create(folder.join("node.log"))?;
        let mut process = self
            .plain_command(&folder)
            .args(["run", "--log-format", "json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let mut lines = BufReader::new(process.stdout.take().expect("the output is piped")).lines();
        let line = tokio::time::timeout(START_PATIENCE, lines.next_line()).await.ok().and_then(Result::ok).flatten();
        let Some(line) = line else {
            let said = std::fs::read_to_string(folder.join("node.log")).unwrap_or_default();
            let last = said.lines().next_back().unwrap_or("nothing");
            return Err(Failure::new(Exit::Failed, format!("node '{name}' did not start; its log ends with: {last}")));
        };
        let ready: Value = serde_json::from_str(&line)?;
        let token = std::fs::read_to_string(folder.join("token"))?;
        let client = Client::new(ready["url"].as_str().unwrap_or_default(), Some(&token))?;
        self.nodes.push(Node { name, title, folder, client, process: Some(process) });
        Ok(())
    }

    /// The node of this name.
    pub(crate) fn node(&self, name: &str) -> &Node {
        self.nodes.iter().find(|node| node.name == name).expect("the story names nodes that were started")
    }

    /// Stops the nodes and then the chain; false if one had to be killed or ended badly.
    pub(crate) async fn clear(mut self) -> bool {
        let mut clean = true;
        let nodes = self.nodes.iter_mut().filter_map(|node| node.process.take());
        for mut process in nodes.collect::<Vec<_>>() {
            clean &= end(&mut process).await;
        }
        if let Some(mut chain) = self.chain.take() {
            // Anvil's exit code after a signal says nothing.
            end(&mut chain).await;
        }
        clean
    }

    /// This program, for one node's folder, undisturbed by settings of the caller's environment.
    fn plain_command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("FURROW_") {
                command.env_remove(name);
            }
        }
        command.arg("--data").arg(folder).arg("--json").arg("--passphrase-file").arg(passphrase_file(folder));
        command.kill_on_drop(true);
        command
    }
}

/// Asks a process to end, and kills it if it does not; true if it ended well by itself.
async fn end(process: &mut Child) -> bool {
    let pid = process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // One that has just ended by itself cannot be told any more.
        let _ = kill_process(pid, Signal::TERM);
    }
    if let Ok(status) = tokio::time::timeout(STOP_PATIENCE, process.wait()).await {
        return status.is_ok_and(|status| status.success());
    }
    // Where it cannot be killed, it has ended at the last moment.
    let _ = process.kill().await;
    false
}

/// Looks again and again until there is something; fails when the patience ends.
pub(super) async fn eventually<T, F: Future<Output = Result<Option<T>, Failure>>>(
    what: &str,
    patience: Duration,
    mut look: impl FnMut() -> F,
) -> Result<T, Failure> {
    let started = Instant::now();
    loop {
        let found = look().await;
        match found {
            Ok(Some(found)) => return Ok(found),
            Ok(None) if started.elapsed() > patience => {
                return Err(Failure::new(
                    Exit::Failed,
                    format!("it took longer than {} s until {what}", patience.as_secs()),
                ));
            }
            Ok(None) => tokio::time::sleep(LOOK_EVERY).await,
            Err(failure) => return Err(failure),
        }
    }
}

fn passphrase_file(folder: &Path) -> PathBuf {
    folder.join("passphrase")
}

/// A port that is free for TCP and UDP at this moment.
fn free_port() -> Result<u16, Failure> {
    loop {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
}
