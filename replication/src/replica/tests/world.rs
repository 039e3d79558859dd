//! A world without sockets: ledgers in memory, peers that behave as a script says, and a clock that jumps.

use crate::holdings::{Holdings, Known, StateRoot};
use crate::replica::{BatchId, Failure, Output, Replica, RequestId};
use crate::{Cursor, Skipped};
use ledger::{Outcome, Refusal};
use p2p::message::{MAX_RECENT, Request, Response};
use p2p::{Greeting, IdentitySeed, MapRoot, Misbehaviour, PeerId};
use provenance::admission::{Hold, Reject, Rule};
use provenance::id::{EventId, NetworkId, PublicKey, SubjectId};
use provenance::merkle::Hash;
use provenance::state_map::{EMPTY, Page, PageKey, Pages, RootRef, update};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::rc::Rc;
use store::StoreError;

pub const NETWORK: EventId = EventId::from_bytes([0xee; 32]);

/// What the ledger says of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Good = 0,
    /// A void link of a journal: kept where something rests on it, and in no log.
    Void = 1,
    /// Of a newer program; there is no room for it.
    TooNew = 2,
    /// No event of this network.
    Invalid = 3,
}

/// An event: its kind, its subject, a number, and what it rests on.
pub fn event(kind: Kind, subject: u16, number: u64, ancestors: &[EventId]) -> Vec<u8> {
    let mut bytes = vec![kind as u8];
    bytes.extend(subject.to_be_bytes());
    bytes.extend(number.to_be_bytes());
    for id in ancestors {
        bytes.extend(id.as_bytes());
    }
    bytes
}

/// A chain of good events of so many subjects, each resting on the one before it.
pub fn chain(count: u64, subjects: u16, salt: u64) -> Vec<Vec<u8>> {
    let mut last = NETWORK;
    let mut events = Vec::new();
    for number in 0..count {
        let subject = u16::try_from(number % u64::from(subjects)).unwrap();
        let bytes = event(Kind::Good, subject, salt << 32 | number, &[last]);
        last = EventId::of(&bytes);
        events.push(bytes);
    }
    events
}

fn subject_of(bytes: &[u8]) -> SubjectId {
    SubjectId::from_bytes(*EventId::of(&bytes[1..3]).as_bytes())
}

fn ancestors_of(bytes: &[u8]) -> Vec<EventId> {
    bytes[11..].chunks_exact(32).map(|id| EventId::from_bytes(id.try_into().unwrap())).collect()
}

/// A ledger in memory. Clones share it, as clones of a real one do.
#[derive(Debug, Clone)]
pub struct Memory(pub Rc<RefCell<Inner>>);

#[derive(Debug, Default)]
pub struct Inner {
    pub log: Vec<EventId>,
    pub bodies: HashMap<EventId, Vec<u8>>,
    held: BTreeMap<EventId, Vec<u8>>,
    pub cursors: BTreeMap<PeerId, (PublicKey, Cursor)>,
    pages: BTreeMap<PageKey, Page>,
    states: BTreeMap<SubjectId, Hash>,
    of_subject: BTreeMap<SubjectId, Vec<(u64, EventId)>>,
    root: Option<StateRoot>,
    /// Nothing can be read or written.
    pub is_full: bool,
    /// The program knows what is too new by now.
    pub is_upgraded: bool,
    pub held_ever: u64,
    /// Keys of logs that contradict themselves.
    pub contradicting: BTreeSet<PublicKey>,
}

impl Pages for Inner {
    type Error = Infallible;

    fn page(&self, key: &PageKey) -> Result<Option<Page>, Infallible> {
        Ok(self.pages.get(key).cloned())
    }
}

impl Memory {
    pub fn new() -> Self {
        Self(Rc::new(RefCell::new(Inner { log: vec![NETWORK], ..Inner::default() })))
    }

    pub fn with(events: &[Vec<u8>]) -> Self {
        let memory = Self::new();
        for bytes in events {
            assert!(matches!(memory.submit(bytes), Outcome::Admitted { .. } | Outcome::Void { .. }));
        }
        memory.cut();
        memory
    }

