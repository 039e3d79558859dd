//! Handing events to the ledger, and moving cursors past what it has judged.

use super::remote::{COMPARE_AGAIN_MS, Comparison, Remote};
use super::taking::known_of;
use super::track::Track;
use super::wanted::{Place, Wanted, places_of};
use super::{BatchId, Output, Replica, Unwritten};
use crate::cursor::MAX_GAPS;
use crate::holdings::{Holdings, Known};
use crate::limits::{BATCHES_AT_ONCE, MAX_FOLLOWED, MAX_WANTED, READ_AHEAD};
use ledger::Outcome;
use p2p::{Misbehaviour, PeerId};
use provenance::admission::Hold;
use provenance::id::EventId;
use std::collections::HashSet;

/// The pause after the ledger could not write; it doubles with each.
const FIRST_PAUSE_MS: u64 = 1_000;

/// The longest pause: as soon as there is room on the disk again, catching up goes on within this time.
const LONGEST_PAUSE_MS: u64 = 30_000;

/// Paused events that are looked up after each batch: what waited for an ancestor may have been judged with it.
const LOOKED_UP: usize = 1_024;

/// What differs between two states has to be here within this time, or the log is read.
const FETCHED_WITHIN_MS: u64 = 60_000;

/// A batch that is being written.
#[derive(Debug)]
pub(super) struct Written {
    ids: Vec<EventId>,
    bytes: usize,
}

impl<H: Holdings> Replica<H> {
    /// Hands events to the ledger.
    pub(super) fn write(&mut self) {
        while self.batches.len() < BATCHES_AT_ONCE && self.unwritable_until_ms <= self.now_ms {
            let id = BatchId(self.next_batch);
            let Some((place, events)) = self.wanted.next_batch(self.batches.is_empty()) else { return };
            self.next_batch += 1;
            let bytes = events.iter().map(|(_, body)| body.len()).sum();
            self.batches.insert(id, Written { ids: events.iter().map(|(id, _)| *id).collect(), bytes });
            let source = self.at_place(place);
            self.outputs.push_back(Output::Submit { id, source, events });
        }
    }

