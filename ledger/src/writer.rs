//! The one thread that writes: takes what is queued, judges it, and commits it as one batch.

use crate::outcome::{Origin, Outcome};
use crate::pending::{Heads, Pending};
use crate::reader::Reader;
use provenance::admission::Hold;
use provenance::event::VerifiedEvent;
use provenance::network::Network;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::{Log, StoreError};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};

/// Events of one commit. Beyond some thousands a larger batch costs memory and gains nothing.
const BATCH_EVENTS: usize = 4_096;

/// Events of one job. They are verified together, which costs the less for each the more they are.
pub(crate) const JOB_EVENTS: usize = 4_096;

/// Events that may wait; whoever hands in more waits, which is how load is pushed back.
pub(crate) const QUEUED_EVENTS: usize = 262_144;

/// Pause between two attempts to write after one failed: short enough that nobody waits long once
/// there is room again, long enough to leave a failing disk alone.
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// An event whose bytes and signature were looked at already.
#[allow(clippy::large_enum_variant)] // Almost all are verified, and a box for each would only cost.
pub(crate) enum Checked {
    Verified(VerifiedEvent),
    Settled(Outcome),
}

pub(crate) struct Job {
    pub events: Vec<Checked>,
    /// How many events there are, and so how many outcomes are awaited, also once they were taken.
    pub count: usize,
    pub origin: Origin,
    pub reply: oneshot::Sender<Vec<Outcome>>,
    /// What it takes of [`QUEUED_EVENTS`], where there is a queue.
    pub room: Option<OwnedSemaphorePermit>,
}

/// What the writer tells the rest of the node.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Entries of the log that are on the disk.
    pub size: watch::Sender<u64>,
    /// Events that are held.
    pub held: watch::Sender<usize>,
    /// Why the last commit failed, until one succeeds.
    pub problem: Mutex<Option<Arc<StoreError>>>,
}

impl Progress {
    pub fn problem(&self) -> Option<Arc<StoreError>> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_problem(&self, problem: Option<Arc<StoreError>>) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }
}

pub(crate) struct Writer {
    pub network: Network,
    pub reader: Reader,
    pub heads: Heads,
    pub progress: Arc<Progress>,
    /// Finds the heads again after a commit of which nobody knows whether it was written.
    pub reload: fn(&Reader) -> Result<Heads, StoreError>,
    /// False after a commit of which nobody knows whether it was written.
    pub certain: bool,
}

impl Writer {
    /// Works until all senders are gone.
    pub fn run(mut self, mut jobs: mpsc::UnboundedReceiver<Job>) {
        let _told = TellsOfPanic(self.progress.clone());
        loop {
            if !self.recover() {
                match self.refuse_queued(&mut jobs) {
                    Ok(()) => std::thread::sleep(RETRY_AFTER),
                    Err(Gone) => return,
                }
                continue;
            }
            let (mut round, mut events) = (Vec::new(), 0);
            // Held events that are ready are judged also where nobody writes.
            if self.heads.ready.is_empty() {
                let Some(first) = jobs.blocking_recv() else { return };
                events = first.count;
                round.push(first);
            }
            while events < BATCH_EVENTS
                && let Ok(job) = jobs.try_recv()
            {
                events += job.count;
                round.push(job);
            }
            self.write(round);
        }
    }

    /// One step for whoever has no thread for the writer: everything becomes one batch, and all are answered.
    pub fn step(&mut self, round: Vec<Job>) {
        if self.recover() {
            return self.write(round);
        }
        let problem = self.progress.problem().expect("a failed attempt left its problem");
        for job in round {
            job.refuse(&problem);
        }
    }

    /// Commits these jobs as one batch and answers them.
    fn write(&mut self, mut round: Vec<Job>) {
        match self.commit(&mut round) {
            Ok(outcomes) => {
                for (job, outcomes) in round.into_iter().zip(outcomes) {
                    drop(job.room);
                    // Whoever asked may have gone; the events are stored all the same.
                    let _ = job.reply.send(outcomes);
                }
            }
            Err(error) => {
                self.certain = false;
                let error = Arc::new(error);
                tracing::error!(%error, "nothing can be written");
                self.progress.set_problem(Some(error.clone()));
                for job in round {
                    job.refuse(&error);
                }
            }
        }
    }