    pub fn submit(&self, bytes: &[u8]) -> Outcome {
        let id = EventId::of(bytes);
        let mut inner = self.0.borrow_mut();
        if inner.is_full {
            return Outcome::Unavailable(StoreError::Io("full".to_owned()).into());
        }
        if inner.bodies.contains_key(&id) {
            return Outcome::Known { id, index: (bytes[0] != Kind::Void as u8).then_some(0) };
        }
        let outcome = inner.judge(bytes);
        if matches!(outcome, Outcome::Held { kept: true, .. }) {
            inner.held_ever += 1;
            inner.held.insert(id, bytes.to_vec());
        }
        loop {
            let ready = inner.held.iter().find(|(_, bytes)| !matches!(inner.missing(bytes)[..], [_, ..]));
            let Some((id, bytes)) = ready.map(|(id, bytes)| (*id, bytes.clone())) else { break };
            inner.held.remove(&id);
            inner.judge(&bytes);
        }
        outcome
    }

    /// Cuts the state map for the log as it is.
    pub fn cut(&self) {
        let mut inner = self.0.borrow_mut();
        let changes = inner.states.iter().map(|(subject, value)| (*subject, Some(*value))).collect();
        let size = inner.log.len() as u64;
        let before = inner.root.filter(|root| root.size < size).and_then(|root| root.root);
        if inner.root.is_some_and(|root| root.size == size) {
            return;
        }
        let update = update(before, &changes, size, &*inner).unwrap();
        inner.pages.extend(update.written.clone());
        inner.root = Some(StateRoot { size, root: update.root });
    }

    pub fn set(&self) -> BTreeSet<EventId> {
        self.0.borrow().bodies.keys().copied().collect()
    }

    pub fn len(&self) -> u64 {
        self.0.borrow().log.len() as u64
    }
}

impl Inner {
    fn missing(&self, bytes: &[u8]) -> Vec<EventId> {
        ancestors_of(bytes).into_iter().filter(|id| *id != NETWORK && !self.bodies.contains_key(id)).collect()
    }

    fn judge(&mut self, bytes: &[u8]) -> Outcome {
        let id = EventId::of(bytes);
        if bytes[0] == Kind::Invalid as u8 {
            let (found, expected) = (NetworkId::from_bytes([1; 32]), NetworkId::from_bytes([2; 32]));
            return Outcome::Rejected(Refusal::Network(Reject::Network { found, expected }));
        }
        if bytes[0] == Kind::TooNew as u8 && !self.is_upgraded {
            return Outcome::Held { id, hold: Hold::Unsupported("it".to_owned()), kept: false };
        }
        let missing = self.missing(bytes);
        if !missing.is_empty() {
            return Outcome::Held { id, hold: Hold::Missing(missing), kept: true };
        }
        self.bodies.insert(id, bytes.to_vec());
        if bytes[0] == Kind::Void as u8 {
            return Outcome::Void { id, rule: Rule::Prev };
        }
        let index = self.log.len() as u64;
        self.log.push(id);
        let subject = subject_of(bytes);
        self.of_subject.entry(subject).or_default().push((index, id));
        // The same for the same set of events, in whatever order they came.
        let state = self.states.entry(subject).or_insert(EMPTY);
        state.iter_mut().zip(id.as_bytes()).for_each(|(state, byte)| *state ^= byte);
        Outcome::Admitted { id, index }
    }
}

impl Holdings for Memory {
    fn network(&self) -> EventId {
        NETWORK
    }

    fn size(&self) -> u64 {
        self.len()
    }

    fn known(&self, ids: &[EventId]) -> Result<Vec<Known>, StoreError> {
        let inner = self.0.borrow();
        let known = |id: &EventId| {
            if *id == NETWORK || inner.bodies.contains_key(id) { Known::Judged } else { Known::No }
        };
        Ok(ids.iter().map(known).collect())
    }

    fn state_root(&self) -> Result<Option<StateRoot>, StoreError> {
        self.cut();
        Ok(self.0.borrow().root)
    }