    /// Takes what became of a batch.
    pub(super) fn take_outcomes(&mut self, batch: BatchId, outcomes: Result<Vec<Outcome>, Unwritten>) {
        let Some(Written { ids, bytes }) = self.batches.remove(&batch) else { return };
        self.wanted.written(bytes);
        let outcomes = outcomes.unwrap_or_default();
        let mut settled = HashSet::new();
        // How many new events each peer's log has shown.
        let mut useful = [0_u64; MAX_FOLLOWED];
        let mut failed = outcomes.len() < ids.len();
        for (at, id) in ids.iter().enumerate() {
            match outcomes.get(at) {
                Some(Outcome::Admitted { .. }) => {
                    settled.insert(*id);
                    places_of(self.wanted.judged(id)).for_each(|place| useful[usize::from(place)] += 1);
                }
                Some(
                    Outcome::Known { index: Some(_), .. }
                    | Outcome::Held { hold: Hold::Unsupported(_), kept: true, .. },
                ) => {
                    self.wanted.settle(id);
                    settled.insert(*id);
                }
                // As a link of a journal it may be asked for by name; in a log it is a lie, since all nodes judge alike.
                Some(Outcome::Void { .. } | Outcome::Known { index: None, .. }) => {
                    settled.insert(*id);
                    tracing::debug!(event = %id, "an event is void");
                    let places = self.wanted.judged(id);
                    self.blame(places, "has a void event in its log");
                }
                Some(Outcome::Held { hold: Hold::Missing(missing), .. }) => self.hold(id, missing),
                Some(Outcome::Held { hold: Hold::Unsupported(_), kept: false, .. }) => self.wanted.too_new(id),
                Some(Outcome::Rejected(refusal)) => {
                    tracing::warn!(event = %id, reason = %refusal, "a peer's log holds what is no event of this network");
                    let places = self.wanted.refused(id);
                    self.blame(places, "has an invalid event in its log");
                }
                Some(Outcome::Unavailable(_)) | None => {
                    failed = true;
                    self.wanted.unwritten(id);
                }
            }
        }
        if failed {
            self.unwritable_pause_ms = (2 * self.unwritable_pause_ms).clamp(FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
            self.unwritable_until_ms = self.now_ms.saturating_add(self.unwritable_pause_ms);
        } else {
            self.unwritable_pause_ms = 0;
        }
        for remote in self.peers.values_mut() {
            let events = useful[usize::from(remote.place)];
            if events > 0 {
                remote.was_useful(events, self.now_ms);
            }
            if let Some(log) = &mut remote.log {
                log.gaps.retain(|id| !settled.contains(id));
            }
        }
        self.look_up_paused();
    }

    /// Moves all cursors past what was judged, and keeps them.
    pub(super) fn pass(&mut self) {
        let (now_ms, Self { peers, wanted, .. }) = (self.now_ms, &mut *self);
        for remote in peers.values_mut() {
            pass_one(remote, wanted, now_ms);
        }
        let due: Vec<PeerId> = (self.peers.iter())
            .filter(|(_, remote)| remote.log.as_ref().is_some_and(|log| log.to_save(self.now_ms).is_some()))
            .map(|(peer, _)| *peer)
            .collect();
        if self.unreadable_until_ms > self.now_ms {
            return;
        }
        for peer in due {
            if let Some(mut remote) = self.peers.remove(&peer) {
                self.save(&peer, &mut remote);
                self.peers.insert(peer, remote);
            }
        }
    }

    /// Keeps the cursor into a peer's log, as it is now.
    pub(super) fn save(&mut self, peer: &PeerId, remote: &mut Remote) {
        let Some(log) = &mut remote.log else { return };
        let Some(cursor) = log.to_save(u64::MAX) else { return };
        match self.holdings.save_cursor(peer, &log.key, &cursor) {
            Ok(()) => log.saved(cursor, self.now_ms),
            Err(error) => self.unreadable(&error),
        }
    }

    /// An event waits for ancestors. Those that are neither here nor wanted are asked for before it.
    fn hold(&mut self, id: &EventId, missing: &[EventId]) {
        let now_ms = self.now_ms;
        match known_of(&self.holdings, missing) {
            Ok(known) => {
                let absent: Vec<EventId> = (missing.iter().zip(known))
                    .filter(|(_, known)| *known == Known::No)
                    .map(|(ancestor, _)| *ancestor)
                    .collect();
                self.wanted.held(id, &absent, now_ms);
            }
            Err(error) => {
                self.wanted.held(id, &[], now_ms);
                self.unreadable(&error);
            }
        }
    }

    fn look_up_paused(&mut self) {
        let paused = self.wanted.some_paused(LOOKED_UP);
        match known_of(&self.holdings, &paused) {
            Ok(known) => {
                for (id, known) in paused.iter().zip(known) {
                    if known != Known::No {
                        self.wanted.settle(id);
                    }
                }
            }
            Err(error) => self.unreadable(&error),
        }
    }

    fn blame(&mut self, places: u64, why: &'static str) {
        for place in places_of(places) {
            if let Some(peer) = self.at_place(place) {
                self.penalise(peer, Misbehaviour::InvalidEvent, why);
            }
        }
    }

    fn at_place(&self, place: Place) -> Option<PeerId> {
        self.peers.iter().find(|(_, remote)| remote.place == place).map(|(peer, _)| *peer)
    }
}

fn pass_one(remote: &mut Remote, wanted: &mut Wanted, now_ms: u64) {
    let place = remote.place;
    let Some(log) = &mut remote.log else { return };
    let passed = pass_track(&mut log.main, &mut log.gaps, wanted, place);
    log.count(passed);
    if let Some(skipped) = &mut log.skipped {
        pass_track(skipped, &mut log.gaps, wanted, place);
        if skipped.is_done() {
            log.skipped = None;
        }
    }
    let Comparison::Fetching(fetching) = &mut remote.comparison else { return };
    while let Some(id) = fetching.open.pop_front_if(|id| !wanted.contains(id) || wanted.is_too_new(id)) {
        if !log.is_open(&id) {
            wanted.unlist(&id, place);
        }
    }
    while fetching.open.len() < READ_AHEAD && wanted.len() < MAX_WANTED {
        let Some((index, id)) = fetching.left.pop_front() else { break };
        wanted.note(id, place, index);
        fetching.open.push_back(id);
    }
    if fetching.open.is_empty() {
        log.skip_to(fetching.size);
        remote.comparison = Comparison::NotBefore(now_ms);
    } else if now_ms.saturating_sub(fetching.since_ms) >= FETCHED_WITHIN_MS {
        for id in fetching.open.iter().filter(|id| !log.is_open(id)) {
            wanted.unlist(id, place);
        }
        remote.comparison = Comparison::NotBefore(now_ms.saturating_add(COMPARE_AGAIN_MS));
    }
}

/// Passes what was judged. What waits for an upgrade and found no room is remembered as a gap.
fn pass_track(track: &mut Track, gaps: &mut Vec<EventId>, wanted: &mut Wanted, place: Place) -> u64 {
    track.pass(|id| {
        if !wanted.contains(id) {
            return true;
        }
        if !wanted.is_too_new(id) || gaps.len() >= MAX_GAPS {
            return false;
        }
        gaps.push(*id);
        wanted.unlist(id, place);
        true
    })
}
