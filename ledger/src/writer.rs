//! The one thread that writes: takes what is queued, judges it, and commits it as one batch.

use crate::outcome::{Origin, Outcome};
use crate::pending::{Heads, Pending};
use crate::reader::Reader;
use provenance::event::VerifiedEvent;
use provenance::network::Network;
use std::sync::{Arc, Mutex, PoisonError};
use store::StoreError;
use tokio::sync::{mpsc, oneshot, watch};

/// Events of one commit. Beyond some thousands a larger batch costs memory and gains nothing.
const BATCH_EVENTS: usize = 4_096;

/// Jobs that may wait; a further one waits at its sender, which is how load is pushed back.
pub(crate) const QUEUED_JOBS: usize = 256;

/// An event whose bytes and signature were looked at already.
pub(crate) enum Checked {
    Verified(VerifiedEvent),
    Settled(Outcome),
}

pub(crate) struct Job {
    pub events: Vec<Checked>,
    pub origin: Origin,
    pub reply: oneshot::Sender<Vec<Outcome>>,
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
}

impl Writer {
    /// Works until all senders are gone.
    pub fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut certain = true;
        while let Some(first) = jobs.blocking_recv() {
            let mut round = vec![first];
            let mut events = round[0].events.len();
            while events < BATCH_EVENTS
                && let Ok(job) = jobs.try_recv()
            {
                events += job.events.len();
                round.push(job);
            }
            if !certain {
                match (self.reload)(&self.reader) {
                    Ok(heads) => (self.heads, certain) = (heads, true),
                    Err(error) => {
                        refuse(round, &Arc::new(error));
                        continue;
                    }
                }
            }
            match self.commit(&mut round) {
                Ok(outcomes) => {
                    self.progress.set_problem(None);
                    for (job, outcomes) in round.into_iter().zip(outcomes) {
                        // Whoever asked may have gone; the events are stored all the same.
                        let _ = job.reply.send(outcomes);
                    }
                }
                Err(error) => {
                    certain = false;
                    let error = Arc::new(error);
                    tracing::error!(%error, "nothing can be written");
                    self.progress.set_problem(Some(error.clone()));
                    refuse(round, &error);
                }
            }
        }
    }

    fn commit(&mut self, round: &mut [Job]) -> Result<Vec<Vec<Outcome>>, StoreError> {
        let mut pending = Pending::new(&self.network, &self.reader, self.heads.clone());
        let mut all = Vec::with_capacity(round.len());
        for job in round.iter_mut() {
            let mut outcomes = Vec::with_capacity(job.events.len());
            for event in std::mem::take(&mut job.events) {
                outcomes.push(match event {
                    Checked::Verified(event) => pending.take(event, &job.origin)?,
                    Checked::Settled(outcome) => outcome,
                });
            }
            all.push(outcomes);
        }
        let stored = pending.len();
        let (batch, heads, events) = pending.finish()?;
        if !batch.is_empty() {
            batch.commit_synced()?;
            events.into_iter().for_each(|event| self.reader.remember(event));
            self.heads = heads;
            self.progress.held.send_replace(self.heads.held.all());
            self.progress.size.send_replace(self.heads.frontier.size());
            tracing::debug!(stored, size = self.heads.frontier.size(), "appended");
        }
        Ok(all)
    }
}

fn refuse(round: Vec<Job>, error: &Arc<StoreError>) {
    for job in round {
        let count = job.events.len();
        let _ = job.reply.send(vec![Outcome::Unavailable(error.clone()); count.max(1)]);
    }
}