    fn map_page(&self, key: &PageKey) -> Result<Option<Page>, StoreError> {
        Ok(self.0.borrow().pages.get(key).cloned())
    }

    fn contradicts_itself(&self, log: &PublicKey) -> Result<bool, StoreError> {
        Ok(self.0.borrow().contradicting.contains(log))
    }

    fn load_cursor(&self, peer: &PeerId, log: &PublicKey) -> Result<Cursor, StoreError> {
        let inner = self.0.borrow();
        let kept = inner.cursors.get(peer).filter(|(key, _)| key == log);
        Ok(kept.map(|(_, cursor)| cursor.clone()).unwrap_or_default())
    }

    fn save_cursor(&self, peer: &PeerId, log: &PublicKey, cursor: &Cursor) -> Result<(), StoreError> {
        let mut inner = self.0.borrow_mut();
        if inner.is_full {
            return Err(StoreError::Io("full".to_owned()));
        }
        // What the machine promises: nothing before the cursor is lost.
        inner.cursors.insert(*peer, (*log, cursor.clone()));
        Ok(())
    }
}

/// How a peer behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Honest,
    /// Takes longer by so many milliseconds, for events only.
    SlowBodies(u64),
    /// Gives no answer about events.
    NoBodies,
    /// Answers with no event at all.
    EmptyBodies,
    /// Sends other events than asked for.
    WrongBodies,
    /// Says that it does not have what it named.
    Denies,
    /// Sends pages without ids.
    EmptyPages,
    /// Names ids that nobody has.
    MadeUpIds,
    /// Knows nothing of state maps, and says so.
    Older,
    /// Knows nothing of state maps, and gives no answer.
    MuchOlder,
    /// Sends pages of another map.
    WrongMap,
    /// Has a log without an end, that names what it has again and again.
    Circles,
    /// Says that its map covers as many entries as a number can say.
    Endless,
    /// Greets with a new key each time, and names ids that nobody has.
    ManyKeys,
    /// Grows and shrinks with each greeting, and names ids that nobody has.
    Shrinks,
}

pub struct Peer {
    pub id: PeerId,
    pub log: PublicKey,
    pub memory: Memory,
    pub manner: Manner,
    /// Requests that it was asked, by what they were about, with how many ids each.
    pub asked: Vec<Request>,
}

/// The replica under test, its peers, and what is on its way.
pub struct World {
    pub own: Memory,
    pub replica: Replica<Memory>,
    pub peers: Vec<Peer>,
    pub now_ms: u64,
    coming: BTreeMap<(u64, u64), Coming>,
    number: u64,
    pub penalties: Vec<(PeerId, Misbehaviour)>,
    /// Most events in one batch.
    pub largest_batch: usize,
    /// How long the ledger takes for a batch.
    pub write_ms: u64,
    /// How long it takes until a request without an answer has failed.
    pub silence_ms: u64,
    /// Whether what is on the disk at the start is true.
    pub trusts_cursors: bool,
    drained: u64,
    /// Draws delays and failures; none where everything takes as long as it takes.
    pub chance: Option<u64>,
    under_way: BTreeMap<EventId, u32>,
    /// Whether an event was ever asked for twice at a time.
    pub doubled: bool,
}

#[derive(Debug)]
enum Coming {
    Answer(RequestId, Result<Response, Failure>),
    Write(BatchId, Vec<(EventId, Vec<u8>)>),
    Outcomes(BatchId, Vec<Outcome>),
}

const OWN_LOG: PublicKey = PublicKey::from_bytes([0xaa; 32]);

pub fn peer_id(number: u8) -> PeerId {
    IdentitySeed::from([number; 32]).peer_id()
}

pub fn log_key(number: u8) -> PublicKey {
    PublicKey::from_bytes([number; 32])
}

