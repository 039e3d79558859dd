//! Real parts for the tests: an EVM that mines when it is told to, a book in memory whose writes can fail, and a TCP
//! forwarder that can be cut.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test binary uses a part of this")]
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use alloy::primitives::U256;
use alloy::providers::{Provider, RootProvider};
use anchoring::{
    Address, AnchorBook, AnchorConfig, AnchorRecord, AnchorService, AnchorState, AnchorStatus, BookError, Clock,
    LogHead, deploy,
};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// The first account of anvil's mnemonic, which it gives 10,000 ETH.
pub const KEY: [u8; 32] = alloy::hex!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");

pub const CHAIN_ID: u64 = 31337;

/// An EVM on a free port. It mines only when told to; a block is final once two follow.
pub struct Anvil {
    process: Child,
    pub url: String,
    pub rpc: RootProvider,
}

impl Anvil {
    pub fn start() -> Self {
        let mut process = Command::new(binary("anvil"))
            .args(["--host", "127.0.0.1", "--port", "0", "--no-mining", "--slots-in-an-epoch", "1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("anvil starts");
        let mut lines = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
        let address = lines
            .find_map(|line| line.expect("anvil prints text").strip_prefix("Listening on ").map(str::to_owned))
            .expect("anvil says where it listens");
        // Whoever stops reading a pipe stops its writer sooner or later.
        std::thread::spawn(move || lines.for_each(drop));
        let url = format!("http://{address}");
        let rpc = RootProvider::new_http(url.parse().expect("a URL"));
        Self { process, url, rpc }
    }

    pub async fn call(&self, method: &'static str, params: impl serde::Serialize) -> serde_json::Value {
        let params = serde_json::to_value(params).expect("parameters are JSON");
        let params = if params.is_null() { serde_json::json!([]) } else { params };
        self.rpc.raw_request(method.into(), params).await.expect(method)
    }

    pub async fn mine(&self, blocks: u64) {
        for _ in 0..blocks {
            self.call("evm_mine", ()).await;
        }
    }

    pub async fn head(&self) -> u64 {
        self.rpc.get_block_number().await.expect("anvil answers")
    }

    pub async fn nonce(&self, account: Address) -> u64 {
        self.rpc.get_transaction_count(raw(account)).await.expect("anvil answers")
    }

    pub async fn set_balance(&self, account: Address, wei: u128) {
        self.call("anvil_setBalance", (raw(account), U256::from(wei))).await;
    }

    /// Deploys the contract, which here needs a block mined beside it.
    pub async fn deploy(&self) -> Address {
        let deployment = deploy(&self.url, &KEY, CHAIN_ID, 100);
        tokio::pin!(deployment);
        loop {
            tokio::select! {
                deployed = &mut deployment => return deployed.expect("the contract is deployed").address,
                () = tokio::time::sleep(std::time::Duration::from_millis(50)) => self.mine(1).await,
            }
        }
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn raw(address: Address) -> alloy::primitives::Address {
    alloy::primitives::Address::from(*address.as_bytes())
}

/// The platform's own binary from the npm packages of the checkout.
fn binary(name: &str) -> PathBuf {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../node_modules/@foundry-rs");
    let found = std::fs::read_dir(&packages).into_iter().flatten().flatten().find_map(|package| {
        let is_its = package.file_name().to_string_lossy().starts_with(&format!("{name}-"));
        Some(package.path().join("bin").join(name)).filter(|path| is_its && path.is_file())
    });
    found.unwrap_or_else(|| panic!("{name} is not installed under {}: run 'make setup'", packages.display()))
}

/// How the next write of a book ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails and nothing is kept.
    Lost,
    /// It fails, but the record is kept.
    Kept,
}

/// A book in memory; it outlives the service, as a disk outlives the program.
#[derive(Default)]
pub struct MemoryBook {
    records: Mutex<BTreeMap<u64, Vec<u8>>>,
    head: Mutex<Option<LogHead>>,
    /// Marks the roots of another log.
    history: Mutex<u8>,
    fault: Mutex<Option<(&'static str, Fault)>>,
}

impl MemoryBook {
    /// The log now has this size; its root follows from that.
    pub fn grow_to(&self, size: u64) {
        let mut state_root = [0x22; 32];
        state_root[..8].copy_from_slice(&size.to_le_bytes());
        *self.head.lock().unwrap() = Some(LogHead { size, root: self.root(size), state_root });
    }

    /// The log has other entries from now on, at all sizes.
    pub fn rewrite(&self) {
        *self.history.lock().unwrap() += 1;
    }

    /// The log's root at this size.
    pub fn root(&self, size: u64) -> [u8; 32] {
        // Bytes that are not zero cost the most gas.
        let mut root = [0x11 + *self.history.lock().unwrap(); 32];
        root[..8].copy_from_slice(&size.to_be_bytes());
        root
    }

    /// The next write of a record in this state fails.
    pub fn fail_at(&self, state: &'static str, fault: Fault) {
        *self.fault.lock().unwrap() = Some((state, fault));
    }

    pub fn records(&self) -> Vec<AnchorRecord> {
        let decode = |bytes: &Vec<u8>| AnchorRecord::decode(bytes).expect("a record");
        self.records.lock().unwrap().values().map(decode).collect()
    }

    pub fn states(&self) -> Vec<&'static str> {
        self.records().iter().map(|record| record.state.name()).collect()
    }

    pub fn newest(&self) -> AnchorRecord {
        self.records().pop().expect("there is a record")
    }
}

impl AnchorBook for MemoryBook {
    fn last_sequence(&self) -> Result<Option<u64>, BookError> {
        Ok(self.records.lock().unwrap().keys().next_back().copied())
    }

    fn load(&self, sequence: u64) -> Result<Option<Vec<u8>>, BookError> {
        Ok(self.records.lock().unwrap().get(&sequence).cloned())
    }

    fn save(&self, sequence: u64, record: &[u8]) -> Result<(), BookError> {
        let state = AnchorRecord::decode(record).expect("a record").state.name();
        let fault = self.fault.lock().unwrap().take_if(|(at, _)| *at == state);
        if !matches!(fault, Some((_, Fault::Lost))) {
            self.records.lock().unwrap().insert(sequence, record.to_vec());
        }
        match fault {
            Some(_) => Err(BookError { action: "written", source: "the disk is full".into() }),
            None => Ok(()),
        }
    }

    fn log_head(&self) -> Result<LogHead, BookError> {
        Ok(self.head.lock().unwrap().unwrap_or(LogHead { size: 1, root: [1; 32], state_root: [0; 32] }))
    }

    fn log_root_at(&self, size: u64) -> Result<[u8; 32], BookError> {
        Ok(self.root(size))
    }
}

/// A node's anchoring with everything around it.
pub struct Bench {
    pub anvil: Anvil,
    pub config: AnchorConfig,
    pub book: Arc<MemoryBook>,
    pub service: AnchorService,
    now_ms: Arc<AtomicU64>,
}

impl Bench {
    pub async fn start() -> Self {
        let anvil = Anvil::start();
        let contract = anvil.deploy().await;
        let config = AnchorConfig {
            confirmations: 2,
            replace_after_blocks: 3,
            max_waiting: 100,
            max_fee_gwei: 1000,
            ..AnchorConfig::new(vec![anvil.url.clone()], CHAIN_ID, contract)
        };
        Self::with(anvil, config)
    }

    pub fn with(anvil: Anvil, config: AnchorConfig) -> Self {
        let book = Arc::new(MemoryBook::default());
        // Noon, so that no test crosses midnight by accident.
        let now_ms = Arc::new(AtomicU64::new(1_760_011_200_000 / 86_400_000 * 86_400_000 + 43_200_000));
        let service = open(&config, &book, &now_ms);
        Self { anvil, config, book, service, now_ms }
    }

    /// The program ends and starts again, perhaps with another configuration.
    pub fn restart(&mut self) {
        self.service = open(&self.config, &self.book, &self.now_ms);
    }

    pub fn pass_ms(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }

    pub fn status(&self) -> AnchorStatus {
        self.service.status().borrow().clone()
    }

    pub fn problem(&self) -> String {
        self.status().problem.unwrap_or_default()
    }

    pub fn sender(&self) -> Address {
        self.status().sender.expect("anchoring is configured")
    }

    /// Mines a block and looks at it, so often.
    pub async fn advance(&mut self, blocks: u64) {
        for _ in 0..blocks {
            self.anvil.mine(1).await;
            self.service.step().await;
        }
    }

    /// Lets the log grow, the interval pass, and the anchor be cut, mined and confirmed.
    pub async fn anchor(&mut self, size: u64) -> AnchorRecord {
        self.book.grow_to(size);
        self.pass_ms(self.config.interval_ms);
        self.service.step().await;
        self.advance(2).await;
        let record = self.book.newest();
        assert!(matches!(record.state, AnchorState::Confirmed(_)), "{:?}, {:?}", record.state, self.status().problem);
        assert_eq!(record.content.size, size);
        record
    }
}

fn open(config: &AnchorConfig, book: &Arc<MemoryBook>, now_ms: &Arc<AtomicU64>) -> AnchorService {
    let now_ms = Arc::clone(now_ms);
    let clock: Clock = Arc::new(move || now_ms.load(Ordering::Relaxed));
    let book: Arc<dyn AnchorBook> = Arc::<MemoryBook>::clone(book);
    AnchorService::open(config.clone(), book, &KEY, clock).expect("the service opens")
}

/// Forwards TCP connections to an endpoint, and drops them all while it is cut.
pub struct Cable {
    pub url: String,
    whole: Arc<AtomicBool>,
    connections: Arc<Mutex<JoinSet<()>>>,
    accepting: JoinHandle<()>,
}

impl Cable {
    pub async fn to(url: &str) -> Self {
        let target: SocketAddr = url.strip_prefix("http://").expect("http").parse().expect("an address");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let whole = Arc::new(AtomicBool::new(true));
        let connections = Arc::new(Mutex::new(JoinSet::new()));
        let (is_whole, open) = (Arc::clone(&whole), Arc::clone(&connections));
        let accepting = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                if is_whole.load(Ordering::Relaxed) {
                    open.lock().unwrap().spawn(async move {
                        if let Ok(mut far) = TcpStream::connect(target).await {
                            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                        }
                    });
                }
            }
        });
        Self { url, whole, connections, accepting }
    }

