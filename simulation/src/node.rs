//! A node while it runs: its ledger, the machine that catches up, and what waits to be written.

use ledger::view::Views;
use ledger::{Ledger, Origin, Outcome, SteppedLedger};
use provenance::id::{EventId, PublicKey};
use replication::{BatchId, Replica, RequestId};
use std::collections::{BTreeMap, BTreeSet};
use store::StoreError;

/// Who waits for what becomes of a job.
#[derive(Debug, Clone)]
pub(crate) enum Waiting {
    /// A signer, by number.
    Signer(usize),
    /// The network, which passes good news on; from which machine they came.
    Gossip(usize),
    /// The replica.
    Batch(BatchId),
    /// Nobody any more.
    Nobody,
}

/// Events that wait to be written.
#[derive(Debug)]
pub(crate) struct Job {
    pub events: Vec<Vec<u8>>,
    pub origin: Origin,
    pub waiting: Waiting,
}

/// What became of a job.
pub(crate) struct Written {
    pub events: Vec<Vec<u8>>,
    pub outcomes: Vec<Outcome>,
    pub waiting: Waiting,
}

/// A running node.
pub(crate) struct Node {
    pub ledger: SteppedLedger,
    pub replica: Replica<Ledger>,
    pub queue: Vec<Job>,
    /// Whether a write is noted in the agenda.
    pub is_writing: bool,
    /// Whether steps of followers are noted in the agenda.
    pub is_following: bool,
    /// When the replica's next tick is noted in the agenda.
    pub tick_ms: u64,
    /// Requests under way, with the machines that were asked.
    pub asked: BTreeMap<RequestId, usize>,
    /// Events that came from peers, which are no news to them.
    pub received: BTreeSet<EventId>,
    /// Entries that were gossiped or are no news.
    pub published: u64,
}

impl Node {
    pub fn new(ledger: SteppedLedger, log: PublicKey, far: u64) -> Self {
        let replica = Replica::new(ledger.ledger().clone(), log, "simulation").comparing_beyond(far);
        let published = ledger.ledger().size();
        Self {
            ledger,
            replica,
            queue: Vec::new(),
            is_writing: false,
            is_following: false,
            tick_ms: u64::MAX,
            asked: BTreeMap::new(),
            received: BTreeSet::new(),
            published,
        }
    }

    pub fn ledger(&self) -> &Ledger {
        self.ledger.ledger()
    }

    pub fn views(&self) -> Views {
        Views::new(self.ledger().reader().clone())
    }

    /// Writes all that waits, as one batch.
    pub fn write(&mut self) -> Vec<Written> {
        let (mut jobs, mut waiting) = (Vec::new(), Vec::new());
        for job in std::mem::take(&mut self.queue) {
            jobs.push((job.events.clone(), job.origin));
            waiting.push((job.events, job.waiting));
        }
        let outcomes = self.ledger.write(jobs);
        waiting
            .into_iter()
            .zip(outcomes)
            .map(|((events, waiting), outcomes)| Written { events, outcomes, waiting })
            .collect()
    }

    /// What was admitted lately and did not come from peers.
    pub fn news(&mut self) -> Result<Vec<Vec<u8>>, StoreError> {
        let size = self.ledger().size();
        let new = usize::try_from(size - self.published).expect("logs are short here");
        let mut ids = self.ledger().reader().log_ids(self.published, new)?;
        ids.retain(|id| !self.received.contains(id));
        let news = self.ledger().reader().bytes(&ids)?;
        self.published = size;
        Ok(news.into_iter().flatten().collect())
    }

    /// Whether a follower has something to do.
    pub fn is_behind(&self) -> bool {
        self.ledger.followers().iter().any(|follower| follower.next < self.ledger().size())
    }

    /// Has all followers read the whole log; false if one cannot.
    pub fn follow_to_the_end(&mut self) -> bool {
        for follower in 0..self.ledger.followers().len() {
            while self.ledger.followers()[follower].next < self.ledger().size() {
                if !self.ledger.follow(follower) {
                    return false;
                }
            }
        }
        true
    }
}