impl World {
    pub fn new(own: Memory) -> Self {
        Self {
            replica: Replica::new(own.clone(), OWN_LOG, "test/1"),
            own,
            peers: Vec::new(),
            now_ms: 1_000,
            coming: BTreeMap::new(),
            number: 0,
            penalties: Vec::new(),
            largest_batch: 0,
            write_ms: 2,
            silence_ms: 20,
            trusts_cursors: true,
            drained: 0,
            chance: None,
            under_way: BTreeMap::new(),
            doubled: false,
        }
    }

    pub fn peer(self, number: u8, memory: &Memory, manner: Manner) -> Self {
        self.peer_with_log(number, log_key(number), memory, manner)
    }

    /// A peer that greets with any key.
    pub fn peer_with_log(mut self, number: u8, log: PublicKey, memory: &Memory, manner: Manner) -> Self {
        let id = peer_id(number);
        self.peers.push(Peer { id, log, memory: memory.clone(), manner, asked: Vec::new() });
        self.replica.connected(id, self.now_ms);
        self.drain();
        self
    }

    /// The process ends and starts again: what is on the disk stays, nothing else.
    pub fn crash(&mut self) {
        self.coming.clear();
        self.under_way.clear();
        self.replica = Replica::new(self.own.clone(), OWN_LOG, "test/1");
        let ids: Vec<PeerId> = self.peers.iter().map(|peer| peer.id).collect();
        for id in ids {
            self.replica.connected(id, self.now_ms);
        }
        self.drain();
    }

    pub fn disconnect(&mut self, at: usize) {
        let id = self.peers[at].id;
        self.replica.disconnected(&id, self.now_ms);
        self.drain();
    }

    pub fn connect(&mut self, at: usize) {
        let id = self.peers[at].id;
        self.replica.connected(id, self.now_ms);
        self.drain();
    }

    /// Runs for so long, or until `done`. Gives whether it was.
    pub fn run(&mut self, for_ms: u64, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now_ms + for_ms;
        while self.now_ms < end {
            if done(self) {
                return true;
            }
            let next = self.coming.first_key_value().map_or(u64::MAX, |((at, _), _)| *at);
            let tick = self.replica.next_tick_ms().max(self.now_ms + 1);
            self.now_ms = next.max(self.now_ms).min(tick).min(end);
            match self.coming.first_entry().filter(|entry| entry.key().0 <= self.now_ms) {
                Some(entry) => {
                    let coming = entry.remove();
                    self.take(coming);
                }
                None => self.replica.tick(self.now_ms),
            }
            self.drain();
        }
        done(self)
    }

    /// Everything that the peers have is here.
    pub fn has_all(&self) -> bool {
        let own = self.own.0.borrow();
        let is_here = |id: &EventId| own.bodies.contains_key(id);
        let has = |peer: &Peer| {
            let theirs = peer.memory.0.borrow();
            // The last one comes last, so almost always it tells.
            theirs.log[1..].last().is_none_or(is_here) && theirs.log[1..].iter().all(is_here)
        };
        self.peers.iter().all(has)
    }

    pub fn cursor(&self, at: usize) -> Cursor {
        self.own.load_cursor(&self.peers[at].id, &self.peers[at].log).unwrap()
    }

    /// Everything that the peers have is here, and every cursor is at its log's end with nothing left to read.
    pub fn is_even(&self) -> bool {
        let at_end = |at| {
            let cursor = self.cursor(at);
            cursor.next == self.peers[at].memory.len() && cursor.skipped.is_none()
        };
        (0..self.peers.len()).all(at_end) && self.has_all()
    }

