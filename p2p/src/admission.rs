//! Who is let in: only the enrolled nodes of a private network, and whom the operator names.
//!
//! The program tells whom the ledger enrols with a [`Roll`]; this crate cannot read events. A fresh
//! node has no roll yet, so the peers that its operator names by their ids are let in as well. Pure:
//! time is an argument.

use crate::peer::PeerId;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The most peers that were refused and are remembered. Peer ids cost nothing to make; who was
/// refused longest ago is forgotten first, and only logged once more if it comes again.
const REFUSED_REMEMBERED: usize = 256;

/// Who is let in.
#[derive(Debug, Clone, Default)]
pub enum Admission {
    /// Whoever speaks this network's protocols, and so knows its id.
    #[default]
    Anyone,
    /// The peers on this roll, as it changes, and those named in [`Config`](crate::Config) by their
    /// ids: bootstrap peers and trusted ones.
    ///
    /// As long as the roll says that the network is just being founded and the operator names no
    /// peer, whoever speaks its protocols is let in.
    Enrolled(watch::Receiver<Arc<Roll>>),
}

/// The nodes of a network as its ledger knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roll {
    /// The peer ids of the enrolled nodes.
    pub enrolled: HashSet<PeerId>,
    /// The peer ids of nodes that were enrolled and are not any more. Not even the operator's word
    /// lets them in.
    pub revoked: HashSet<PeerId>,
    /// Whether no other node than this one was ever enrolled.
    pub founding: bool,
    /// Whether anyone may read: ask for greetings, pages of the log, events and anchors. Who is not
    /// enrolled still takes no part in gossip, discovery and relaying, and is asked for nothing.
    pub open_reading: bool,
}

/// What a peer may do here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everything.
    Member,
    /// Ask for what anyone may read.
    Reader,
    /// Nothing.
    None(Refusal),
}

/// Why a peer is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The ledger knows no node with its peer id.
    NotEnrolled,
    /// It was a node of the network and is not any more.
    Revoked,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotEnrolled => "it is not an enrolled node of this network; enrol it, or trust its peer id",
            Self::Revoked => "it is no node of this network any more",
        })
    }
}

/// A peer that was refused lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedPeer {
    /// Its name.
    pub id: PeerId,
    /// Why.
    pub reason: Refusal,
    /// How many of its connections were refused since it was last forgotten.
    pub times: u64,
}

/// The door of the network, shared by the behaviours that ask it.
#[derive(Debug, Clone)]
pub(crate) struct Door(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Named by the operator.
    named: HashSet<PeerId>,
    /// Nothing if anyone is let in.
    roll: Option<Arc<Roll>>,
    cool_down: Duration,
    refused: HashMap<PeerId, Refused>,
    refusals: u64,
}

#[derive(Debug)]
struct Refused {
    reason: Refusal,
    times: u64,
    told: Instant,
    last: Instant,
}

impl Door {
    /// `cool_down` is how long a refused peer is not written about again.
    pub(crate) fn new(named: HashSet<PeerId>, admission: &Admission, cool_down: Duration) -> Self {
        let roll = match admission {
            Admission::Anyone => None,
            Admission::Enrolled(roll) => Some(roll.borrow().clone()),
        };
        let state = State { named, roll, cool_down, refused: HashMap::new(), refusals: 0 };
        Self(Arc::new(Mutex::new(state)))
    }

    /// What this peer may do.
    pub(crate) fn access(&self, peer: &PeerId) -> Access {
        self.state().access(peer)
    }

    /// Whether this peer may do everything.
    pub(crate) fn is_member(&self, peer: &PeerId) -> bool {
        self.access(peer) == Access::Member
    }

    /// Takes a new roll. Returns the peers on it that were not on the last one.
    pub(crate) fn update(&self, roll: Arc<Roll>) -> Vec<PeerId> {
        let mut state = self.state();
        let known = state.roll.as_ref().map_or_else(HashSet::new, |before| before.enrolled.clone());
        let fresh = roll.enrolled.difference(&known).copied().collect();
        state.roll = Some(roll);
        let refused = std::mem::take(&mut state.refused);
        let still = refused.into_iter().filter(|(peer, _)| matches!(state.access(peer), Access::None(_))).collect();
        state.refused = still;
        fresh
    }

    /// Takes note that a connection was refused. Returns whether to write of it.
    pub(crate) fn refuse(&self, peer: PeerId, reason: Refusal, now: Instant) -> bool {
        let mut state = self.state();
        state.refusals += 1;
        let cool_down = state.cool_down;
        if let Some(known) = state.refused.get_mut(&peer) {
            (known.times, known.last, known.reason) = (known.times + 1, now, reason);
            let tell = now.saturating_duration_since(known.told) >= cool_down;
            if tell {
                known.told = now;
            }
            return tell;
        }
        if state.refused.len() >= REFUSED_REMEMBERED {
            let oldest = state.refused.iter().min_by_key(|(_, refused)| refused.last).map(|(peer, _)| *peer);
            oldest.and_then(|peer| state.refused.remove(&peer));
        }
        state.refused.insert(peer, Refused { reason, times: 1, told: now, last: now });
        true
    }

