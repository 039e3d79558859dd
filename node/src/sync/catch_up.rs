//! Driving the machine that catches up with peers: what it wants asked goes to the network, what it wants written to
//! the ledger, and their answers come back to it.
//!
//! The machine reads the disk, so it has a thread of its own. Everything that waits is a task beside it, and
//! there are only as many as the machine has questions and batches under way.

use super::{Shared, lives};
use ledger::{Ledger, Origin, Outcome};
use p2p::{Greeting, PeerId, Request, RequestError, Response};
use provenance::id::{EventId, PublicKey};
use replication::limits::BATCHES_AT_ONCE;
use replication::{BatchId, Failure, Output, Progress, Replica, RequestId, Unwritten};
use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use store::StoreError;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Inputs that wait for the machine; who has more for it waits. Answers with events are few, by the machine's own
/// bounds, so these are small.
pub(super) const INPUTS: usize = 1_024;

/// How often progress is told to those who look at it, and how often to the log while much is unread.
const TOLD_EVERY: Duration = Duration::from_millis(200);
const LOGGED_EVERY: Duration = Duration::from_secs(10);

/// Unread entries that are worth a line in the log.
const MUCH: u64 = 10_000;

/// The longest sleep: what the machine waits for in any case comes earlier.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// What happens to the machine.
#[derive(Debug)]
pub(super) enum Input {
    /// A peer is connected.
    Connected(PeerId),
    /// A peer is gone.
    Disconnected(PeerId),
    /// A peer has greeted this node.
    Greeted(PeerId, Greeting),
    /// A peer's log is to be looked at soon.
    Wake(PeerId),
    /// A request of the machine's so-manieth life was answered, or not.
    Answered(u64, RequestId, Result<Response, Failure>),
    /// A batch of that life was written, or not.
    Submitted(u64, BatchId, Result<Vec<Outcome>, Unwritten>),
}

/// A batch on its way to the ledger.
struct Batch {
    id: BatchId,
    source: Option<PeerId>,
    events: Vec<(EventId, Vec<u8>)>,
}

/// One life of the machine: after a fault of the program there is another, which reads the cursors from the disk.
struct Driver {
    /// How many machines ran before, and this one.
    life: u64,
    shared: Arc<Shared>,
    replica: Replica<Ledger>,
    batches: mpsc::Sender<Batch>,
    tasks: TaskTracker,
    stop: CancellationToken,
    started: Instant,
    told: Instant,
    logged: Instant,
    connected: BTreeSet<PeerId>,
}

/// Starts the machine; it runs until `stop` is cancelled.
pub(super) fn start(
    shared: &Arc<Shared>,
    mut inputs: mpsc::Receiver<Input>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let (shared, tasks, stop) = (shared.clone(), tasks.clone(), stop.clone());
    let mut life = 0;
    tasks.clone().spawn_blocking(move || {
        let runtime = Handle::current();
        let work = || {
            life += 1;
            runtime.block_on(Driver::new(life, shared.clone(), tasks.clone(), stop.clone()).run(&mut inputs));
        };
        let pause = |pause| {
            runtime.block_on(stop.run_until_cancelled(tokio::time::sleep(pause)));
        };
        lives::live(&shared.faults, work, pause);
    });
}

impl Driver {
    /// A machine that knows the peers which are connected now, and its writer.
    fn new(life: u64, shared: Arc<Shared>, tasks: TaskTracker, stop: CancellationToken) -> Self {
        let (batches, to_write) = mpsc::channel(BATCHES_AT_ONCE);
        let write = write(life, shared.clone(), to_write, tasks.clone(), stop.clone());
        tasks.spawn(stop.clone().run_until_cancelled_owned(write));
        let now = Instant::now();
        Self {
            life,
            replica: Replica::new(shared.ledger.clone(), shared.log, super::PROGRAM),
            connected: BTreeSet::new(),
            shared,
            batches,
            tasks,
            stop,
            started: now,
            told: now,
            logged: now,
        }
    }