    fn take(&mut self, coming: Coming) {
        match coming {
            Coming::Answer(id, answer) => self.replica.answered(id, answer, self.now_ms),
            Coming::Write(id, events) => {
                let outcomes = events.iter().map(|(_, bytes)| self.own.submit(bytes)).collect();
                self.later(self.write_ms, Coming::Outcomes(id, outcomes));
            }
            Coming::Outcomes(id, outcomes) => self.replica.submitted(id, Ok(outcomes), self.now_ms),
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.replica.next_output() {
            match output {
                Output::Ask { id, peer, request } => self.ask(id, peer, request),
                Output::Submit { id, events, .. } => {
                    self.largest_batch = self.largest_batch.max(events.len());
                    for (id, bytes) in &events {
                        assert_eq!(EventId::of(bytes), *id);
                    }
                    self.later(1, Coming::Write(id, events));
                }
                Output::Penalise { peer, what, .. } => self.penalties.push((peer, what)),
            }
        }
        self.drained += 1;
        if self.trusts_cursors && self.drained.is_multiple_of(97) {
            (0..self.peers.len()).for_each(|at| self.check_cursor(at));
        }
    }

    /// A cursor says only what is so: everything before it is here, is a gap, or is still to be read.
    pub fn check_cursor(&self, at: usize) {
        let (own, cursor) = (self.own.0.borrow(), self.cursor(at));
        let skipped = cursor.skipped.unwrap_or(Skipped { next: 0, last: None, end: 0 });
        for (index, id) in (0..cursor.next).zip(&self.peers[at].memory.0.borrow().log) {
            let is_here = *id == NETWORK || own.bodies.contains_key(id);
            let is_open = cursor.gaps.contains(id) || (skipped.next..skipped.end).contains(&index);
            assert!(is_here || is_open, "entry {index} is lost behind the cursor");
        }
    }

    fn ask(&mut self, id: RequestId, peer: PeerId, request: Request) {
        assert_eq!(request.check(), Ok(()));
        let at = self.peers.iter().position(|other| other.id == peer).expect("it is connected");
        let manner = self.peers[at].manner;
        let mut delay = 20;
        if let Request::Bodies { ids } = &request {
            for id in ids {
                let count = self.under_way.entry(*id).or_default();
                *count += 1;
                self.doubled |= *count > 1;
            }
            if let Manner::SlowBodies(ms) = manner {
                delay += ms;
            }
        }
        let mut answer = self.peers[at].answer(&request);
        if answer.is_err() {
            delay = self.silence_ms;
        }
        self.peers[at].asked.push(request);
        if let Some(draw) = self.draw(100) {
            delay = self.draw(3_000).unwrap_or(delay);
            match draw {
                0..5 => answer = Err(Failure::Timeout),
                5..9 => answer = Err(Failure::Busy),
                9..12 => answer = Err(Failure::NoAnswer),
                12..15 => answer = Err(Failure::Gone),
                _ => {}
            }
        }
        self.later(delay, Coming::Answer(id, answer));
    }

    /// A number below `below`, where chance rules.
    pub fn draw(&mut self, below: u64) -> Option<u64> {
        let state = self.chance.as_mut()?;
        // xorshift64: quick, and repeats from its seed.
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        Some(*state % below)
    }

    fn later(&mut self, delay_ms: u64, coming: Coming) {
        // Batches are written one after the other.
        self.number += 1;
        self.coming.insert((self.now_ms + delay_ms, self.number), coming);
    }

    /// Where asked for once more, it is no copy: the peer was slow.
    pub fn forget_under_way(&mut self) {
        self.under_way.clear();
    }
}

impl Peer {
    pub fn pages_asked(&self) -> usize {
        self.asked.iter().filter(|request| matches!(request, Request::LogPage { .. })).count()
    }

    pub fn bodies_asked(&self) -> usize {
        let bodies = |request: &Request| if let Request::Bodies { ids } = request { ids.len() } else { 0 };
        self.asked.iter().map(bodies).sum()
    }

