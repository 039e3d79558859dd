//! A node's interface over a real ledger in a folder of its own, and a client that calls it.

use api::{
    Anchor, AnchorBlock, AnchorView, AnchoringStatus, ApiState, BaseUrl, Fault, HealthView, NetworkState, NodeIdentity,
    Peer, PeerView, Snapshot, SnapshotError, Snapshots, Token,
};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use ed25519_dalek::{Signer, SigningKey};
use ledger::author::{AtRest, Author, Clock, Keyring, KeyringError, Means, NoAnchors, Salts};
use ledger::trace::LineageFollower;
use ledger::view::ViewFollower;
use ledger::{Ledger, LedgerOptions, LogSigner};
use provenance::event::SignedEvent;
use provenance::id::{PublicKey, SubjectId};
use provenance::network::Network;
use provenance::payload::Payload;
use provenance::value::Text;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tower::ServiceExt;

pub const TOKEN: &str = "a-token-of-enough-characters";

/// A node with one founder, whose key it keeps.
pub struct Node {
    pub router: Router,
    pub state: ApiState,
    pub ledger: Ledger,
    pub network: Network,
    pub founder: SubjectId,
    pub anchors: Arc<Anchors>,
    pub faults: Arc<Mutex<Vec<Fault>>>,
    _folder: TempDir,
}

/// An answer, read to its end.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Bytes,
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(key.verifying_key().to_bytes())
}

impl Node {
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let founder_key = key(1);
        let network = Network::new(Text::new("Test valley").unwrap(), [7; 16], vec![public(&founder_key)]).unwrap();
        let founder = network.id().founder(0);
        let options = LedgerOptions {
            log_signer: Some(Arc::new(LogKey(key(9)))),
            followers: vec![Arc::new(ViewFollower::new(network.clone())), Arc::new(LineageFollower)],
            ..LedgerOptions::default()
        };
        let ledger = Ledger::open(folder.path(), network.clone(), options).unwrap();
        let means = Means {
            keyring: Arc::new(Keys::of([founder_key])),
            clock: Arc::new(Ticks(AtomicU64::new(1_790_000_000_000))),
            salts: Arc::new(Counted(AtomicU64::new(1))),
            anchors: Arc::new(NoAnchors),
            at_rest: Arc::new(Plain),
        };
        let anchors = Arc::new(Anchors::default());
        let faults = Arc::new(Mutex::new(Vec::new()));
        let state = ApiState {
            ledger: ledger.clone(),
            author: Author::new(ledger.clone(), means, founder),
            node: Arc::new(NodeIdentity {
                name: "north".into(),
                version: "0.0.0-test".into(),
                actor: founder,
                peer_id: None,
                log_key: Some(public(&key(9))),
            }),
            token: Arc::new(Token::new(TOKEN).unwrap()),
            base_url: Some(BaseUrl::parse("https://furrow.example").unwrap()),
            anchoring: anchors.clone(),
            peers: Arc::new(NoPeers),
            health: Arc::new(Faults(faults.clone())),
            snapshots: Arc::new(Copies),
        };
        Self { router: api::router(state.clone()), state, ledger, network, founder, anchors, faults, _folder: folder }
    }

    pub async fn call(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 64 * 1024 * 1024).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(header::HeaderName, &str)]) -> Answer {
        let mut request = Request::builder().uri(path).header(header::HOST, "localhost");
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        self.call(request.body(Body::empty()).unwrap()).await
    }

    /// GET that must succeed.
    pub async fn read(&self, path: &str) -> Value {
        let answer = self.get_with(path, &[(header::AUTHORIZATION, &format!("Bearer {TOKEN}"))]).await;
        assert_eq!(answer.status, StatusCode::OK, "GET {path}: {}", answer.text());
        answer.json()
    }

    pub async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()));
        self.call(request.unwrap()).await
    }

    /// A write that must succeed.
    pub async fn write(&self, method: Method, path: &str, body: Value) -> Value {
        let answer = self.send(method.clone(), path, body).await;
        assert!(answer.status.is_success(), "{method} {path}: {}", answer.text());
        answer.json()
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.write(Method::POST, path, body).await
    }

    /// Posts bytes as events.
    pub async fn submit(&self, media_type: &str, bytes: Vec<u8>) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/api/v1/events")
            .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"))
            .header(header::CONTENT_TYPE, media_type)
            .body(Body::from(bytes));
        self.call(request.unwrap()).await
    }

    /// Enrols an actor whose key the node keeps.
    pub async fn enrol(&self, name: &str, role: &str) -> String {
        let actor =
            self.post("/api/v1/actors", json!({"key": {"kept": true}, "roles": [role], "display_name": name})).await;
        id(&actor)
    }

    /// Registers a place for an actor.
    pub async fn place(&self, actor: &str, name: &str, latitude: f64, longitude: f64) -> String {
        let body = json!({"actor": actor, "place_type": "farm", "name": name, "country": "FR",
            "point": {"latitude": latitude, "longitude": longitude}});
        id(&self.post("/api/v1/places", body).await)
    }

    /// Registers 1000 kg of apples.
    pub async fn apples(&self, actor: &str, place: &str) -> String {
        let body = json!({"actor": actor, "commodity": {"scheme": "HS", "code": "0808.10"},
            "name": {"en": "Apples", "fr": "Pommes"}, "variety": "Braeburn", "places": [place],
            "harvested": {"first": "2026-09-14", "last": "2026-09-18"},
            "quantity": {"value": "1000", "unit": "KGM"}, "grade": "A",
            "price": {"amount_minor": "150", "currency": "EUR", "per": "KGM"}});
        id(&self.post("/api/v1/produces", body).await)
    }
}

