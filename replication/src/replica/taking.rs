//! Taking answers: greetings, pages, comparisons, and events.

use super::descent::{Descent, Dropped};
use super::remote::{COMPARE_AGAIN_MS, Comparison, Fetching, RemoteLog};
use super::track::{BadPage, Track};
use super::{Asked, Failure, Question, Replica, RequestId};
use crate::cursor::Cursor;
use crate::holdings::{Holdings, Known, StateRoot};
use p2p::{Greeting, MapRoot, Misbehaviour, PeerId, Response};
use provenance::id::EventId;
use provenance::state_map::{EMPTY, RootRef};
use std::collections::{HashSet, VecDeque};
use store::StoreError;

/// How long to wait where this node itself has asked for too much at once.
const BUSY_PAUSE_MS: u64 = 100;

/// How long a peer is not asked for what only others have shown, after it did not have it.
const GUESS_AGAIN_MS: u64 = 30_000;

impl<H: Holdings> Replica<H> {
    /// Takes the answer to a request, or its failure.
    pub(super) fn take_answer(&mut self, id: RequestId, answer: Result<Response, Failure>) {
        let Some(Asked { peer, at_ms, what }) = self.asked.remove(&id) else { return };
        let took_ms = self.now_ms.saturating_sub(at_ms);
        match (what, answer) {
            (Question::Bodies { ids, .. }, Ok(Response::Bodies { bodies })) => {
                self.take_bodies(id, peer, &ids, bodies, took_ms);
            }
            (Question::Hello, Ok(Response::Hello(greeting))) => self.take_greeting(&peer, &greeting),
            (Question::Page { skipped, .. }, Ok(Response::LogPage { log_size, ids })) => {
                self.take_page(&peer, skipped, log_size, &ids);
            }
            (Question::State, Ok(Response::State { root })) => self.take_state(&peer, root),
            (Question::Map, Ok(Response::MapPages { pages })) => {
                self.descend(&peer, |replica, descent| descent.take_pages(&replica.holdings, pages));
            }
            (Question::Map, Ok(Response::Recent { events })) => {
                self.descend(&peer, |replica, descent| descent.take_recent(events, |ids| replica.unknown(ids)));
            }
            (what, answer) => self.take_failure(id, peer, what, answer.err().unwrap_or(Failure::NoAnswer)),
        }
    }

    fn take_failure(&mut self, id: RequestId, peer: PeerId, what: Question, failure: Failure) {
        let now_ms = self.now_ms;
        let Some(remote) = self.peers.get_mut(&peer) else { return };
        if failure == Failure::Busy {
            remote.pause(now_ms, BUSY_PAUSE_MS);
        } else {
            remote.rest(now_ms);
        }
        match what {
            Question::Hello => {
                remote.is_greeting = false;
                if failure == Failure::Busy {
                    remote.hello_due_ms = now_ms;
                }
            }
            Question::Page { skipped, .. } => {
                if let Some(track) = track(remote.log.as_mut(), skipped) {
                    track.asking = false;
                }
            }
            Question::Bodies { ids, .. } => {
                let place = remote.place;
                if failure == Failure::Busy {
                    remote.window.end(ids.len());
                } else {
                    remote.window.failed(ids.len());
                    remote.left_out(now_ms);
                    self.wanted.failed(place);
                }
                let in_vain = (failure != Failure::Busy).then_some(place);
                self.wanted.back(&ids, id, in_vain, now_ms);
            }
            // Older programs do not know what this is, and give no answer.
            Question::State if failure != Failure::Busy => remote.comparison = Comparison::Unsupported,
            Question::State => remote.comparison = Comparison::NotBefore(now_ms),
            Question::Map => remote.comparison = Comparison::NotBefore(now_ms.saturating_add(COMPARE_AGAIN_MS)),
        }
    }

    /// The peer said something that cannot be.
    pub(super) fn wrong(&mut self, peer: &PeerId, why: &'static str) {
        if let Some(remote) = self.peers.get_mut(peer) {
            remote.rest(self.now_ms);
        }
        self.penalise(*peer, Misbehaviour::WrongAnswer, why);
    }