    async fn run(mut self, inputs: &mut mpsc::Receiver<Input>) {
        let stop = self.stop.clone();
        // Whoever came while another machine ran; that a peer has come may be told twice.
        for peer in self.shared.peers() {
            self.take(Input::Connected(peer));
        }
        while !stop.is_cancelled() {
            let sleep = self.replica.next_tick_ms().saturating_sub(self.now_ms());
            let sleep = Duration::from_millis(sleep).min(LONGEST_SLEEP);
            tokio::select! {
                () = stop.cancelled() => break,
                input = inputs.recv() => match input {
                    Some(input) => self.take(input),
                    None => break,
                },
                () = tokio::time::sleep(sleep) => {}
            }
            self.replica.tick(self.now_ms());
            while let Some(output) = self.replica.next_output() {
                self.put_out(output);
            }
            self.tell();
        }
        // Keeps the cursors.
        let now_ms = self.now_ms();
        for peer in std::mem::take(&mut self.connected) {
            self.replica.disconnected(&peer, now_ms);
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn take(&mut self, input: Input) {
        let now_ms = self.now_ms();
        match input {
            Input::Connected(peer) => {
                self.connected.insert(peer);
                self.replica.connected(peer, now_ms);
            }
            Input::Disconnected(peer) => {
                self.connected.remove(&peer);
                self.replica.disconnected(&peer, now_ms);
            }
            Input::Greeted(peer, greeting) => self.replica.greeted(&peer, &greeting, now_ms),
            Input::Wake(peer) => self.replica.wake(&peer, now_ms),
            // What an earlier machine has asked for has the same names, and means nothing to this one.
            Input::Answered(life, id, answer) if life == self.life => self.replica.answered(id, answer, now_ms),
            Input::Submitted(life, id, outcomes) if life == self.life => self.replica.submitted(id, outcomes, now_ms),
            Input::Answered(..) | Input::Submitted(..) => {}
        }
    }

    fn put_out(&mut self, output: Output) {
        match output {
            Output::Ask { id, peer, request } => {
                let (life, shared) = (self.life, self.shared.clone());
                let page = match request {
                    Request::LogPage { from, .. } => self.replica.log_of(&peer).map(|log| (log, from)),
                    _ => None,
                };
                self.spawn(async move {
                    let answer = ask(&shared, &peer, request).await;
                    if let (Some((log, from)), Ok(Response::LogPage { ids, .. })) = (page, &answer) {
                        // Before the answer is taken, so that the next page of this log comes later.
                        keep(&shared, peer, log, from, ids.clone()).await;
                    }
                    // Without a machine nobody waits for it.
                    let _ = shared.inputs.send(Input::Answered(life, id, answer)).await;
                });
            }
            Output::Submit { id, source, events } => {
                // There is room for as many as the machine has under way; without a writer the node is stopping.
                let _ = self.batches.try_send(Batch { id, source, events });
            }
            Output::Penalise { peer, what, why } => {
                tracing::warn!(%peer, "a peer {why}");
                let shared = self.shared.clone();
                self.spawn(async move {
                    // Once the network has ended, there is nobody to blame.
                    let _ = shared.network.penalise(&peer, what).await;
                });
            }
        }
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(self.stop.clone().run_until_cancelled_owned(work));
    }

    /// Tells how far it is.
    fn tell(&mut self) {
        if self.told.elapsed() < TOLD_EVERY {
            return;
        }
        self.told = Instant::now();
        let progress = self.replica.progress();
        if self.logged.elapsed() >= LOGGED_EVERY {
            self.logged = self.told;
            for Progress { peer, have, of, events_per_s, eta_s, .. } in &progress {
                if of - have >= MUCH {
                    tracing::info!(%peer, have, of, events_per_s, eta_s, "catching up with a peer's log");
                }
            }
        }
        let by_peer: HashMap<PeerId, Progress> =
            progress.into_iter().map(|progress| (progress.peer, progress)).collect();
        *self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner) = by_peer;
    }
}

async fn ask(shared: &Shared, peer: &PeerId, request: Request) -> Result<Response, Failure> {
    shared.network.request(peer, request).await.map_err(|error| {
        tracing::debug!(%peer, %error, "a peer was asked in vain");
        match error {
            RequestError::Busy => Failure::Busy,
            RequestError::Timeout => Failure::Timeout,
            RequestError::NotConnected | RequestError::Disconnected | RequestError::Stopped(_) => Failure::Gone,
            RequestError::NoAnswer | RequestError::Oversize(_) => Failure::NoAnswer,
            RequestError::Malformed(_) | RequestError::WrongAnswer => Failure::Wrong,
        }
    })
}

/// Keeps the order of these entries for the log's owner, should it be restored from a backup. Only what the owner itself
/// shows: anybody can greet with the key of another's log. What cosigning has not read yet is kept in this way.
async fn keep(shared: &Arc<Shared>, peer: PeerId, log: PublicKey, from: u64, ids: Vec<EventId>) {
    let shared = shared.clone();
    let kept = tokio::task::spawn_blocking(move || {
        if shared.nodes.behind(&peer)?.iter().any(|node| node.log == log) {
            shared.ledger.witness().keep(&log, from, &ids)?;
        }
        Ok::<_, StoreError>(())
    });
    if let Ok(Err(error)) = kept.await {
        // Cosigning reads the log again, up to its next checkpoint.
        tracing::warn!(%peer, %error, "the order of a peer's log cannot be kept");
    }
}

/// Hands batches to the ledger, one after the other; their outcomes are awaited beside that, so that one is verified
/// while the one before it is committed.
async fn write(
    life: u64,
    shared: Arc<Shared>,
    mut batches: mpsc::Receiver<Batch>,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    while let Some(Batch { id, source, events }) = batches.recv().await {
        shared.received.note(events.iter().map(|(id, _)| *id));
        let events = events.into_iter().map(|(_, bytes)| bytes).collect();
        let source = source.map_or_else(|| "gone".to_owned(), |peer| peer.to_string());
        let handed_in = shared.ledger.hand_in(events, Origin::Peer(source)).await;
        let shared = shared.clone();
        tasks.spawn(stop.clone().run_until_cancelled_owned(async move {
            let outcomes = match handed_in {
                Ok(handed_in) => handed_in.outcomes().await.map_err(|_| Unwritten),
                Err(_) => Err(Unwritten),
            };
            let _ = shared.inputs.send(Input::Submitted(life, id, outcomes)).await;
        }));
    }
}