/// The id of a resource.
pub fn id(resource: &Value) -> String {
    resource["id"].as_str().unwrap_or_else(|| panic!("no id in {resource}")).to_owned()
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(&name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts that this is a problem, and returns its code, field and rule.
    pub fn problem(&self) -> (String, String, String) {
        assert_eq!(self.header(header::CONTENT_TYPE), "application/problem+json", "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert!(problem["title"].is_string() && problem["instance"].is_string(), "{problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.ends_with(['.', '!']) && detail.len() > 20, "{detail}");
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        let code = text("type").strip_prefix("urn:furrow:problem:").expect("the type is a URN").to_owned();
        (code, text("field"), text("rule"))
    }
}

struct Keys(Mutex<HashMap<PublicKey, SigningKey>>, AtomicU64);

impl Keys {
    fn of(keys: impl IntoIterator<Item = SigningKey>) -> Self {
        Self(Mutex::new(keys.into_iter().map(|key| (public(&key), key)).collect()), AtomicU64::new(100))
    }

    fn find(&self, key: &PublicKey) -> Result<SigningKey, KeyringError> {
        self.0.lock().unwrap().get(key).cloned().ok_or(KeyringError::NotHeld(*key))
    }
}

impl Keyring for Keys {
    fn holds(&self, key: &PublicKey) -> bool {
        self.0.lock().unwrap().contains_key(key)
    }

    fn sign(&self, key: &PublicKey, payload: Payload) -> Result<SignedEvent, KeyringError> {
        Ok(SignedEvent::sign(payload, &self.find(key)?)?)
    }

    fn countersign(&self, key: &PublicKey, message: &[u8]) -> Result<[u8; 64], KeyringError> {
        Ok(self.find(key)?.sign(message).to_bytes())
    }

    fn create_key(&self, _: &str) -> Result<PublicKey, KeyringError> {
        let number = self.1.fetch_add(1, Ordering::Relaxed);
        let new = key(u8::try_from(number).unwrap());
        self.0.lock().unwrap().insert(public(&new), new.clone());
        Ok(public(&new))
    }
}

/// A second passes with each look at the clock.
struct Ticks(AtomicU64);

impl Clock for Ticks {
    fn now_ms(&self) -> u64 {
        self.0.fetch_add(1000, Ordering::Relaxed)
    }
}

struct Counted(AtomicU64);

impl Salts for Counted {
    fn salt(&self) -> [u8; 16] {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed)).to_be_bytes()
    }
}

/// What is at rest in a test need not be secret.
struct Plain;

impl AtRest for Plain {
    fn seal(&self, _: &[u8], plain: &[u8]) -> Vec<u8> {
        plain.to_vec()
    }

    fn open(&self, _: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        Some(sealed.to_vec())
    }
}