    /// After a commit of which nobody knows whether it was written: tries the disk, and finds the
    /// heads again. So a node that nobody writes to becomes healthy by itself.
    fn recover(&mut self) -> bool {
        if self.certain {
            return true;
        }
        match self.try_disk() {
            Ok(heads) => {
                self.heads = heads;
                self.certain = true;
                self.publish();
                self.progress.set_problem(None);
                tracing::info!(size = self.heads.frontier.size(), "writing goes on");
                true
            }
            Err(error) => {
                self.progress.set_problem(Some(Arc::new(error)));
                false
            }
        }
    }

    fn try_disk(&self) -> Result<Heads, StoreError> {
        // Syncing one row again also syncs whatever was written before it.
        let mut batch = self.reader.store().batch();
        batch.put::<Log>(&0, &self.network.id().as_event());
        batch.commit_synced()?;
        (self.reload)(&self.reader)
    }

    fn refuse_queued(&self, jobs: &mut mpsc::UnboundedReceiver<Job>) -> Result<(), Gone> {
        let problem = self.progress.problem().expect("a failed attempt left its problem");
        loop {
            match jobs.try_recv() {
                Ok(job) => job.refuse(&problem),
                Err(mpsc::error::TryRecvError::Empty) => return Ok(()),
                Err(mpsc::error::TryRecvError::Disconnected) => return Err(Gone),
            }
        }
    }

    /// Tells everybody what is on the disk.
    fn publish(&self) {
        let (held, size) = (self.heads.held.all(), self.heads.frontier.size());
        self.progress.held.send_if_modified(|told| std::mem::replace(told, held) != held);
        self.progress.size.send_if_modified(|told| std::mem::replace(told, size) != size);
    }

    fn commit(&mut self, round: &mut [Job]) -> Result<Vec<Vec<Outcome>>, StoreError> {
        // Where this fails they are found again on the disk.
        let heads = std::mem::take(&mut self.heads);
        let mut pending = Pending::new(&self.network, &self.reader, heads);
        let verified = round.iter().flat_map(|job| &job.events).filter_map(|event| match event {
            Checked::Verified(event) => Some(event.id()),
            Checked::Settled(_) => None,
        });
        pending.look_up(verified)?;
        pending.release_ready()?;
        let mut all = Vec::with_capacity(round.len());
        for job in round.iter_mut() {
            let mut outcomes = Vec::with_capacity(job.events.len());
            let mut broken = false;
            for event in std::mem::take(&mut job.events) {
                outcomes.push(match event {
                    Checked::Verified(event) if broken => {
                        Outcome::Held { id: event.id(), hold: Hold::Missing(Vec::new()), kept: false }
                    }
                    Checked::Verified(event) => pending.take(event, &job.origin)?,
                    Checked::Settled(outcome) => outcome,
                });
                broken = job.origin == Origin::Log && outcomes.last().is_some_and(|outcome| outcome.index().is_none());
            }
            all.push(outcomes);
        }
        let stored = pending.len();
        let (batch, heads, written) = pending.finish()?;
        if !batch.is_empty() {
            self.reader.commit(batch, written)?;
        }
        // Also where nothing is stored, the void events of this round are remembered.
        self.heads = heads;
        self.publish();
        tracing::debug!(stored, size = self.heads.frontier.size(), "appended");
        Ok(all)
    }
}

/// Lets a panic of the thread show in the health of the ledger.
struct TellsOfPanic(Arc<Progress>);

impl Drop for TellsOfPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let problem = StoreError::Io("the writer stopped unexpectedly; restart the node".to_owned());
            self.0.set_problem(Some(Arc::new(problem)));
        }
    }
}

/// All senders are gone.
struct Gone;

impl Job {
    fn refuse(self, error: &Arc<StoreError>) {
        let _ = self.reply.send(vec![Outcome::Unavailable(error.clone()); self.count]);
    }
}
