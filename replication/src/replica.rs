//! The machine: inputs change its state, outputs are drained.

use crate::holdings::Holdings;
use crate::progress::Progress;
use ledger::Outcome;
use p2p::{Greeting, Misbehaviour, PeerId, Request, Response};
use provenance::id::{EventId, PublicKey};
use std::collections::VecDeque;

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

/// Why a batch was not written: the disk is full, or the node stops.
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
        /// From whom most of them came: against whose quota they are held.
        source: PeerId,
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

/// Decides what to ask whom, and when.
#[derive(Debug)]
pub struct Replica<H> {
    holdings: H,
    own: Greeting,
    outputs: VecDeque<Output>,
}

impl<H: Holdings> Replica<H> {
    /// A machine that knows no peer yet. `log` is the key of this node's own log, `program` its name and version.
    pub fn new(holdings: H, log: PublicKey, program: &str) -> Self {
        let own = Greeting { log, log_size: holdings.size(), program: program.to_owned() };
        Self { holdings, own, outputs: VecDeque::new() }
    }

    /// How this node greets now.
    pub fn greeting(&self) -> Greeting {
        Greeting { log_size: self.holdings.size(), ..self.own.clone() }
    }

    /// A peer is connected.
    pub fn connected(&mut self, peer: PeerId, now_ms: u64) {
        let _ = (peer, now_ms);
    }

    /// A peer is gone. Answers to what it was asked need not be told.
    pub fn disconnected(&mut self, peer: &PeerId, now_ms: u64) {
        let _ = (peer, now_ms);
    }

    /// A peer has greeted this node: its log may have grown.
    pub fn greeted(&mut self, peer: &PeerId, greeting: &Greeting, now_ms: u64) {
        let _ = (peer, greeting, now_ms);
    }

    /// Something that came from the peer rests on what stands in its log: have it looked at soon.
    pub fn wake(&mut self, peer: &PeerId, now_ms: u64) {
        let _ = (peer, now_ms);
    }

    /// A request was answered, or was not.
    pub fn answered(&mut self, id: RequestId, answer: Result<Response, Failure>, now_ms: u64) {
        let _ = (id, answer, now_ms);
    }

    /// What became of a batch: one outcome for each event, or it was not written at all.
    pub fn submitted(&mut self, id: BatchId, outcomes: Result<Vec<Outcome>, Unwritten>, now_ms: u64) {
        let _ = (id, outcomes, now_ms);
    }

    /// Time has passed. To be called at [`Replica::next_tick_ms`] at the latest; earlier does no harm.
    pub fn tick(&mut self, now_ms: u64) {
        let _ = now_ms;
    }

    /// When time alone will have something to do.
    pub fn next_tick_ms(&self) -> u64 {
        u64::MAX
    }

    /// The next thing to be done; to be drained after every input.
    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// How far the logs of the connected peers were read.
    pub fn progress(&self) -> Vec<Progress> {
        Vec::new()
    }

    /// The ledger.
    pub fn holdings(&self) -> &H {
        &self.holdings
    }
}
