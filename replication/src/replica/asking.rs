//! What to ask whom: greetings, pages, comparisons, and events.

use super::remote::Comparison;
use super::wanted::{Place, Taker};
use super::{Asked, Output, Question, Replica, RequestId};
use crate::holdings::Holdings;
use crate::limits::{
    BODY_REQUESTS_AT_ONCE, FEW_IDS, HELLO_EVERY_MS, MAX_BODY_BYTES, MAX_LISTED, MAX_WANTED, READ_AHEAD,
};
use p2p::message::{MAX_EVENT_BYTES, MAX_PAGE_IDS, MAX_RESPONSE_BYTES};
use p2p::{PeerId, Request};
use std::ops::Bound;

/// How far apart pages of what was skipped are read: 16,000 ids a second, beside which nothing is slowed down.
const SKIPPED_EVERY_MS: u64 = 250;

/// How long one peer's log leads, where several are far ahead: long enough that reading the same ids of the
/// next one costs little beside it, short enough that a peer that only drips holds nobody up for long.
const LEAD_MS: u64 = 30_000;

/// A log that leads passes so many entries in so long at least, or another one leads.
const STALLED_MS: u64 = 5_000;
/// See [`STALLED_MS`].
const STALLED_ENTRIES: u64 = 256;

/// A request that has no answer and no failure after so long was lost: the network gives up long before.
const LOST_MS: u64 = 60_000;

/// The peer whose log is read, while several have much that is unread. Their logs hold mostly the same, so the ids of
/// one are enough to fetch the events from all; the others are read, or compared, when this one has been.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lead {
    peer: PeerId,
    since_ms: u64,
    /// How far it was when that was last looked at, and when.
    passed: u64,
    looked_ms: u64,
}

impl<H: Holdings> Replica<H> {
    /// Asks for whatever can be asked for now.
    pub(super) fn ask(&mut self) {
        self.choose_lead();
        let peers: Vec<PeerId> = self.peers.keys().copied().collect();
        let pages =
            self.asked.values().map(|asked| if let Question::Page { most, .. } = asked.what { most } else { 0 });
        let mut coming: usize = pages.sum();
        for peer in &peers {
            self.greet(peer);
            if self.unreadable_until_ms <= self.now_ms {
                self.compare(peer);
                coming += self.ask_page(peer, false, coming);
                coming += self.ask_page(peer, true, coming);
            }
        }
        self.ask_bodies();
    }

    /// Asks others for what a peer takes long to bring, and takes note of requests that were lost.
    pub(super) fn give_up_waiting(&mut self) {
        let now_ms = self.now_ms;
        let lost: Vec<RequestId> = (self.asked.iter())
            .filter(|(_, asked)| now_ms.saturating_sub(asked.at_ms) >= LOST_MS)
            .map(|(id, _)| *id)
            .collect();
        for id in lost {
            self.take_answer(id, Err(super::Failure::Timeout));
        }
        for (id, asked) in &mut self.asked {
            let Some(remote) = self.peers.get_mut(&asked.peer) else { continue };
            let Question::Bodies { ids, is_slow: is_slow @ false } = &mut asked.what else { continue };
            if now_ms.saturating_sub(asked.at_ms) < remote.window.patience_ms() {
                continue;
            }
            let elsewhere = self.wanted.had_elsewhere(ids, *id, remote.place);
            if !elsewhere.is_empty() {
                *is_slow = true;
                remote.window.halve();
                self.wanted.back(&elsewhere, *id, Some(remote.place), now_ms);
            }
        }
    }

    /// Of several peers with much that is unread, one leads.
    fn choose_lead(&mut self) {
        let now_ms = self.now_ms;
        let can_lead = |peer: &PeerId| {
            self.peers.get(peer).is_some_and(|remote| remote.is_far(self.far) && remote.resting_until_ms <= now_ms)
        };
        let passed = |peer: &PeerId| {
            self.peers.get(peer).and_then(|remote| remote.log.as_ref()).map_or(0, |log| log.main.passed())
        };
        let mut over = true;
        if let Some(lead) = &mut self.lead {
            let moved = passed(&lead.peer);
            over = !can_lead(&lead.peer) || now_ms.saturating_sub(lead.since_ms) >= LEAD_MS;
            if now_ms.saturating_sub(lead.looked_ms) >= STALLED_MS {
                over |= moved.saturating_sub(lead.passed) < STALLED_ENTRIES;
                (lead.passed, lead.looked_ms) = (moved, now_ms);
            }
        }
        if !over {
            return;
        }
        // The next one in the order of names, and around.
        let after = self.lead.map_or(Bound::Unbounded, |lead| Bound::Excluded(lead.peer));
        let next = (self.peers.range((after, Bound::Unbounded)).chain(self.peers.iter()))
            .map(|(peer, _)| *peer)
            .find(|peer| can_lead(peer));
        self.lead = next.map(|peer| Lead { peer, since_ms: now_ms, passed: passed(&peer), looked_ms: now_ms });
    }

    fn leads(&self, peer: &PeerId) -> bool {
        self.lead.is_some_and(|lead| lead.peer == *peer)
    }

    fn greet(&mut self, peer: &PeerId) {
        let now_ms = self.now_ms;
        let Some(remote) = self.peers.get_mut(peer) else { return };
        // Pages tell the size of the log too.
        let reads = remote.log.as_ref().is_some_and(|log| log.main.asking);
        if remote.is_greeting || reads || remote.hello_due_ms > now_ms || remote.resting_until_ms > now_ms {
            return;
        }
        if !remote.window.take_question(now_ms) {
            return;
        }
        remote.is_greeting = true;
        remote.greeted_ms = now_ms;
        remote.hello_due_ms = now_ms.saturating_add(HELLO_EVERY_MS);
        let greeting = self.greeting();
        self.send(*peer, Question::Hello, Request::Hello(greeting));
    }

