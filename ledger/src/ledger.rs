//! The ledger: the handle through which everything is appended and read.

use crate::check::{CheckError, check, judge_held, load_heads};
use crate::clock::{Clock, SystemClock};
use crate::counting::CountFollower;
use crate::follower::{self, Follower, FollowerStatus, Runner, Running};
use crate::log::LogSigner;
use crate::map::{MapFollower, publish_newest};
use crate::outcome::{Origin, Outcome, Refusal};
use crate::pending::Pending;
use crate::reader::Reader;
use crate::restored::{Restored, unconfirmed_journals};
use crate::writer::{Checked, JOB_EVENTS, Job, Progress, QUEUED_EVENTS, Writer};
use provenance::admission::Hold;
use provenance::event::{DecodeError, SignedEvent};
use provenance::id::PublicKey;
use provenance::network::Network;
use provenance::signature::{BATCH, Verifier};
use rayon::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use store::{Cursors, MapVersions, Store, StoreError, StoreOptions};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What a ledger is opened with.
pub struct LedgerOptions {
    /// How much memory the store may use.
    pub store: StoreOptions,
    /// The key that signs checkpoints; none on a node that keeps no log of its own.
    pub log_signer: Option<Arc<dyn LogSigner>>,
    /// What follows the log, beside the state map.
    pub followers: Vec<Arc<dyn Follower>>,
    /// Tells when the state map was cut.
    pub clock: Arc<dyn Clock>,
    /// How many entries of each other log are kept in their order, should its node be restored from a backup.
    pub witnessed_entries: u64,
}

/// Who hands in so many events at once waits a little where followers are behind; single events never wait for that.
const MANY: usize = 256;

/// How long at most, for each job.
const PATIENCE: Duration = Duration::from_secs(1);

/// 32 MiB for each log: more than a cooperative signs in a year, so that any backup that is worth restoring can be
/// completed.
const WITNESSED_ENTRIES: u64 = 1 << 20;

impl Default for LedgerOptions {
    fn default() -> Self {
        Self {
            store: StoreOptions::default(),
            log_signer: None,
            followers: Vec::new(),
            clock: Arc::new(SystemClock),
            witnessed_entries: WITNESSED_ENTRIES,
        }
    }
}

/// Why a ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] store::OpenError),
    /// What it holds is not in order.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The operating system gives no thread.
    #[error("no thread for writing could be started: {0}; close other programs and start again")]
    Thread(std::io::Error),
}

/// Why events could not be handed to the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The node is stopping.
    #[error("the node is shutting down; send the events again when it runs")]
    Closed,
    /// The log lacks entries that it had before.
    #[error(
        "the node was restored from a backup and recovers its log from its peers first; send the events again later, or see 'furrow status'"
    )]
    Recovering,
}

/// Events that the writer has, and will judge in their order.
#[derive(Debug)]
pub struct HandedIn {
    answers: Vec<oneshot::Receiver<Vec<Outcome>>>,
    count: usize,
}

impl HandedIn {
    /// What became of the events, in their order, when all of them are on the disk.
    pub async fn outcomes(self) -> Result<Vec<Outcome>, WriteError> {
        let mut outcomes = Vec::with_capacity(self.count);
        for answer in self.answers {
            outcomes.extend(answer.await.map_err(|_| WriteError::Closed)?);
        }
        debug_assert_eq!(outcomes.len(), self.count, "one outcome for each event");
        Ok(outcomes)
    }
}

/// How the ledger is.
#[derive(Debug, Clone)]
pub struct Health {
    /// Why nothing can be written at the moment.
    pub writing: Option<String>,
    /// Every follower.
    pub followers: Vec<FollowerStatus>,
    /// Events that wait for an ancestor or an upgrade.
    pub held: usize,
}

/// An open ledger. Clones share it.
#[derive(Clone)]
pub struct Ledger {
    shared: Arc<Shared>,
}

/// What a ledger is put together from.
pub(crate) struct Parts {
    pub ledger: Ledger,
    pub writer: Writer,
    /// All followers: the one that counts first, the state map last.
    pub followers: Vec<Runner>,
}