    pub fn cut(&self) {
        self.whole.store(false, Ordering::Relaxed);
        self.connections.lock().unwrap().abort_all();
    }

    pub fn mend(&self) {
        self.whole.store(true, Ordering::Relaxed);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// An endpoint in front of another that answers some methods in its own way: with a JSON-RPC error where it is told
/// null, else with that result.
pub struct Proxy {
    pub url: String,
    answers: Arc<Mutex<BTreeMap<&'static str, serde_json::Value>>>,
    asked: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    pub async fn to(target: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let (answers, asked) = (Arc::<Mutex<BTreeMap<_, _>>>::default(), Arc::<Mutex<Vec<_>>>::default());
        let (given, heard, target) = (Arc::clone(&answers), Arc::clone(&asked), target.to_owned());
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, target.clone(), Arc::clone(&given), Arc::clone(&heard)));
            }
        });
        Self { url, answers, asked, accepting }
    }

    /// From now on the method is refused.
    pub fn refuse(&self, method: &'static str) {
        self.answer(method, serde_json::Value::Null);
    }

    /// From now on the method has this result.
    pub fn answer(&self, method: &'static str, result: serde_json::Value) {
        self.answers.lock().unwrap().insert(method, result);
    }

    /// From now on the method is answered by the endpoint behind it.
    pub fn pass(&self, method: &'static str) {
        self.answers.lock().unwrap().remove(method);
    }

    /// How often the method was asked for.
    pub fn asked(&self, method: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == method).count()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Answers HTTP requests one after the other until the connection ends.
async fn serve(
    stream: TcpStream,
    target: String,
    answers: Arc<Mutex<BTreeMap<&'static str, serde_json::Value>>>,
    asked: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let mut stream = tokio::io::BufReader::new(stream);
    let client = reqwest::Client::new();
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        let request: serde_json::Value = serde_json::from_slice(&body).ok()?;
        let method = request["method"].as_str()?.to_owned();
        let answer = answers.lock().unwrap().get(method.as_str()).cloned();
        asked.lock().unwrap().push(method);
        let id = request["id"].clone();
        let answer = match answer {
            Some(serde_json::Value::Null) => {
                let error = serde_json::json!({ "code": -32601, "message": "the method does not exist" });
                serde_json::json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string()
            }
            Some(result) => serde_json::json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string(),
            None => {
                let request = client.post(&target).header("content-type", "application/json").body(body);
                request.send().await.ok()?.text().await.ok()?
            }
        };
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length";
        stream.write_all(format!("{head}: {}\r\n\r\n{answer}", answer.len()).as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
    }
}
