//! A running node: a process that can be asked, stopped, and killed.

use crate::client::Client;
use crate::wait::{soon, until};
use provenance::checkpoint::Checkpoint;
use provenance::id::SubjectId;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use tokio::process::Command;

/// Lines of a node's log that a failed test prints.
const TAIL_LINES: usize = 40;

/// A node. It is killed when this is dropped; where a test failed, the end of its log is printed.
#[derive(Debug)]
pub struct Node {
    /// Its HTTP interface.
    pub client: Client,
    name: String,
    process: Child,
    log: PathBuf,
    peer_id: String,
    peer_address: String,
}

impl Node {
    /// Starts the command `furrow run --json`, and waits until everything listens.
    pub(crate) async fn start(name: &str, command: Command, folder: &Path) -> Self {
        let log = folder.join("log.txt");
        let file = OpenOptions::new().create(true).append(true).open(&log).expect("the folder can be written");
        let mut command = command.into_std();
        let mut process = command.stdout(Stdio::piped()).stderr(file).spawn().expect("the program starts");
        let out = process.stdout.take().expect("it is piped");
        // From here on a panic ends the process.
        let token = std::fs::read_to_string(folder.join("token")).expect("init made a token");
        let mut node = Self {
            client: Client::new("", token.trim()),
            name: name.to_owned(),
            process,
            log,
            peer_id: String::new(),
            peer_address: String::new(),
        };
        let ready = tokio::task::spawn_blocking(move || first_line(out));
        let ready = soon("the node is ready", ready).await.expect("reading does not panic");
        let ready: Value = serde_json::from_str(&ready).unwrap_or_else(|_| panic!("{name} did not start: '{ready}'"));
        let text = |pointer: &str| ready.pointer(pointer).and_then(Value::as_str).expect(pointer).to_owned();
        node.client = Client::new(&text("/url"), token.trim());
        (node.peer_id, node.peer_address) = (text("/peer_id"), text("/peer_addresses/0"));
        node
    }

    /// What the network calls it.
    pub fn peer_id(&self) -> &str {
        &self.peer_id
    }

    /// Where other nodes dial it.
    pub fn peer_address(&self) -> &str {
        &self.peer_address
    }

    /// The actor that signs where a command names nobody.
    pub async fn cooperative(&self) -> SubjectId {
        let status = self.client.get("/api/v1/status").await;
        status["node"]["actor"].as_str().and_then(|id| id.parse().ok()).expect("the status names the actor")
    }

    /// How many entries its log has.
    pub async fn log_size(&self) -> u64 {
        self.client.get("/api/v1/status").await["log"]["size"].as_u64().expect("a size")
    }

    /// Its newest checkpoint, with its signature verified.
    pub async fn checkpoint(&self) -> Checkpoint {
        let status = self.client.get("/api/v1/status").await;
        let key = status["log"]["key"].as_str().and_then(|key| key.parse().ok()).expect("the log has a key");
        let note = self.client.read("/log/checkpoint").await;
        assert_eq!(note.status, 200, "{}", note.text());
        Checkpoint::open(&note.text(), &key).expect("the node signs its checkpoints")
    }

    /// Waits until its log has this many entries, and its views show them.
    pub async fn has_entries(&self, size: u64) {
        until(&format!("{} has {size} entries", self.name), async || {
            let status = self.client.get("/api/v1/status").await;
            let lag = status["followers"].as_array()?.iter().map(|follower| follower["lag"].as_u64()).max()?;
            (status["log"]["size"].as_u64() == Some(size) && lag == Some(0)).then_some(())
        })
        .await;
    }

    /// The peers that it shows, by their names.
    pub async fn peers(&self) -> Vec<Value> {
        self.client.all("/api/v1/peers").await
    }

    /// Waits until it takes writes, also where it starts again on the way.
    pub async fn takes_writes(&self) {
        let what = format!("{} takes writes", self.name);
        until(&what, async || {
            let answer = self.client.try_read("/health/ready").await?;
            (answer.status == 200).then_some(())
        })
        .await;
    }

    /// Waits until this peer has cosigned the log as it is; from then on the peer can say what it held.
    pub async fn cosigned_by(&self, peer: &str) {
        let what = format!("{peer} has cosigned the log of {}", self.name);
        until(&what, async || {
            let size = self.log_size().await;
            let peers = self.peers().await;
            let shown = peers.iter().find(|shown| shown["id"] == peer)?;
            assert_ne!(shown["cosigning"]["rewritten"], true, "{shown}");
            (shown["cosigning"]["cosigned_by"] == size).then_some(())
        })
        .await;
    }

    /// Waits until it is connected with this peer.
    pub async fn connected(&self, peer: &str) {
        let what = format!("{} is connected with {peer}", self.name);
        until(&what, async || self.peers().await.iter().any(|shown| shown["id"] == peer).then_some(())).await;
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it as a crash does: at once, without a word (SIGKILL).
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        self.process.wait().expect("a killed process ends");
    }

    /// Asks it to stop (SIGTERM) and waits until it did.
    pub async fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        let what = format!("{} stops", self.name);
        until(&what, async || self.process.try_wait().expect("it is a child of this process")).await
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("the process was not waited for yet");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Both fail only where it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!(
                "--- the end of the log of {}\n{}\n---",
                self.name,
                lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
            );
        }
    }
}

/// The first line; what follows is read and dropped, so that the writer never stops.
fn first_line(out: ChildStdout) -> String {
    let mut reader = BufReader::new(out);
    let mut line = String::new();
    let _ = reader.read_line(&mut line);
    std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    line
}