    fn answer(&self, request: &Request) -> Result<Response, Failure> {
        let inner = self.memory.0.borrow();
        let log_size = inner.log.len() as u64;
        let older = matches!(self.manner, Manner::Older | Manner::MuchOlder);
        Ok(match request {
            Request::Hello(_) if matches!(self.manner, Manner::ManyKeys | Manner::Shrinks) => {
                let number = u8::try_from(self.asked.len() % 200).unwrap();
                let log = if self.manner == Manner::ManyKeys { log_key(number) } else { self.log };
                let log_size = 30_000 + u64::from(number % 2);
                Response::Hello(Greeting { log, log_size, program: "peer/1".to_owned() })
            }
            Request::LogPage { from, max } if matches!(self.manner, Manner::ManyKeys | Manner::Shrinks) => {
                let salt = self.asked.len() as u64;
                let made_up = |index| {
                    let bytes = [&self.log.as_bytes()[..], &u64::to_be_bytes(salt), &u64::to_be_bytes(index)].concat();
                    if index == 0 { NETWORK } else { EventId::of(&bytes) }
                };
                Response::LogPage { log_size: 30_000, ids: (*from..).map(made_up).take(*max as usize).collect() }
            }
            Request::Hello(_) if self.manner == Manner::Circles => {
                Response::Hello(Greeting { log: self.log, log_size: 1 << 40, program: "peer/1".to_owned() })
            }
            Request::LogPage { from, max } if self.manner == Manner::Circles => {
                let ids = &inner.log[1..];
                let around = |index: u64| match index {
                    0 => NETWORK,
                    index => ids[usize::try_from((index - 1) % ids.len() as u64).unwrap()],
                };
                Response::LogPage { log_size: 1 << 40, ids: (*from..).map(around).take(*max as usize).collect() }
            }
            Request::LogPage { from, max } if self.manner == Manner::Endless => {
                let ids = (0..u64::from(*max)).map(|at| EventId::of(&from.saturating_add(at).to_be_bytes()));
                Response::LogPage { log_size: u64::MAX, ids: ids.collect() }
            }
            Request::Hello(_) => Response::Hello(Greeting { log: self.log, log_size, program: "peer/1".to_owned() }),
            Request::LogPage { .. } if self.manner == Manner::EmptyPages => Response::LogPage { log_size, ids: vec![] },
            Request::LogPage { from, max } if self.manner == Manner::MadeUpIds => {
                let made_up = |index: u64| if index == 0 { NETWORK } else { EventId::of(&index.to_be_bytes()) };
                Response::LogPage { log_size: 1 << 40, ids: (*from..).map(made_up).take(*max as usize).collect() }
            }
            Request::LogPage { from, max } => {
                let from = usize::try_from(*from).unwrap();
                Response::LogPage { log_size, ids: inner.log.iter().skip(from).take(*max as usize).copied().collect() }
            }
            Request::Bodies { ids } => match self.manner {
                Manner::NoBodies => return Err(Failure::NoAnswer),
                Manner::EmptyBodies => Response::Bodies { bodies: vec![] },
                Manner::WrongBodies => Response::Bodies { bodies: vec![Some(vec![1, 2, 3]); ids.len()] },
                Manner::Denies => Response::Bodies { bodies: vec![None; ids.len()] },
                _ => Response::fitting(ids.iter().map(|id| inner.bodies.get(id).cloned())),
            },
            _ if self.manner == Manner::MuchOlder => return Err(Failure::NoAnswer),
            _ if older => Response::Unsupported { kind: 6 },
            Request::State => {
                drop(inner);
                self.memory.cut();
                let root = self.memory.0.borrow().root.map(|root| {
                    let RootRef { version, hash } = root.root.unwrap_or(RootRef { version: 0, hash: EMPTY });
                    let size = if self.manner == Manner::Endless { u64::MAX - 1 } else { root.size };
                    MapRoot { size, version, hash }
                });
                Response::State { root }
            }
            Request::MapPages { keys } => {
                let wrong = self.manner == Manner::WrongMap;
                let page = |key: &Vec<u8>| {
                    let page = inner.pages.get(&PageKey::from_bytes(key).unwrap())?;
                    Some(if wrong { Page::default().to_bytes() } else { page.to_bytes() })
                };
                Response::MapPages { pages: keys.iter().map(page).collect() }
            }
            Request::Recent { subjects } => {
                let recent = |subject: &SubjectId| {
                    let all = inner.of_subject.get(subject).cloned().unwrap_or_default();
                    all[all.len().saturating_sub(MAX_RECENT)..].to_vec()
                };
                Response::Recent { events: subjects.iter().map(recent).collect() }
            }
            other => panic!("the machine does not ask {other:?}"),
        })
    }
}