    /// How many connections were refused, and the peers that were refused last, the newest first.
    pub(crate) fn refused(&self, most: usize) -> (u64, Vec<RefusedPeer>) {
        let state = self.state();
        let mut refused: Vec<_> = state.refused.iter().collect();
        refused.sort_by_key(|(peer, refused)| (std::cmp::Reverse(refused.last), **peer));
        let shown = refused.into_iter().take(most);
        let shown = shown.map(|(id, refused)| RefusedPeer { id: *id, reason: refused.reason, times: refused.times });
        (state.refusals, shown.collect())
    }

    /// Whether the network lets anyone in only because nobody is enrolled yet.
    pub(crate) fn is_founding(&self) -> bool {
        let state = self.state();
        state.roll.as_ref().is_some_and(|roll| state.is_founding(roll))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn access(&self, peer: &PeerId) -> Access {
        let Some(roll) = &self.roll else { return Access::Member };
        let revoked = roll.revoked.contains(peer) && !roll.enrolled.contains(peer);
        let known = roll.enrolled.contains(peer) || self.named.contains(peer) || self.is_founding(roll);
        match (revoked, known) {
            (false, true) => Access::Member,
            _ if roll.open_reading => Access::Reader,
            (true, _) => Access::None(Refusal::Revoked),
            (false, false) => Access::None(Refusal::NotEnrolled),
        }
    }

    fn is_founding(&self, roll: &Roll) -> bool {
        roll.founding && self.named.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOL_DOWN: Duration = Duration::from_mins(10);

    fn peers<const N: usize>() -> [PeerId; N] {
        [(); N].map(|()| PeerId(libp2p::PeerId::random()))
    }

    fn door(named: &[PeerId], roll: Roll) -> Door {
        let (_, roll) = watch::channel(Arc::new(roll));
        Door::new(named.iter().copied().collect(), &Admission::Enrolled(roll), COOL_DOWN)
    }

    fn roll(enrolled: &[PeerId]) -> Roll {
        Roll { enrolled: enrolled.iter().copied().collect(), ..Roll::default() }
    }

    #[test]
    fn only_enrolled_and_named_peers_are_members() {
        let [own, enrolled, named, stranger] = peers();
        let door = door(&[named], roll(&[own, enrolled]));
        assert!(door.is_member(&enrolled) && door.is_member(&named));
        assert_eq!(door.access(&stranger), Access::None(Refusal::NotEnrolled));
    }

    #[test]
    fn a_fresh_node_trusts_whom_its_operator_names_and_nobody_else() {
        let [named, stranger] = peers();
        let door = door(&[named], Roll::default());
        assert!(door.is_member(&named));
        assert_eq!(door.access(&stranger), Access::None(Refusal::NotEnrolled));
    }

    #[test]
    fn a_network_that_is_just_founded_closes_with_its_first_other_node() {
        let [own, other, stranger] = peers();
        let door = door(&[], Roll { founding: true, ..roll(&[own]) });
        assert!(door.is_founding() && door.is_member(&stranger));
        assert_eq!(door.update(Arc::new(roll(&[own, other]))), [other]);
        assert!(!door.is_founding() && door.is_member(&other));
        assert_eq!(door.access(&stranger), Access::None(Refusal::NotEnrolled));
        door.update(Arc::new(roll(&[own])));
        assert_eq!(door.access(&stranger), Access::None(Refusal::NotEnrolled), "the other has left");
    }

    #[test]
    fn who_was_revoked_is_not_let_in_even_if_named() {
        let [named, other] = peers();
        let revoked = Roll { revoked: [named].into(), ..roll(&[other]) };
        let closed = door(&[named], revoked.clone());
        assert_eq!(closed.access(&named), Access::None(Refusal::Revoked));
        let again = Roll { enrolled: [named, other].into(), ..revoked };
        closed.update(Arc::new(again));
        assert!(closed.is_member(&named), "enrolled again");
    }

    #[test]
    fn open_reading_makes_strangers_readers_and_no_more() {
        let [enrolled, stranger] = peers();
        let door = door(&[], Roll { open_reading: true, ..roll(&[enrolled]) });
        assert_eq!(door.access(&stranger), Access::Reader);
        assert!(door.is_member(&enrolled));
    }

    #[test]
    fn refusals_are_told_once_in_a_while_and_bounded() {
        let [enrolled, stranger] = peers();
        let (door, now) = (door(&[], roll(&[enrolled])), Instant::now());
        let refuse = |now| door.refuse(stranger, Refusal::NotEnrolled, now);
        assert!(refuse(now));
        assert!(!refuse(now + COOL_DOWN / 2));
        assert!(refuse(now + COOL_DOWN));
        let (count, shown) = door.refused(8);
        assert_eq!(count, 3);
        assert_eq!(shown, [RefusedPeer { id: stranger, reason: Refusal::NotEnrolled, times: 3 }]);
        for _ in 0..2 * REFUSED_REMEMBERED {
            let [other] = peers();
            assert!(door.refuse(other, Refusal::NotEnrolled, now));
        }
        assert_eq!(door.refused(usize::MAX).1.len(), REFUSED_REMEMBERED);
        door.refuse(stranger, Refusal::NotEnrolled, now + COOL_DOWN * 2);
        door.update(Arc::new(roll(&[enrolled, stranger])));
        assert!(door.refused(usize::MAX).1.iter().all(|refused| refused.id != stranger), "it is let in now");
    }
}