    fn compare(&mut self, peer: &PeerId) {
        let (now_ms, leads) = (self.now_ms, self.leads(peer));
        let own_size = self.holdings.size();
        let Some(remote) = self.peers.get_mut(peer) else { return };
        if remote.resting_until_ms > now_ms {
            return;
        }
        let request = match &mut remote.comparison {
            Comparison::NotBefore(time) if *time <= now_ms && leads => {
                let Some(log) = &remote.log else { return };
                // Where this node has less than half of what is unread, at least half of that has to come anyway: reading
                // all ids costs little beside it.
                if log.main.open() > 0 || log.main.asking || own_size < log.unread() / 2 {
                    return;
                }
                Request::State
            }
            Comparison::Descending(descent) => match descent.ask() {
                Some(request) => request,
                None => return,
            },
            _ => return,
        };
        let what = if request == Request::State {
            remote.comparison = Comparison::Root;
            Question::State
        } else {
            Question::Map
        };
        self.send(*peer, what, request);
    }

    /// Asks for a page of ids, where `coming` are on their way already. Gives how many come with it at most.
    fn ask_page(&mut self, peer: &PeerId, skipped: bool, coming: usize) -> usize {
        let (now_ms, leads) = (self.now_ms, self.leads(peer));
        let wanted = self.wanted.len().saturating_add(coming);
        let Some(remote) = self.peers.get_mut(peer) else { return 0 };
        let listed = self.wanted.listed(remote.place);
        let is_comparing = !matches!(remote.comparison, Comparison::NotBefore(_) | Comparison::Unsupported);
        let is_far = remote.is_far(self.far);
        let Some(log) = remote.log.as_mut() else { return 0 };
        if remote.resting_until_ms > now_ms {
            return 0;
        }
        let track = if skipped {
            if !log.main.is_done() || remote.skipped_due_ms > now_ms {
                return 0;
            }
            let Some(track) = &mut log.skipped else { return 0 };
            track
        } else {
            if is_comparing || is_far && !leads {
                return 0;
            }
            &mut log.main
        };
        let page = MAX_PAGE_IDS as usize;
        let fits = track.open() + page <= READ_AHEAD && listed + page <= MAX_LISTED && wanted + page <= MAX_WANTED;
        // A few may always come, or whoever fills the table would stop everybody's reading.
        let room = if fits { MAX_PAGE_IDS } else { FEW_IDS };
        let has_room = fits || track.open() == 0;
        if track.asking || track.head() >= track.end || !has_room || !remote.window.take_question(now_ms) {
            return 0;
        }
        track.asking = true;
        let (from, max) = (track.page_start(), track.page_ids().min(room));
        if skipped {
            remote.skipped_due_ms = now_ms.saturating_add(SKIPPED_EVERY_MS);
        }
        let most = max as usize;
        self.send(*peer, Question::Page { skipped, most }, Request::LogPage { from, max });
        most
    }

    /// Asks for events, of whoever has them, as far as windows and memory allow.
    fn ask_bodies(&mut self) {
        if !self.wanted.has_queued() || self.unwritable_until_ms > self.now_ms {
            return;
        }
        let now_ms = self.now_ms;
        let (mut under_way, mut requests) = (0, 0);
        for asked in self.asked.values() {
            if let Question::Bodies { ids, .. } = &asked.what {
                under_way += most_bytes(ids.len());
                requests += 1;
            }
        }
        let mut free = MAX_BODY_BYTES.saturating_sub(under_way + self.wanted.bytes()) / MAX_RESPONSE_BYTES;
        if requests == 0 && self.batches.is_empty() {
            // What stands first in line may always be asked for, or nothing would ever move.
            free = free.max(1);
        }
        // Those with the least under way first, and each of them once before anyone a second time.
        let mut idle: Vec<(usize, PeerId, Place, usize, usize)> = (self.peers.iter())
            .filter(|(_, remote)| remote.resting_until_ms <= now_ms)
            .map(|(peer, remote)| {
                let (chunk, times) = remote.window.chunks();
                (remote.window.outstanding(), *peer, remote.place, chunk, times)
            })
            .collect();
        idle.sort_unstable();
        let mut takers: Vec<(PeerId, Taker)> = Vec::new();
        for round in 0..BODY_REQUESTS_AT_ONCE {
            let more = idle.iter().filter(|(_, _, _, _, times)| *times > round);
            takers.extend(more.map(|(_, peer, place, chunk, _)| (*peer, (*place, *chunk))));
        }
        takers.truncate(free);
        let shares: Vec<Taker> = takers.iter().map(|(_, taker)| *taker).collect();
        for ((peer, _), ids) in takers.into_iter().zip(self.wanted.assign(&shares)) {
            let Some(remote) = self.peers.get_mut(&peer) else { continue };
            if ids.is_empty() || !remote.window.take_question(now_ms) {
                continue;
            }
            remote.window.asked(ids.len());
            let id = self.send(
                peer,
                Question::Bodies { ids: ids.clone(), is_slow: false },
                Request::Bodies { ids: ids.clone() },
            );
            self.wanted.asked(&ids, id);
        }
    }

    fn send(&mut self, peer: PeerId, what: Question, request: Request) -> RequestId {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        self.asked.insert(id, Asked { peer, at_ms: self.now_ms, what });
        self.outputs.push_back(Output::Ask { id, peer, request });
        id
    }
}

/// The most bytes that the answer to a request for so many events may have.
fn most_bytes(events: usize) -> usize {
    (events * MAX_EVENT_BYTES).min(MAX_RESPONSE_BYTES)
}
