//! A machine: a disk, a clock and a log key, which outlive the node that runs on it.

use crate::chance::Chance;
use crate::node::Node;
use crate::settings::{Sabotage, Settings};
use crate::signer::public;
use ed25519_dalek::{Signer, SigningKey};
use ledger::trace::LineageFollower;
use ledger::view::ViewFollower;
use ledger::{Clock, Follower, LedgerOptions, LogSigner, OpenError, SteppedLedger};
use p2p::PeerId;
use provenance::id::{EventId, PublicKey};
use provenance::network::Network;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use store::{Crash, Fault, MemoryDisk, Store, StoreOptions};

/// When simulated time begins: 2026-10-09.
const EPOCH_MS: u64 = 1_791_500_000_000;

/// Simulated time, as a machine's clock shows it.
#[derive(Debug)]
pub(crate) struct SkewedClock {
    now_ms: Arc<AtomicU64>,
    /// How far it is behind.
    behind_ms: u64,
}

impl Clock for SkewedClock {
    fn now_ms(&self) -> u64 {
        EPOCH_MS + self.now_ms.load(Ordering::Relaxed) - self.behind_ms
    }
}

/// The key of a machine's log, which remembers what it has signed.
pub(crate) struct LogKey {
    key: SigningKey,
    origin: String,
    signed: Mutex<Signed>,
}

/// What a log key has signed.
#[derive(Debug, Default)]
struct Signed {
    by_size: BTreeMap<u64, Vec<u8>>,
    contradiction: Option<String>,
}

impl LogSigner for LogKey {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn key(&self) -> PublicKey {
        public(&self.key)
    }

    fn sign(&self, text: &[u8]) -> [u8; 64] {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = String::from_utf8_lossy(text).into_owned();
        let size = lines.lines().nth(1).and_then(|line| line.parse().ok()).unwrap_or(0);
        let before = signed.by_size.entry(size).or_insert_with(|| text.to_vec()).clone();
        if before != text {
            signed.contradiction = Some(format!("{}\nand\n{lines}", String::from_utf8_lossy(&before)));
        }
        self.key.sign(text).to_bytes()
    }
}

impl LogKey {
    /// Two different checkpoints of one size, if it ever signed such.
    pub fn contradiction(&self) -> Option<String> {
        self.signed.lock().unwrap_or_else(PoisonError::into_inner).contradiction.clone()
    }
}

/// A machine, with the node that runs on it at times.
pub(crate) struct Machine {
    name: usize,
    pub peer: PeerId,
    pub disk: MemoryDisk,
    pub log_key: Arc<LogKey>,
    pub clock: Arc<SkewedClock>,
    pub node: Option<Node>,
    /// How often a node was started or stopped here: what was meant for an earlier one comes too late.
    pub life: u64,
    /// The longest log that anybody can have seen here.
    pub seen: Vec<EventId>,
    /// How long the log was when it was looked last at what is shown of it.
    pub looked: usize,
}

impl Machine {
    pub fn new(name: usize, settings: &Settings, now_ms: Arc<AtomicU64>, chance: &mut Chance) -> Self {
        let key = SigningKey::from_bytes(&chance.bytes());
        // A libp2p peer id: the identity multihash of an Ed25519 key in protobuf.
        let peer = [&[0, 36, 8, 1, 18, 32][..], public(&key).as_bytes()].concat();
        // The last one lags by an hour, so that many others are ahead of it.
        let lags = settings.clock_skew_ms > 0 && name + 1 == settings.machines;
        let behind_ms = if lags { 3_600_000 } else { chance.between(0, settings.clock_skew_ms + 1) };
        Self {
            name,
            peer: PeerId::from_bytes(&peer).expect("it is the id of a key"),
            disk: MemoryDisk::new(settings.sabotage == Some(Sabotage::LyingDisks)),
            log_key: Arc::new(LogKey { key, origin: format!("simulation/{name}"), signed: Mutex::default() }),
            clock: Arc::new(SkewedClock { now_ms, behind_ms }),
            node: None,
            life: 0,
            seen: Vec::new(),
            looked: 0,
        }
    }

    /// Starts a node on what the disk holds. It may stop while it starts, at the commit that `crash` says.
    pub fn start(&mut self, network: &Network, settings: &Settings, crash: Option<Crash>) -> Result<(), OpenError> {
        // Small worlds need little memory, and what is not allocated need not be cleared.
        let store = StoreOptions { cache_bytes: 1 << 20, write_buffer_bytes: 4 << 20, ..StoreOptions::default() };
        let first = |name: usize| self.life == 0 && self.name == name;
        let crash = crash.or(settings.stops.filter(|(name, _)| first(*name)).map(|(_, crash)| crash));
        if self.life == 0 {
            // A machine can stop while it makes its store, too.
            self.disk.crash(crash);
        }
        let store = Store::open_on(&self.disk, &store)?;
        if self.life > 0 {
            self.disk.crash(crash);
        }
        if let Some((_, commits, fault)) = settings.fails.filter(|(name, ..)| first(*name)) {
            store.inject(std::iter::repeat_n(Fault::None, commits).chain([fault]));
        }
        let two_faces = settings.sabotage == Some(Sabotage::TwoFaces) && self.life > 0;
        let log_signer: Arc<dyn LogSigner> =
            if two_faces { Arc::new(OtherFace(self.log_key.clone())) } else { self.log_key.clone() };
        let options = LedgerOptions {
            log_signer: Some(log_signer),
            followers: followers(network),
            clock: self.clock.clone(),
            ..LedgerOptions::default()
        };
        let ledger = SteppedLedger::open(store, network.clone(), options)?;
        (self.life, self.looked) = (self.life + 1, 0);
        self.node = Some(Node::new(ledger, self.log_key.key(), settings.far));
        Ok(())
    }
}

/// What follows the log of every node, beside what a ledger brings itself.
pub(crate) fn followers(network: &Network) -> Vec<Arc<dyn Follower>> {
    vec![Arc::new(ViewFollower::new(network.clone())), Arc::new(LineageFollower)]
}

/// The same key under another name: what two of a kind would sign.
struct OtherFace(Arc<LogKey>);

impl LogSigner for OtherFace {
    fn origin(&self) -> &'static str {
        "simulation/another"
    }

    fn key(&self) -> PublicKey {
        self.0.key()
    }

    fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.0.sign(text)
    }
}
