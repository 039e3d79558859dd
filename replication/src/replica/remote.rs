//! What is known of one peer and its log.

use super::descent::Descent;
use super::pace::Pace;
use super::track::Track;
use super::wanted::Place;
use super::window::Window;
use crate::cursor::{Cursor, Skipped};
use crate::limits::HELLO_APART_MS;
use crate::progress::Progress;
use p2p::PeerId;
use provenance::id::{EventId, PublicKey};
use std::collections::VecDeque;

/// A pause after a first mistake of a peer; it doubles with each, and a good answer ends the series.
const FIRST_REST_MS: u64 = 1_000;

/// The longest pause: who makes mistakes that long is cut off by the network meanwhile, or harmless.
const LONGEST_REST_MS: u64 = 60_000;

/// Entries after which a cursor is kept in any case: so many are read again after a crash at most, for each log.
const SAVED_EACH: u64 = 4_096;

/// After that time a cursor that has moved is kept in any case.
const SAVED_EVERY_MS: u64 = 2_000;

/// A peer whose log is followed.
#[derive(Debug)]
pub(super) struct Remote {
    pub place: Place,
    pub window: Window,
    /// Its log, once it has greeted.
    pub log: Option<RemoteLog>,
    /// When it is to be greeted, and when it was last.
    pub hello_due_ms: u64,
    pub greeted_ms: u64,
    pub is_greeting: bool,
    /// It is asked for nothing before.
    pub resting_until_ms: u64,
    mistakes: u32,
    /// How often its log was another one than before, since it is connected.
    changes: u32,
    /// It is not taken to have what others have before.
    pub guessed_from_ms: u64,
    /// When the next page of what was skipped is read.
    pub skipped_due_ms: u64,
    pub comparison: Comparison,
}

/// The log of a peer.
#[derive(Debug)]
pub(super) struct RemoteLog {
    /// The key that signs it.
    pub key: PublicKey,
    /// What is new in it.
    pub main: Track,
    /// What a comparison of state maps has skipped.
    pub skipped: Option<Track>,
    /// See [`Cursor::gaps`].
    pub gaps: Vec<EventId>,
    /// What is on the disk, and since when.
    saved: Cursor,
    saved_ms: u64,
    pace: Pace,
}

/// Where the comparison of state maps is.
#[derive(Debug)]
pub(super) enum Comparison {
    /// Not before this time.
    NotBefore(u64),
    /// The peer was asked for its root.
    Root,
    /// The maps are being compared.
    Descending(Box<Descent>),
    /// What differs is being fetched.
    Fetching(Fetching),
    /// The peer does not compare.
    Unsupported,
}

/// What two maps differ in.
#[derive(Debug)]
pub(super) struct Fetching {
    /// To where the cursor may move once all is here.
    pub size: u64,
    /// What is not noted as wanted yet, with its index.
    pub left: VecDeque<(u64, EventId)>,
    /// What is wanted.
    pub open: VecDeque<EventId>,
    pub since_ms: u64,
}

impl Remote {
    pub fn new(place: Place, now_ms: u64) -> Self {
        Self {
            place,
            window: Window::new(now_ms),
            log: None,
            hello_due_ms: now_ms,
            greeted_ms: 0,
            is_greeting: false,
            resting_until_ms: 0,
            mistakes: 0,
            changes: 0,
            guessed_from_ms: 0,
            skipped_due_ms: 0,
            comparison: Comparison::NotBefore(0),
        }
    }

    /// Leaves the peer alone for a while, longer with each mistake.
    pub fn rest(&mut self, now_ms: u64) {
        let pause = (FIRST_REST_MS << self.mistakes.min(6)).min(LONGEST_REST_MS);
        self.mistakes = self.mistakes.saturating_add(1);
        self.pause(now_ms, pause);
    }

    /// Leaves the peer alone for so long.
    pub fn pause(&mut self, now_ms: u64, pause_ms: u64) {
        self.resting_until_ms = self.resting_until_ms.max(now_ms.saturating_add(pause_ms));
    }

    /// The peer's log is another one than before. Gives whether that is too much: a node may lose its log, or get another
    /// one, while nobody notices that it was away, but not twice.
    pub fn changed(&mut self, now_ms: u64) -> bool {
        self.changes = self.changes.saturating_add(1);
        let is_too_much = self.changes > 1;
        self.pause(now_ms, if is_too_much { LONGEST_REST_MS } else { FIRST_REST_MS });
        is_too_much
    }