    fn take_greeting(&mut self, peer: &PeerId, greeting: &Greeting) {
        let now_ms = self.now_ms;
        let Some(remote) = self.peers.get_mut(peer) else { return };
        remote.is_greeting = false;
        remote.did_well();
        let below = if remote.guessed_from_ms <= now_ms { greeting.log_size } else { 0 };
        self.wanted.guess(remote.place, below);
        match self.holdings.contradicts_itself(&greeting.log) {
            Ok(false) => {}
            Ok(true) => return self.forsake(peer),
            Err(error) => return self.unreadable(&error),
        }
        let Some(remote) = self.peers.get_mut(peer) else { return };
        if let Some(log) = remote.log.as_mut().filter(|log| log.key == greeting.log) {
            if greeting.log_size < log.main.passed() {
                tracing::warn!(%peer, read = log.main.passed(), size = greeting.log_size, "a peer's log became shorter");
                log.main.end = greeting.log_size;
                self.restart(peer);
            } else {
                log.main.end = greeting.log_size.max(log.main.head());
            }
            return;
        }
        let cursor = match self.holdings.load_cursor(peer, &greeting.log) {
            Ok(cursor) => cursor,
            Err(error) => return self.unreadable(&error),
        };
        if greeting.log_size < cursor.next {
            tracing::warn!(%peer, read = cursor.next, size = greeting.log_size, "a peer's log became shorter");
        }
        let (place, is_another) = (remote.place, remote.log.is_some());
        self.forget_questions(peer);
        if is_another {
            self.changed(peer);
        }
        let mut log = RemoteLog::new(greeting.log, greeting.log_size, cursor, now_ms);
        // Asks once for each connection whether what was too new can be judged by now.
        match known_of(&self.holdings, &log.gaps) {
            Ok(known) => {
                let mut known = known.into_iter();
                log.gaps.retain(|id| {
                    let is_open = known.next() == Some(Known::No);
                    if is_open {
                        // Whether others have it is not known.
                        self.wanted.note(*id, place, u64::MAX);
                    }
                    is_open
                });
            }
            Err(error) => self.unreadable(&error),
        }
        if let Some(remote) = self.peers.get_mut(peer) {
            remote.log = Some(log);
            remote.comparison = Comparison::NotBefore(now_ms);
        }
    }

    fn take_page(&mut self, peer: &PeerId, skipped: bool, log_size: u64, ids: &[EventId]) {
        let unknown = self.unknown(ids);
        let Some(remote) = self.peers.get_mut(peer) else { return };
        let place = remote.place;
        let Some(track) = track(remote.log.as_mut(), skipped) else { return };
        track.asking = false;
        let unknown: HashSet<EventId> = match unknown {
            Ok(unknown) => unknown.into_iter().collect(),
            Err(error) => return self.unreadable(&error),
        };
        match track.take(&self.network, log_size, ids) {
            Ok((index, fresh)) => {
                if !skipped {
                    track.end = log_size.max(track.head());
                }
                for (at, id) in (0_u64..).zip(fresh) {
                    if unknown.contains(&id) || self.wanted.contains(&id) {
                        self.wanted.note(id, place, index.saturating_add(at));
                    }
                }
                remote.did_well();
            }
            Err(BadPage::Wrong(why)) => self.wrong(peer, why),
            Err(BadPage::OtherLog) => {
                tracing::warn!(%peer, "a peer's log is another than before; reading it from its start");
                self.restart(peer);
            }
        }
    }

    /// What the peer has shown was of another log than it has now.
    fn changed(&mut self, peer: &PeerId) {
        let Some(remote) = self.peers.get_mut(peer) else { return };
        self.wanted.unlist_all(remote.place);
        if remote.changed(self.now_ms) {
            self.penalise(*peer, Misbehaviour::WrongAnswer, "has another log again and again");
        }
    }

    /// Does not follow the peer's log any more, as it contradicts itself. The peer goes on being asked for events that others
    /// have shown: they are what they are, whoever brings them.
    fn forsake(&mut self, peer: &PeerId) {
        self.forget_questions(peer);
        let Some(remote) = self.peers.get_mut(peer) else { return };
        self.wanted.unlist_all(remote.place);
        remote.comparison = Comparison::NotBefore(self.now_ms);
        if let Some(log) = remote.log.take() {
            tracing::error!(%peer, log = %log.key, "the log of a peer contradicts itself; it is followed no more");
        }
    }

    /// Reads the peer's log from its start.
    fn restart(&mut self, peer: &PeerId) {
        self.forget_questions(peer);
        self.changed(peer);
        let Some(remote) = self.peers.get_mut(peer) else { return };
        remote.comparison = Comparison::NotBefore(self.now_ms);
        if let Some(log) = &mut remote.log {
            log.restart();
            let (key, cursor) = (log.key, Cursor::default());
            match self.holdings.save_cursor(peer, &key, &cursor) {
                Ok(()) => log.saved(cursor, self.now_ms),
                Err(error) => self.unreadable(&error),
            }
        }
    }

    /// Answers about the log as it was before do not matter any more.
    fn forget_questions(&mut self, peer: &PeerId) {
        self.asked.retain(|_, asked| {
            let of_log = matches!(asked.what, Question::Page { .. } | Question::State | Question::Map);
            asked.peer != *peer || !of_log
        });
    }

