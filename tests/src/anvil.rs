//! A real EVM: anvil, as a process that can go away and come back with its chain.

use crate::wait::soon;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The chain id that anvil takes unless told otherwise.
pub const CHAIN_ID: u64 = 31337;

/// Ten ether, as hexadecimal wei.
const TEN_ETHER: &str = "0x8ac7230489e80000";

/// A chain with a block every second, whose blocks are final after two more.
#[derive(Debug)]
pub struct Anvil {
    process: Child,
    address: String,
    state: PathBuf,
}

impl Anvil {
    /// Starts a new chain that is kept in this folder while it is stopped.
    pub async fn start(folder: &Path) -> Self {
        let state = folder.join("chain.json");
        let (process, address) = run("127.0.0.1:0".to_owned(), state.clone()).await;
        Self { process, address, state }
    }

    /// Its JSON-RPC endpoint.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Gives an account ten ether.
    pub async fn fund(&self, account: &str) {
        self.call("anvil_setBalance", json!([account, TEN_ETHER])).await;
    }

    /// The hash of a block that it has, as `0x` and 64 digits.
    pub async fn block_hash(&self, number: u64) -> String {
        let block = self.call("eth_getBlockByNumber", json!([format!("{number:#x}"), false])).await;
        block["hash"].as_str().unwrap_or_else(|| panic!("there is no block {number}")).to_owned()
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let http = reqwest::Client::builder().no_proxy().build().expect("a client needs nothing");
        let answer = http.post(self.url()).json(&call).send().await.expect("anvil answers");
        let mut answer: Value = answer.json().await.expect("anvil answers in JSON");
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].take()
    }

    /// Ends the process; its chain stays in the folder.
    pub async fn go_away(&mut self) {
        self.signal(Signal::TERM);
        soon("anvil ends", async {
            while self.process.try_wait().expect("it is a child of this process").is_none() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
        .await;
        assert!(self.state.is_file(), "anvil did not keep its chain");
    }

    /// Starts it again where it was, with its chain.
    pub async fn come_back(&mut self) {
        (self.process, self.address) = run(self.address.clone(), self.state.clone()).await;
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("the process was not waited for yet");
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        // Both fail only where it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn run(address: String, state: PathBuf) -> (Child, String) {
    let started = tokio::task::spawn_blocking(move || {
        let (host, port) = address.split_once(':').expect("host and port");
        let folder = state.parent().expect("the file lies in a folder");
        let mut process = Command::new(binary())
            .args(["--host", host, "--port", port, "--block-time", "1", "--slots-in-an-epoch", "1", "--state"])
            .arg(&state)
            // It would keep files of its own at home.
            .envs([("HOME", folder), ("TMPDIR", folder)])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("anvil starts");
        let mut lines = BufReader::new(process.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let listens = lines.find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned));
        let listens = listens.expect("anvil says where it listens");
        // Whoever stops reading a pipe stops its writer sooner or later.
        std::thread::spawn(move || lines.for_each(drop));
        (process, listens)
    });
    soon("anvil listens", started).await.expect("starting does not panic")
}

/// The platform's own binary from the npm packages of the checkout.
pub fn binary() -> PathBuf {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../node_modules/@foundry-rs");
    let found = std::fs::read_dir(&packages).into_iter().flatten().flatten().find_map(|package| {
        let is_its = package.file_name().to_string_lossy().starts_with("anvil-");
        Some(package.path().join("bin/anvil")).filter(|path| is_its && path.is_file())
    });
    found.unwrap_or_else(|| panic!("anvil is not installed under {}: run 'npm ci'", packages.display()))
}
