//! Ledger and network brought together: events are published, taken in, served, and caught up with.
//!
//! Three ways lead an event here: the node's own interface, gossip, and the log of a peer. All end in
//! [`Ledger::submit`]; this module only carries bytes and judges how peers behave.
//!
//! What to ask of whom, to catch up with the logs of peers, the crate `replication` decides; `catch_up` does it.
//!
//! **Invariant:** nothing is passed on before the ledger admitted it.
//!
//! **Invariant:** whatever a peer sends or asks, memory stays bounded: by the network's queues, by
//! the permits below, and by the limits of `replication`.

mod catch_up;
mod cosign;
mod gossip;
mod lives;
mod nodes;
mod openings;
mod publish;
mod received;
mod serve;
#[cfg(test)]
mod tests;
mod wanted;

use anchoring::AnchorStatus;
use catch_up::Input;
use cosign::Cosigning;
pub(crate) use cosign::PeerCosigning;
use ledger::Ledger;
use ledger::author::Author;
use ledger::view::Views;
use lives::Faults;
pub(crate) use nodes::Nodes;
use p2p::{Greeting, Handle, Incoming, PeerId, PeerInfo, Request};
use provenance::id::{EventId, PublicKey};
use received::Received;
use replication::Progress;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wanted::Wanted;

/// Gossip messages that are judged at a time; each has at most 64 KiB, and the ledger joins them to
/// one write.
const GOSSIP_AT_ONCE: usize = 64;

/// Requests of peers that are answered at a time, each with at most 4 MiB in memory.
const ANSWERS_AT_ONCE: usize = 16;

/// Checkpoints of peers that are worked on at a time. Each may take minutes, where a log is long, so they do not take
/// the places of other answers; who finds none free asks again ten seconds later.
const COSIGNED_AT_ONCE: usize = 4;

/// Name and version of this program, as peers read them.
const PROGRAM: &str = concat!("furrow/", env!("CARGO_PKG_VERSION"));

/// How often the list of peers is read again for those who look at it.
const PEERS_EVERY: Duration = Duration::from_secs(1);

/// What the parts of the module share.
struct Shared {
    ledger: Ledger,
    /// Keeps the openings of sealed fields.
    author: Author,
    nodes: Nodes,
    /// Events whose openings this node may know and lacks.
    wanted: Wanted<EventId>,
    cosigning: Cosigning,
    network: Handle,
    log: PublicKey,
    received: Received,
    /// What happens to the machine that catches up.
    inputs: mpsc::Sender<Input>,
    /// By what it was stopped since the start.
    faults: Faults,
    /// How far it is with each peer's log.
    progress: Mutex<HashMap<PeerId, Progress>>,
    /// The peers that are connected.
    peers: Mutex<BTreeSet<PeerId>>,
    connected: Mutex<Vec<PeerInfo>>,
    /// Told when a peer came or went.
    came_or_went: Notify,
}

/// The running sync, as others look at it.
#[derive(Clone)]
pub(crate) struct Sync(Arc<Shared>);