struct Shared {
    network: Network,
    reader: Reader,
    jobs: Mutex<Option<mpsc::UnboundedSender<Job>>>,
    room: Arc<Semaphore>,
    progress: Arc<Progress>,
    writer: Mutex<Option<JoinHandle<()>>>,
    followers: Vec<Running>,
    map: Running,
    checkpoints: Mutex<()>,
    witnessed: Mutex<()>,
    clock: Arc<dyn Clock>,
    tasks: TaskTracker,
    stop: CancellationToken,
    log_signer: Option<Arc<dyn LogSigner>>,
    restored: Option<Restored>,
    unconfirmed: Mutex<BTreeSet<PublicKey>>,
    witnessed_entries: u64,
}

impl Drop for Shared {
    /// Ends the threads also where nobody closed the ledger: the store may not outlive the process.
    fn drop(&mut self) {
        self.stop.cancel();
        drop(self.jobs.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(writer) = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            // A panic of the writer was printed when it happened.
            let _ = writer.join();
        }
    }
}

thread_local! {
    /// Remembers keys that were found well-formed, a set for each thread that verifies.
    static VERIFIER: RefCell<Verifier> = RefCell::new(Verifier::new());
}

impl Ledger {
    /// Opens or makes the ledger in the folder `path` and checks its invariants. Must be called
    /// within a tokio runtime, in which the followers run.
    ///
    /// One that was restored from a backup, and whose log is not complete yet, signs no checkpoint, and appends only
    /// what comes from [`Origin::Log`].
    pub fn open(path: &Path, network: Network, options: LedgerOptions) -> Result<Self, OpenError> {
        let store = Store::open(path, &options.store)?;
        let Parts { ledger, writer, followers } = Self::assemble(store, network, options)?;
        let shared = &ledger.shared;
        // All but the first, which counts, read what it has read.
        let mut size = ledger.watch_size();
        for (place, follower) in followers.into_iter().enumerate() {
            let counted = follower.running().watch();
            shared.tasks.spawn(follower.run(size.clone(), shared.stop.clone()));
            if place == 0 {
                size = counted;
            }
        }
        let (jobs, queue) = mpsc::unbounded_channel();
        let thread = std::thread::Builder::new().name("ledger-writer".into()).spawn(move || writer.run(queue));
        *shared.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread.map_err(OpenError::Thread)?);
        *shared.jobs.lock().unwrap_or_else(PoisonError::into_inner) = Some(jobs);
        Ok(ledger)
    }

    /// A ledger of which nothing runs yet: checked, and with a cut of its state map.
    pub(crate) fn assemble(store: Store, network: Network, mut options: LedgerOptions) -> Result<Parts, OpenError> {
        let reader = Reader::new(store);
        let restored = Restored::of(reader.store())?;
        let unconfirmed = Mutex::new(unconfirmed_journals(reader.store())?);
        if restored.is_some() {
            options.log_signer = None;
        }
        let mut heads = load_heads(&reader).map_err(CheckError::from)?;
        if heads.frontier.size() == 0 {
            let mut first = Pending::new(&network, &reader, heads);
            first.append_network().map_err(CheckError::from)?;
            let (batch, started, _) = first.finish().map_err(CheckError::from)?;
            batch.commit_synced().map_err(CheckError::from)?;
            heads = started;
        }
        check(&network, &reader, &heads)?;
        let heads = judge_held(&network, &reader, heads).map_err(CheckError::from)?;

        let size = heads.frontier.size();
        let progress = Arc::new(Progress {
            size: watch::Sender::new(size),
            held: watch::Sender::new(heads.held.all()),
            problem: Mutex::new(None),
        });
        let map = MapFollower { clock: options.clock.clone(), signer: options.log_signer.clone() };
        let count = CountFollower::new(network.clone());
        prepare_counting(&count, &reader, size)?;
        prepare_map(&map, &reader)?;
        let followers: Vec<Runner> = std::iter::once(Arc::new(count) as Arc<dyn Follower>)
            .chain(options.followers)
            .chain([Arc::new(map) as Arc<dyn Follower>])
            .map(|follower| Runner::new(follower, reader.clone(), size))
            .collect::<Result<_, _>>()?;
        let mut running: Vec<Running> = followers.iter().map(|follower| follower.running().clone()).collect();
        let map = running.pop().expect("the state map was added last");
        let writer = Writer {
            network: network.clone(),
            reader: reader.clone(),
            heads,
            progress: progress.clone(),
            reload: load_heads,
            certain: true,
        };
        let shared = Shared {
            network,
            reader,
            jobs: Mutex::default(),
            room: Arc::new(Semaphore::new(QUEUED_EVENTS)),
            progress,
            writer: Mutex::default(),
            followers: running,
            map,
            checkpoints: Mutex::default(),
            witnessed: Mutex::default(),
            clock: options.clock,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            log_signer: options.log_signer,
            restored,
            unconfirmed,
            witnessed_entries: options.witnessed_entries,
        };
        Ok(Parts { ledger: Self { shared: Arc::new(shared) }, writer, followers })
    }

    /// Checks, judges and appends events; answers in their order when all of them are on the disk.
    pub async fn submit(&self, events: Vec<Vec<u8>>, origin: Origin) -> Result<Vec<Outcome>, WriteError> {
        self.hand_in(events, origin).await?.outcomes().await
    }

    /// Checks events and hands them to the writer; returns before they are judged, so that further ones can be
    /// checked meanwhile. What is handed in later is judged later.
    pub async fn hand_in(&self, events: Vec<Vec<u8>>, origin: Origin) -> Result<HandedIn, WriteError> {
        let count = events.len();
        let mut events = events.into_iter();
        let jobs = self.shared.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let jobs = jobs.ok_or(WriteError::Closed)?;
        if self.shared.restored.is_some() && origin != Origin::Log {
            return Err(WriteError::Recovering);
        }
        let mut answers = Vec::with_capacity(count.div_ceil(JOB_EVENTS));
        while events.len() > 0 {
            if count >= MANY {
                self.let_followers_come_near().await;
            }
            let some: Vec<_> = events.by_ref().take(JOB_EVENTS).collect();
            let count = some.len();
            // Room in the queue first: decoded events are several times as large as their bytes.
            let wanted = u32::try_from(count).expect("a job has some thousand events");
            let room = self.shared.room.clone().acquire_many_owned(wanted).await.map_err(|_| WriteError::Closed)?;
            let checked = tokio::task::spawn_blocking(move || check_all(some)).await;
            let checked = checked.map_err(|_| WriteError::Closed)?;
            let (reply, answer) = oneshot::channel();
            let job = Job { events: checked, count, origin: origin.clone(), reply, room: Some(room) };
            jobs.send(job).map_err(|_| WriteError::Closed)?;
            answers.push(answer);
        }
        Ok(HandedIn { answers, count })
    }

    /// Gives followers that are behind the time to come nearer.
    async fn let_followers_come_near(&self) {
        // Others wait for one that cannot go on, and that may last.
        if self.all_followers().any(|follower| follower.status().problem.is_some()) {
            return;
        }
        let coming = async {
            for follower in self.all_followers() {
                follower.comes_near(self.size()).await;
            }
        };
        // One that is slow keeps nobody from writing for long.
        let _ = tokio::time::timeout(PATIENCE, coming).await;
    }

    /// The network that this ledger serves.
    pub fn network(&self) -> &Network {
        &self.shared.network
    }

    /// Reads what was judged.
    pub fn reader(&self) -> &Reader {
        &self.shared.reader
    }

    /// Durable entries of the log, the network id at index 0 included.
    pub fn size(&self) -> u64 {
        *self.shared.progress.size.borrow()
    }

    /// Tells whenever the durable log has grown.
    pub fn watch_size(&self) -> watch::Receiver<u64> {
        self.shared.progress.size.subscribe()
    }

    /// How the ledger is.
    pub fn health(&self) -> Health {
        Health {
            writing: self.shared.progress.problem().map(|problem| problem.to_string()),
            followers: self.all_followers().map(Running::status).collect(),
            held: *self.shared.progress.held.borrow(),
        }
    }

    /// Waits until all followers but the state map, which is cut on a timer, have read the entry at `index`;
    /// false if the node stops before.
    pub async fn followed(&self, index: u64) -> bool {
        for follower in &self.shared.followers {
            if !follower.has_read(index).await {
                return false;
            }
        }
        true
    }

    /// Waits until it was counted what the entry at `index` makes of others; false if the node stops before.
    pub(crate) async fn counted(&self, index: u64) -> bool {
        let counting = self.shared.followers.first().expect("the follower that counts comes first");
        counting.has_read(index).await
    }

    /// Makes all rows of a follower again from zero; false if there is none of this name.
    pub fn rebuild(&self, name: &str) -> bool {
        let follower = self.all_followers().find(|follower| follower.name() == name);
        follower.inspect(|follower| follower.rebuild()).is_some()
    }

    /// Writes what is queued, stops the followers, and returns when all threads have ended.
    pub async fn close(&self) {
        drop(self.shared.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
        let writer = self.shared.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // A panic of the writer was printed when it happened.
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
    }

    fn all_followers(&self) -> impl Iterator<Item = &Running> {
        self.shared.followers.iter().chain([&self.shared.map])
    }

    pub(crate) fn map_follower(&self) -> &Running {
        &self.shared.map
    }

    /// Held while cosignatures are added to a checkpoint.
    pub(crate) fn lock_checkpoints(&self) -> MutexGuard<'_, ()> {
        self.shared.checkpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held while what was witnessed of other logs is changed.
    pub(crate) fn lock_witnessed(&self) -> MutexGuard<'_, ()> {
        self.shared.witnessed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.shared.clock.now_ms()
    }

    pub(crate) fn restored_mark(&self) -> Option<&Restored> {
        self.shared.restored.as_ref()
    }

    pub(crate) fn lock_unconfirmed(&self) -> MutexGuard<'_, BTreeSet<PublicKey>> {
        self.shared.unconfirmed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn witnessed_entries(&self) -> u64 {
        self.shared.witnessed_entries
    }

    pub(crate) fn log_signer(&self) -> Option<&dyn LogSigner> {
        self.shared.log_signer.as_deref()
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("network", &self.shared.network.id()).field("size", &self.size()).finish()
    }
}

