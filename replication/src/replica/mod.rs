//! The machine: inputs change its state, outputs are drained.
//!
//! `remote` is what is known of one peer, with `track` for a stretch of its log and `window` for how much it is asked
//! at a time. `wanted` is the one table of events that are to come, whoever shows them. `descent` compares state maps.
//! `asking` decides what to ask next, `taking` takes what was answered, and `writing` what became of batches.

mod asking;
mod descent;
mod pace;
mod remote;
mod taking;
#[cfg(test)]
mod tests;
mod track;
mod wanted;
mod window;
mod writing;

use crate::holdings::Holdings;
use crate::limits::{FAR, MAX_FOLLOWED};
use crate::progress::Progress;
use asking::Lead;
use ledger::Outcome;
use p2p::{Greeting, Misbehaviour, PeerId, Request, Response};
use provenance::id::{EventId, PublicKey};
use remote::Remote;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use store::StoreError;
use wanted::Wanted;
use writing::Written;

/// Names a request until its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Names a batch until its outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u64);

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// This node has too many requests under way; nothing was sent.
    Busy,
    /// No answer in time.
    Timeout,
    /// There is no connection any more.
    Gone,
    /// The peer chose not to answer.
    NoAnswer,
    /// The answer was malformed, or no answer to the question; the peer was penalised for it.
    Wrong,
}

/// A batch was not written: the node stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unwritten;

/// What the machine wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Ask the peer, and tell of it with [`Replica::answered`].
    Ask {
        /// For the answer.
        id: RequestId,
        /// Whom.
        peer: PeerId,
        /// What.
        request: Request,
    },
    /// Submit these events to the ledger in this order, batches one after the other in the order of their
    /// outputs, and tell of it with [`Replica::submitted`].
    Submit {
        /// For the outcomes.
        id: BatchId,
        /// From whom most of them came: against whose quota they are held. None if that peer is gone.
        source: Option<PeerId>,
        /// The events' ids and bytes; at most [`BATCH_EVENTS`](crate::limits::BATCH_EVENTS).
        events: Vec<(EventId, Vec<u8>)>,
    },
    /// The peer misbehaved.
    Penalise {
        /// Who.
        peer: PeerId,
        /// How.
        what: Misbehaviour,
        /// Told in the log, after "a peer".
        why: &'static str,
    },
}

/// How long nothing is read after the disk failed.
const TROUBLE_MS: u64 = 1_000;

/// Decides what to ask whom, and when.
#[derive(Debug)]
pub struct Replica<H> {
    holdings: H,
    network: EventId,
    log: PublicKey,
    program: String,
    peers: BTreeMap<PeerId, Remote>,
    /// Connected peers for whom there is no place.
    waiting: BTreeSet<PeerId>,
    lead: Option<Lead>,
    wanted: Wanted,
    /// Requests without answer; a few for each peer.
    asked: BTreeMap<RequestId, Asked>,
    /// Batches that are being written.
    batches: BTreeMap<BatchId, Written>,
    next_request: u64,
    next_batch: u64,
    outputs: VecDeque<Output>,
    now_ms: u64,
    /// Until when the disk is left alone, and the pause after the next failure.
    unwritable_until_ms: u64,
    unwritable_pause_ms: u64,
    unreadable_until_ms: u64,
    /// Unread entries beyond which state maps are compared first.
    far: u64,
}

/// A request that waits for its answer.
#[derive(Debug)]
struct Asked {
    peer: PeerId,
    at_ms: u64,
    what: Question,
}

/// What a request is about.
#[derive(Debug)]
enum Question {
    Hello,
    Page {
        skipped: bool,
        /// How many ids it brings at most.
        most: usize,
    },
    Bodies {
        ids: Vec<EventId>,
        /// Others are asked for the same already.
        is_slow: bool,
    },
    State,
    Map,
}

impl<H: Holdings> Replica<H> {
    /// A machine that knows no peer yet. `log` is the key of this node's own log, `program` its name and version.
    pub fn new(holdings: H, log: PublicKey, program: &str) -> Self {
        Self {
            network: holdings.network(),
            holdings,
            log,
            program: program.to_owned(),
            peers: BTreeMap::new(),
            waiting: BTreeSet::new(),
            lead: None,
            wanted: Wanted::default(),
            asked: BTreeMap::new(),
            batches: BTreeMap::new(),
            next_request: 0,
            next_batch: 0,
            outputs: VecDeque::new(),
            now_ms: 0,
            unwritable_until_ms: 0,
            unwritable_pause_ms: 0,
            unreadable_until_ms: 0,
            far: FAR,
        }
    }

    /// State maps are compared where more than so many entries are unread, instead of [`FAR`]: small worlds have few.
    #[must_use]
    pub fn comparing_beyond(self, entries: u64) -> Self {
        Self { far: entries, ..self }
    }

    /// How this node greets now.
    pub fn greeting(&self) -> Greeting {
        Greeting { log: self.log, log_size: self.holdings.size(), program: self.program.clone() }
    }

    /// The key of the log that this peer has greeted with, and that is read from it now.
    pub fn log_of(&self, peer: &PeerId) -> Option<PublicKey> {
        self.peers.get(peer)?.log.as_ref().map(|log| log.key)
    }