/// Brings ledger and network together until `stop` is cancelled; all tasks are tracked by `tasks`.
pub(crate) fn start(
    author: Author,
    network: Handle,
    incoming: mpsc::Receiver<Incoming>,
    log: PublicKey,
    anchors: watch::Receiver<AnchorStatus>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Sync {
    let ledger = author.ledger().clone();
    let (inputs, to_take) = mpsc::channel(catch_up::INPUTS);
    let shared = Arc::new(Shared {
        nodes: Nodes::new(Views::new(ledger.reader().clone())),
        wanted: Wanted::new(openings::MAX_WANTED),
        cosigning: Cosigning::default(),
        ledger,
        author,
        network,
        log,
        received: Received::default(),
        inputs,
        faults: Faults::default(),
        progress: Mutex::default(),
        peers: Mutex::default(),
        connected: Mutex::default(),
        came_or_went: Notify::new(),
    });
    let until_stopped = |stop: &CancellationToken| stop.clone();
    tasks.spawn(until_stopped(stop).run_until_cancelled_owned(publish::run(shared.clone())));
    tasks.spawn(until_stopped(stop).run_until_cancelled_owned(watch_peers(shared.clone())));
    tasks.spawn(until_stopped(stop).run_until_cancelled_owned(openings::look_for_missing(shared.clone())));
    tasks.spawn(until_stopped(stop).run_until_cancelled_owned(openings::fetch(shared.clone())));
    tasks.spawn(until_stopped(stop).run_until_cancelled_owned(cosign::run(shared.clone(), anchors)));
    tasks.spawn(until_stopped(stop).run_until_cancelled_owned(cosign::exchange(shared.clone())));
    catch_up::start(&shared, to_take, tasks, stop);
    tasks.spawn(intake(shared.clone(), incoming, tasks.clone(), stop.clone()));
    Sync(shared)
}

impl Sync {
    /// What became of cosigning with each enrolled peer.
    pub(crate) fn cosigning(&self) -> HashMap<PeerId, PeerCosigning> {
        self.0.cosigning.all()
    }

    /// How often catching up was stopped by a fault of the program and begun again, and by what.
    pub(crate) fn faults(&self) -> Option<String> {
        self.0.faults.told()
    }

    /// The connected peers, and how far this node has come with the log of each.
    pub(crate) fn peers(&self) -> Vec<(PeerInfo, Option<Progress>)> {
        let connected = self.0.connected.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let progress = self.0.progress.lock().unwrap_or_else(PoisonError::into_inner);
        connected
            .into_iter()
            .map(|peer| (progress.get(&peer.id).cloned(), peer))
            .map(|(known, peer)| (peer, known))
            .collect()
    }
}

impl Shared {
    /// How this node introduces itself.
    fn greeting(&self) -> Greeting {
        Greeting { log: self.log, log_size: self.ledger.size(), program: PROGRAM.to_owned() }
    }

    /// Has the peer's log looked at now rather than at the next greeting, which comes soon if this is lost.
    fn wake(&self, peer: &PeerId) {
        let _ = self.inputs.try_send(Input::Wake(*peer));
    }

    fn peers(&self) -> Vec<PeerId> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

/// Takes what comes from the network, and hands each to its own task.
async fn intake(
    shared: Arc<Shared>,
    mut incoming: mpsc::Receiver<Incoming>,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let gossiping = Arc::new(Semaphore::new(GOSSIP_AT_ONCE));
    let answering = Arc::new(Semaphore::new(ANSWERS_AT_ONCE));
    let cosigning = Arc::new(Semaphore::new(COSIGNED_AT_ONCE));
    while let Some(Some(event)) = stop.run_until_cancelled(incoming.recv()).await {
        if matches!(event, Incoming::Connected(_) | Incoming::Disconnected(_)) {
            shared.came_or_went.notify_one();
        }
        match event {
            Incoming::Connected(peer) => {
                shared.peers.lock().unwrap_or_else(PoisonError::into_inner).insert(peer);
                let _ = shared.inputs.send(Input::Connected(peer)).await;
            }
            Incoming::Disconnected(peer) => {
                shared.peers.lock().unwrap_or_else(PoisonError::into_inner).remove(&peer);
                let _ = shared.inputs.send(Input::Disconnected(peer)).await;
            }
            Incoming::Gossip { id, from, events } => {
                // Waiting here is safe: the network bounds what waits behind, and drops the rest.
                let Ok(permit) = gossiping.clone().acquire_owned().await else { return };
                let shared = shared.clone();
                tasks.spawn(stop.clone().run_until_cancelled_owned(async move {
                    gossip::take(&shared, id, from, events).await;
                    drop(permit);
                }));
            }
            Incoming::Request { from, request: Request::Cosign { note }, reply } => {
                let Ok(permit) = cosigning.clone().try_acquire_owned() else { continue };
                let shared = shared.clone();
                tasks.spawn(stop.clone().run_until_cancelled_owned(async move {
                    cosign::answer(shared, from, note, reply).await;
                    drop(permit);
                }));
            }
            Incoming::Request { from, request, reply } => {
                let Ok(permit) = answering.clone().acquire_owned().await else { return };
                let shared = shared.clone();
                tasks.spawn(stop.clone().run_until_cancelled_owned(async move {
                    serve::answer(shared, from, request, reply).await;
                    drop(permit);
                }));
            }
        }
    }
}

/// Reads the list of peers again and again, so that looking at it never waits.
async fn watch_peers(shared: Arc<Shared>) {
    while let Ok(peers) = shared.network.peers().await {
        *shared.connected.lock().unwrap_or_else(PoisonError::into_inner) = peers;
        tokio::select! {
            () = tokio::time::sleep(PEERS_EVERY) => {}
            () = shared.came_or_went.notified() => {}
        }
    }
}