/// Counts what was not counted yet: others may read nothing before.
fn prepare_counting(count: &CountFollower, reader: &Reader, size: u64) -> Result<(), CheckError> {
    let stored = reader.store().get::<Cursors>(&count.name().to_owned())?;
    let current = stored.filter(|row| row.version == count.version() && row.next <= size);
    let mut reset = current.is_none();
    // What was counted before decides how entries count that were not: it must be known before any of them is read.
    if let Some(row) = current {
        count.prepare(reader, row.next)?;
    }
    while follower::step(count, reader, std::mem::take(&mut reset))? < size {}
    Ok(())
}

/// Cuts the map of a log that has none, so that there is always a checkpoint to show, signed by the present key.
fn prepare_map(map: &MapFollower, reader: &Reader) -> Result<(), CheckError> {
    if reader.store().last::<MapVersions>()?.is_none() {
        follower::step(map, reader, true)?;
    }
    if let Some(signer) = &map.signer {
        publish_newest(reader, &**signer)?;
    }
    Ok(())
}

/// Decodes and verifies on all cores, before anything is locked.
pub(crate) fn check_all(events: Vec<Vec<u8>>) -> Vec<Checked> {
    if events.len() <= 16 {
        return VERIFIER.with_borrow_mut(|verifier| check_some(events, verifier));
    }
    let share = events.len().div_ceil(rayon::current_num_threads()).clamp(1, BATCH);
    let mut shares = Vec::new();
    let mut events = events.into_iter().peekable();
    while events.peek().is_some() {
        shares.push(events.by_ref().take(share).collect::<Vec<_>>());
    }
    let check = |share| VERIFIER.with_borrow_mut(|verifier| check_some(share, verifier));
    shares.into_par_iter().map(check).collect::<Vec<_>>().into_iter().flatten().collect()
}