    /// Has the peer greeted soon, and not more often than is bearable.
    pub fn greet_soon(&mut self, now_ms: u64) {
        let soon = now_ms.max(self.greeted_ms.saturating_add(HELLO_APART_MS));
        self.hello_due_ms = self.hello_due_ms.min(soon);
    }

    /// The peer has given a good answer.
    pub fn did_well(&mut self) {
        self.mistakes = 0;
    }

    /// Whether more of the log is unread than this.
    pub fn is_far(&self, far: u64) -> bool {
        self.log.as_ref().is_some_and(|log| log.unread() > far)
    }

    pub fn measure(&mut self, now_ms: u64) {
        if let Some(log) = &mut self.log {
            log.pace.measure(now_ms);
        }
    }
}

impl RemoteLog {
    /// A log of `size` entries, read up to the cursor; from its start if it became shorter than that.
    pub fn new(key: PublicKey, size: u64, cursor: Cursor, now_ms: u64) -> Self {
        let saved = cursor.clone();
        let Cursor { next, last, gaps, skipped } = if size < cursor.next { Cursor::default() } else { cursor };
        Self {
            key,
            main: Track::new(next, last, size),
            skipped: skipped.map(|Skipped { next, last, end }| Track::new(next, last, end)),
            gaps,
            saved,
            saved_ms: now_ms,
            pace: Pace::new(now_ms),
        }
    }

    /// Entries that were not read, as far as the peer says.
    pub fn unread(&self) -> u64 {
        self.main.end.saturating_sub(self.main.passed())
    }

    /// Whether this entry was read, and not passed.
    pub fn is_open(&self, id: &EventId) -> bool {
        self.main.is_open(id) || self.skipped.as_ref().is_some_and(|skipped| skipped.is_open(id))
    }

    /// Whether everything was read and passed.
    pub fn is_done(&self) -> bool {
        self.main.is_done() && self.skipped.is_none()
    }

    /// Begins again: it is another log than the one that was read.
    pub fn restart(&mut self) {
        self.main = Track::new(0, None, self.main.end);
        self.skipped = None;
        self.gaps.clear();
    }

    /// The maps say the same up to `size`, or all in which they differ is here: the cursor moves there, and what it has
    /// not read is read later.
    pub fn skip_to(&mut self, size: u64) {
        let (from, last) = match &self.skipped {
            // Read once more what stands between the two: it is known by then, and ids are small.
            Some(skipped) => (skipped.passed(), skipped.last()),
            None => (self.main.passed(), self.main.last()),
        };
        self.skipped = Some(Track::new(from, last, size));
        self.main = Track::new(size, None, self.main.end.max(size));
    }

    /// How far the log was read, for the disk.
    pub fn cursor(&self) -> Cursor {
        let skipped = |track: &Track| Skipped { next: track.passed(), last: track.last(), end: track.end };
        Cursor {
            next: self.main.passed(),
            last: self.main.last(),
            gaps: self.gaps.clone(),
            skipped: self.skipped.as_ref().map(skipped),
        }
    }

    /// The cursor, if it is worth keeping now: when nothing is under way, after some thousand entries, or after a while.
    pub fn to_save(&self, now_ms: u64) -> Option<Cursor> {
        let skipped = self.skipped.as_ref().map(|track| (track.passed(), track.end));
        let saved =
            (self.saved.next, self.saved.gaps.len(), self.saved.skipped.map(|skipped| (skipped.next, skipped.end)));
        if (self.main.passed(), self.gaps.len(), skipped) == saved && self.main.last() == self.saved.last {
            return None;
        }
        let is_due = self.main.open() == 0
            || self.main.passed() < self.saved.next
            || self.main.passed() - self.saved.next >= SAVED_EACH
            || now_ms.saturating_sub(self.saved_ms) >= SAVED_EVERY_MS
            || self.skipped.is_some() != self.saved.skipped.is_some();
        is_due.then(|| self.cursor())
    }

    pub fn saved(&mut self, cursor: Cursor, now_ms: u64) {
        (self.saved, self.saved_ms) = (cursor, now_ms);
    }

    pub fn count(&mut self, passed: u64) {
        self.pace.count(passed);
    }

    pub fn progress(&self, peer: PeerId) -> Progress {
        let (have, events_per_s) = (self.main.passed(), self.pace.per_s());
        let left = self.unread();
        let eta_s = if left == 0 { Some(0) } else { left.checked_div(events_per_s) };
        Progress { peer, log: self.key, have, of: self.main.end.max(have), events_per_s, eta_s }
    }
}
