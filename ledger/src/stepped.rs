//! A ledger that takes a step only when it is told to: the same writer and the same followers without any thread,
//! for simulations that decide themselves what happens when.

use crate::follower::{FollowerStatus, Runner};
use crate::ledger::{Ledger, LedgerOptions, OpenError, Parts, check_some};
use crate::outcome::{Origin, Outcome};
use crate::writer::{Job, Writer};
use provenance::network::Network;
use provenance::signature::Verifier;
use store::Store;
use tokio::sync::oneshot;

/// An open ledger, of which nothing happens by itself.
pub struct SteppedLedger {
    ledger: Ledger,
    writer: Writer,
    followers: Vec<Runner>,
    verifier: Verifier,
}

impl std::fmt::Debug for SteppedLedger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SteppedLedger").field(&self.ledger).finish()
    }
}

impl SteppedLedger {
    /// Opens or makes the ledger in a store, as [`Ledger::open`] does. `options.store` was for opening the store.
    pub fn open(store: Store, network: Network, options: LedgerOptions) -> Result<Self, OpenError> {
        let Parts { ledger, writer, followers } = Ledger::assemble(store, network, options)?;
        Ok(Self { ledger, writer, followers, verifier: Verifier::new() })
    }

    /// The ledger as the rest of a node sees it. Whoever hands events to it, or waits for a follower, waits for ever
    /// or hears that it is closed: that is what the steps are for.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// One step of the writer: all jobs, each of some events from one origin, become one batch. Answers each event, in
    /// their order. After a failed commit it tries the disk first.
    pub fn write(&mut self, jobs: Vec<(Vec<Vec<u8>>, Origin)>) -> Vec<Vec<Outcome>> {
        let mut answers = Vec::with_capacity(jobs.len());
        let mut round = Vec::with_capacity(jobs.len());
        for (events, origin) in jobs {
            let count = events.len();
            let (reply, answer) = oneshot::channel();
            round.push(Job { events: check_some(events, &mut self.verifier), count, origin, reply, room: None });
            answers.push(answer);
        }
        self.writer.step(round);
        answers.into_iter().map(|mut answer| answer.try_recv().expect("the writer answers every job")).collect()
    }

    /// Every follower, the state map last.
    pub fn followers(&self) -> Vec<FollowerStatus> {
        self.followers.iter().map(|follower| follower.running().status()).collect()
    }

    /// One step of a follower, by its place among [`followers`](Self::followers); false if it failed, and the status
    /// says why. A step of the state map is a cut.
    pub fn follow(&mut self, follower: usize) -> bool {
        self.followers.get(follower).is_some_and(Runner::step)
    }
}