pub(crate) fn check_some(events: Vec<Vec<u8>>, verifier: &mut Verifier) -> Vec<Checked> {
    let refused = |refusal| Checked::Settled(Outcome::Rejected(refusal));
    let mut checked: Vec<Option<Checked>> = Vec::with_capacity(events.len());
    let mut decoded = Vec::with_capacity(events.len());
    for bytes in events {
        checked.push(match SignedEvent::decode(bytes) {
            Ok(event) => {
                decoded.push(event);
                None
            }
            // Nobody's fault: this program is older than the one that signed it.
            Err(DecodeError::NewerVersion { id, version }) => {
                let hold = Hold::Unsupported(format!("format version {version}"));
                Some(Checked::Settled(Outcome::Held { id, hold, kept: false }))
            }
            Err(error) => Some(refused(Refusal::Decode(Arc::new(error)))),
        });
    }
    let mut verified = verifier.verify_all(decoded).into_iter().map(|result| match result {
        Ok(event) => Checked::Verified(event),
        Err(error) => refused(Refusal::Signature(error)),
    });
    let settle = |slot: Option<Checked>| slot.or_else(|| verified.next());
    checked.into_iter().map(settle).map(|slot| slot.expect("every event was refused or verified")).collect()
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Check(CheckError::Store(error))
    }
}