    /// A peer is connected.
    pub fn connected(&mut self, peer: PeerId, now_ms: u64) {
        self.disconnected(&peer, now_ms);
        self.waiting.insert(peer);
        self.give_places();
        self.go_on();
    }

    /// A peer is gone. Answers to what it was asked need not be told.
    pub fn disconnected(&mut self, peer: &PeerId, now_ms: u64) {
        self.at(now_ms);
        self.waiting.remove(peer);
        let Some(mut remote) = self.peers.remove(peer) else { return };
        self.save(peer, &mut remote);
        self.wanted.gone(remote.place);
        let ended: Vec<RequestId> =
            self.asked.iter().filter(|(_, asked)| asked.peer == *peer).map(|(id, _)| *id).collect();
        for id in ended {
            if let Some(Asked { what: Question::Bodies { ids, .. }, .. }) = self.asked.remove(&id) {
                self.wanted.back(&ids, id, None, self.now_ms);
            }
        }
        self.give_places();
        self.go_on();
    }

    /// A peer has greeted this node: its log may have grown.
    pub fn greeted(&mut self, peer: &PeerId, greeting: &Greeting, now_ms: u64) {
        self.at(now_ms);
        let Some(remote) = self.peers.get_mut(peer) else { return };
        match &mut remote.log {
            Some(log) if log.key == greeting.log => log.main.end = log.main.end.max(greeting.log_size),
            _ => remote.greet_soon(self.now_ms),
        }
        self.go_on();
    }

    /// Something that came from the peer rests on what stands in its log: have it looked at soon.
    pub fn wake(&mut self, peer: &PeerId, now_ms: u64) {
        self.at(now_ms);
        let Some(remote) = self.peers.get_mut(peer) else { return };
        remote.greet_soon(self.now_ms);
        self.go_on();
    }

    /// A request was answered, or was not.
    pub fn answered(&mut self, id: RequestId, answer: Result<Response, Failure>, now_ms: u64) {
        self.at(now_ms);
        self.take_answer(id, answer);
        self.go_on();
    }

    /// What became of a batch: one outcome for each event, or it was not written at all.
    pub fn submitted(&mut self, id: BatchId, outcomes: Result<Vec<Outcome>, Unwritten>, now_ms: u64) {
        self.at(now_ms);
        self.take_outcomes(id, outcomes);
        self.go_on();
    }

    /// Time has passed. To be called at [`Replica::next_tick_ms`] at the latest; earlier does no harm.
    pub fn tick(&mut self, now_ms: u64) {
        self.at(now_ms);
        self.give_up_waiting();
        self.wanted.resume(self.now_ms);
        for remote in self.peers.values_mut() {
            remote.measure(self.now_ms);
        }
        self.go_on();
    }

    /// When time alone will have something to do.
    pub fn next_tick_ms(&self) -> u64 {
        let look_again_ms = self.now_ms.saturating_add(BUSY_TICK_MS);
        // What is due already and was not asked waits for an answer, or for its turn: not for this very moment.
        let due =
            |remote: &Remote| Some(remote.hello_due_ms.max(remote.resting_until_ms)).filter(|due| *due > self.now_ms);
        let hello = self.peers.values().map(|remote| due(remote).unwrap_or(look_again_ms)).min();
        let is_busy = !self.asked.is_empty()
            || !self.wanted.is_empty()
            || self.peers.values().any(|remote| remote.log.as_ref().is_some_and(|log| !log.is_done()));
        let soon = if is_busy { look_again_ms } else { u64::MAX };
        hello.unwrap_or(u64::MAX).min(soon)
    }

    /// The next thing to be done; to be drained after every input.
    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// How far the logs of the connected peers were read.
    pub fn progress(&self) -> Vec<Progress> {
        self.peers.iter().filter_map(|(peer, remote)| Some(remote.log.as_ref()?.progress(*peer))).collect()
    }

    /// The ledger.
    pub fn holdings(&self) -> &H {
        &self.holdings
    }

    /// The clock never goes back for the machine.
    fn at(&mut self, now_ms: u64) {
        self.now_ms = self.now_ms.max(now_ms);
    }

    /// Does all that can be done now.
    fn go_on(&mut self) {
        self.pass();
        self.ask();
        self.write();
    }

    fn give_places(&mut self) {
        while self.peers.len() < MAX_FOLLOWED
            && let Some(peer) = self.waiting.pop_first()
        {
            let taken: BTreeSet<u8> = self.peers.values().map(|remote| remote.place).collect();
            let place = (0..64).find(|place| !taken.contains(place)).expect("there are fewer peers than places");
            self.peers.insert(peer, Remote::new(place, self.now_ms));
        }
    }

    fn penalise(&mut self, peer: PeerId, what: Misbehaviour, why: &'static str) {
        self.outputs.push_back(Output::Penalise { peer, what, why });
    }

    /// The disk cannot be read, or a cursor not be kept.
    fn unreadable(&mut self, error: &StoreError) {
        tracing::warn!(%error, "catching up pauses");
        self.unreadable_until_ms = self.now_ms.saturating_add(TROUBLE_MS);
    }
}

/// How often time is looked at while something is under way: what is slow is noticed within this time.
const BUSY_TICK_MS: u64 = 100;