    fn take_bodies(
        &mut self,
        request: RequestId,
        peer: PeerId,
        ids: &[EventId],
        bodies: Vec<Option<Vec<u8>>>,
        took_ms: u64,
    ) {
        let Some(remote) = self.peers.get_mut(&peer) else { return };
        let place = remote.place;
        let mut wrong = bodies.is_empty().then_some("answered with no event at all");
        let (mut lacked, mut answered) = (Vec::new(), 0);
        for (id, body) in ids.iter().zip(bodies) {
            match body {
                Some(bytes) if EventId::of(&bytes) == *id => self.wanted.arrived(id, bytes, place),
                Some(_) => wrong = Some("sent another event than was asked for"),
                None if self.wanted.is_listed(id, place) => wrong = Some("does not have an event that it named"),
                None => lacked.push(*id),
            }
            if wrong.is_some() {
                break;
            }
            answered += 1;
        }
        if wrong.is_some() {
            remote.window.failed(ids.len());
            self.wanted.failed(place);
        } else {
            remote.window.answered(ids.len(), took_ms);
            remote.did_well();
            if lacked.len() < answered {
                remote.brought();
            }
        }
        if !lacked.is_empty() {
            // It does not hold what others of its size do.
            remote.guessed_from_ms = self.now_ms.saturating_add(GUESS_AGAIN_MS);
            self.wanted.guess(place, 0);
            self.wanted.back(&lacked, request, Some(place), self.now_ms);
        }
        self.wanted.back(&ids[answered..], request, wrong.map(|_| place), self.now_ms);
        if let Some(why) = wrong {
            self.wrong(&peer, why);
        }
    }

    fn take_state(&mut self, peer: &PeerId, root: Option<MapRoot>) {
        let own = self.holdings.state_root();
        let now_ms = self.now_ms;
        let Some(remote) = self.peers.get_mut(peer) else { return };
        let later = Comparison::NotBefore(now_ms.saturating_add(COMPARE_AGAIN_MS));
        remote.did_well();
        let Some(log) = &mut remote.log else { return };
        let (theirs, own) = match (root, own) {
            (Some(root), Ok(Some(own))) => (root, own),
            (_, Ok(_)) => {
                remote.comparison = later;
                return;
            }
            (_, Err(error)) => {
                remote.comparison = later;
                return self.unreadable(&error);
            }
        };
        let theirs = StateRoot {
            size: theirs.size,
            root: (theirs.hash != EMPTY).then_some(RootRef { version: theirs.version, hash: theirs.hash }),
        };
        if theirs.size > log.main.end || theirs.size <= log.main.passed() {
            // Nothing is won, or it is longer than its own log.
            remote.comparison = later;
        } else if theirs.hash() == own.hash() {
            tracing::info!(%peer, size = theirs.size, "a peer's state is this node's own");
            log.skip_to(theirs.size);
            remote.comparison = Comparison::NotBefore(now_ms);
        } else {
            remote.comparison = Comparison::Descending(Box::new(Descent::new(theirs, own)));
        }
    }

    /// Goes on with a comparison.
    fn descend(&mut self, peer: &PeerId, take: impl FnOnce(&Self, &mut Descent) -> Result<(), Dropped>) {
        let now_ms = self.now_ms;
        let later = Comparison::NotBefore(now_ms.saturating_add(COMPARE_AGAIN_MS));
        let Some(remote) = self.peers.get_mut(peer) else { return };
        let Comparison::Descending(mut descent) = std::mem::replace(&mut remote.comparison, later) else { return };
        let taken = take(self, &mut descent);
        let Some(remote) = self.peers.get_mut(peer) else { return };
        match taken {
            Ok(()) if descent.is_done() => {
                remote.did_well();
                let size = descent.size;
                let left: VecDeque<_> = descent.into_found().collect();
                tracing::info!(%peer, events = left.len(), "the states of a peer and this node were compared");
                remote.comparison =
                    Comparison::Fetching(Fetching { size, left, open: VecDeque::new(), since_ms: now_ms });
            }
            Ok(()) => remote.comparison = Comparison::Descending(descent),
            Err(Dropped::ReadTheLog) => {
                tracing::debug!(%peer, "a peer's state differs too much; reading its log");
            }
            Err(Dropped::Wrong(why)) => self.wrong(peer, why),
            Err(Dropped::Store(error)) => self.unreadable(&error),
        }
    }

    /// Those of `ids` that are neither here nor wanted.
    fn unknown(&self, ids: &[EventId]) -> Result<Vec<EventId>, StoreError> {
        let new: Vec<EventId> = ids.iter().copied().filter(|id| !self.wanted.contains(id)).collect();
        let known = known_of(&self.holdings, &new)?;
        Ok(new.into_iter().zip(known).filter(|(_, known)| *known == Known::No).map(|(id, _)| id).collect())
    }
}

/// What is known of these, where there are any.
pub(super) fn known_of(holdings: &impl Holdings, ids: &[EventId]) -> Result<Vec<Known>, StoreError> {
    if ids.is_empty() { Ok(Vec::new()) } else { holdings.known(ids) }
}

fn track(log: Option<&mut RemoteLog>, skipped: bool) -> Option<&mut Track> {
    let log = log?;
    if skipped { log.skipped.as_mut() } else { Some(&mut log.main) }
}