struct LogKey(SigningKey);

impl LogSigner for LogKey {
    fn origin(&self) -> &'static str {
        "furrow.example/test/north"
    }

    fn key(&self) -> PublicKey {
        public(&self.0)
    }

    fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.0.sign(text).to_bytes()
    }
}

/// Anchors as a test wants them: each a size, the first `final_count` of them final.
#[derive(Default)]
pub struct Anchors {
    pub sizes: Mutex<Vec<u64>>,
    pub final_count: AtomicU64,
    pub problem: Mutex<Option<String>>,
}

impl Anchors {
    fn make(&self, sequence: usize, size: u64) -> Anchor {
        let is_final = (sequence as u64) < self.final_count.load(Ordering::Relaxed);
        Anchor {
            sequence: sequence as u64,
            state: if is_final { "final" } else { "confirmed" }.into(),
            chain_id: 31337,
            contract: "0x5fbdb2315678afecb367f032d93f642f64180aa3".into(),
            sender: "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266".into(),
            previous: format!("0x{}", "00".repeat(32)),
            size,
            log_root: "00".repeat(32),
            state_root: "00".repeat(32),
            transactions: vec![format!("0x{}", "ab".repeat(32))],
            block: Some(AnchorBlock {
                number: 1234,
                hash: format!("0x{}", "cd".repeat(32)),
                time: "2026-09-21T12:00:00.000Z".into(),
                timestamp_s: 1_790_000_000,
                transaction: format!("0x{}", "ab".repeat(32)),
                commitment: format!("0x{}", "ef".repeat(32)),
            }),
            evidence: Some("storage".into()),
            gas_used: Some(30_900),
            cost_wei: Some("30900000000000".into()),
            cut: "2026-09-21T11:59:00.000Z".into(),
            changed: "2026-09-21T12:00:00.000Z".into(),
            problem: None,
        }
    }
}

impl AnchorView for Anchors {
    fn status(&self) -> AnchoringStatus {
        let sizes = self.sizes.lock().unwrap();
        let finals = usize::try_from(self.final_count.load(Ordering::Relaxed)).unwrap();
        AnchoringStatus {
            enabled: true,
            anchored_size: sizes.last().copied().unwrap_or(0),
            final_size: finals.checked_sub(1).and_then(|last| sizes.get(last)).copied().unwrap_or(0),
            problem: self.problem.lock().unwrap().clone(),
            ..AnchoringStatus::default()
        }
    }

    fn anchors(&self, before: Option<u64>, limit: usize) -> Vec<Anchor> {
        let sizes = self.sizes.lock().unwrap();
        let all = sizes.iter().enumerate().rev().map(|(sequence, size)| self.make(sequence, *size));
        all.filter(|anchor| before.is_none_or(|before| anchor.sequence < before)).take(limit).collect()
    }

    fn anchor(&self, sequence: u64) -> Option<Anchor> {
        let sizes = self.sizes.lock().unwrap();
        let index = usize::try_from(sequence).unwrap();
        sizes.get(index).map(|size| self.make(index, *size))
    }

    fn covering(&self, log_index: u64) -> Option<Anchor> {
        let sizes = self.sizes.lock().unwrap();
        sizes.iter().position(|size| *size > log_index).map(|index| self.make(index, sizes[index]))
    }

    fn published(&self, _: &[u64], _: &[[u8; 32]], _: u64, _: bool) -> Vec<provenance::evidence::ProvenLine> {
        Vec::new()
    }
}

struct NoPeers;

impl PeerView for NoPeers {
    fn peers(&self) -> Vec<Peer> {
        Vec::new()
    }

    fn network(&self) -> NetworkState {
        NetworkState { counters: [("malformed".to_owned(), 3)].into(), ..NetworkState::default() }
    }
}

struct Faults(Arc<Mutex<Vec<Fault>>>);

/// Says where a copy would lie.
struct Copies;

impl Snapshots for Copies {
    fn take(&self) -> Result<Snapshot, SnapshotError> {
        Ok(Snapshot { folder: "/node/snapshots/store".to_owned() })
    }
}

impl HealthView for Faults {
    fn faults(&self) -> Vec<Fault> {
        self.0.lock().unwrap().clone()
    }
}
