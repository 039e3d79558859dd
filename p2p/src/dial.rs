//! Whom to dial, and when: each target again and again with growing pauses, for ever.
//!
//! A target is a bootstrap address, or the addresses of a peer that was found by multicast DNS or by
//! Kademlia. So a node
//! that was off, or a peer that comes back, is found without a restart. Pure: time and chance are
//! arguments.

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use std::time::{Duration, Instant};

/// The pause after a first failure: short, because most often a peer is just restarting.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause: nobody waits longer than this for a peer that came back, and a dial each
/// half minute is no burden to anyone.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long a connection must last for the peer to count as found. A peer that hangs up at once, for
/// it is full or has cut this node off, is dialled less and less often.
const LASTING: Duration = Duration::from_secs(10);
/// The most peers remembered from multicast DNS. Anybody in the local network can invent them.
const DISCOVERED_MOST: usize = 256;
/// The most addresses remembered of one such peer: a machine has a few interfaces.
pub(crate) const ADDRESSES_MOST: usize = 16;

/// The pause after `failures` failures in a row: doubled each time, and a random part of up to
/// half of it taken off, so that nodes that lost each other together do not dial together.
/// `chance` is between 0 and 1.
pub(crate) fn pause(failures: u32, chance: f64) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(LONGEST_PAUSE).mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0)
}

/// Names a target of the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TargetId(u64);

/// A dial that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dial {
    pub(crate) target: TargetId,
    /// The peer expected to answer; `None` takes whoever answers at the one address.
    pub(crate) peer: Option<PeerId>,
    /// Never empty.
    pub(crate) addresses: Vec<Multiaddr>,
}

/// All targets and how it stands with each.
#[derive(Debug, Default)]
pub(crate) struct DialBook {
    targets: Vec<Target>,
    next: u64,
}

#[derive(Debug)]
struct Target {
    id: TargetId,
    peer: Option<PeerId>,
    /// Who answered last at an address without a peer id.
    answered: Option<PeerId>,
    addresses: Vec<Multiaddr>,
    origin: Origin,
    failures: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Bootstrap,
    Discovered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting { due: Instant },
    Dialling,
    Connected { peer: PeerId, since: Instant },
}

impl DialBook {
    /// Adds bootstrap addresses; those of one peer become one target.
    pub(crate) fn bootstrap(&mut self, addresses: Vec<Multiaddr>, now: Instant) {
        for address in addresses {
            let peer = peer_of(&address);
            let known = self.targets.iter_mut().find(|target| peer.is_some() && target.peer == peer);
            match known {
                Some(target) => target.addresses.push(address),
                None => self.add(peer, address, Origin::Bootstrap, now),
            }
        }
    }

    /// Takes note of an address at which multicast DNS found a peer.
    pub(crate) fn discovered(&mut self, peer: PeerId, address: Multiaddr, now: Instant) {
        if let Some(target) = self.targets.iter_mut().find(|target| target.peer == Some(peer)) {
            let full = target.addresses.len() >= ADDRESSES_MOST;
            if !full && !target.addresses.contains(&address) {
                target.addresses.push(address);
            }
            return;
        }
        let discovered = |target: &&Target| target.origin == Origin::Discovered;
        if self.targets.iter().filter(discovered).count() < DISCOVERED_MOST {
            self.add(Some(peer), address, Origin::Discovered, now);
        }
    }

    /// Forgets an address that multicast DNS does not confirm any more.
    pub(crate) fn expired(&mut self, peer: PeerId, address: &Multiaddr) {
        self.targets.retain_mut(|target| {
            if target.origin == Origin::Discovered && target.peer == Some(peer) {
                target.addresses.retain(|known| known != address);
            }
            !target.addresses.is_empty()
        });
    }

    /// The dials that are due now; they count as under way until their outcome is told.
    /// Discovered peers wait as long as there is no `room` for more than the bootstrap peers.
    pub(crate) fn due(&mut self, now: Instant, room: bool) -> Vec<Dial> {
        let waits = |target: &Target| room || target.origin == Origin::Bootstrap;
        self.targets
            .iter_mut()
            .filter(|target| matches!(target.state, State::Waiting { due } if due <= now))
            .filter(|target| waits(target))
            .map(|target| {
                target.state = State::Dialling;
                let (peer, addresses) = (target.peer, target.addresses.clone());
                Dial { target: target.id, peer, addresses }
            })
            .collect()
    }

    /// A dial led to a connection with `peer`, or found that there is one.
    pub(crate) fn reached(&mut self, id: TargetId, peer: PeerId, now: Instant) {
        if let Some(target) = self.targets.iter_mut().find(|target| target.id == id) {
            target.answered = Some(peer);
            target.state = State::Connected { peer, since: now };
        }
    }

    /// A dial failed. Returns how many have failed in a row.
    pub(crate) fn failed(&mut self, id: TargetId, now: Instant, chance: f64) -> u32 {
        let target = self.targets.iter_mut().find(|target| target.id == id);
        target.map_or(0, |target| {
            target.retry(now, chance);
            target.failures
        })
    }

    /// A dial found this node itself: the target makes no sense here.
    pub(crate) fn is_self(&mut self, id: TargetId) {
        self.targets.retain(|target| target.id != id);
    }

    /// `peer` is connected, whoever dialled.
    pub(crate) fn connected(&mut self, peer: PeerId, now: Instant) {
        for target in self.targets.iter_mut().filter(|target| target.is(peer)) {
            if matches!(target.state, State::Waiting { .. }) {
                target.state = State::Connected { peer, since: now };
            }
        }
    }

    /// `peer` proved to be of another network: it is dialled as seldom as possible, and not at all
    /// if only multicast DNS knows it.
    pub(crate) fn foreign(&mut self, peer: PeerId, now: Instant) {
        self.targets.retain(|target| !(target.origin == Origin::Discovered && target.is(peer)));
        for target in self.targets.iter_mut().filter(|target| target.is(peer)) {
            target.failures = u32::MAX;
            target.state = State::Connected { peer, since: now };
        }
    }

    /// The last connection with `peer` is closed.
    pub(crate) fn disconnected(&mut self, peer: PeerId, now: Instant, chance: f64) {
        for target in &mut self.targets {
            match target.state {
                State::Connected { peer: held, since } if held == peer => {
                    if now.saturating_duration_since(since) >= LASTING {
                        target.failures = 0;
                    }
                    target.retry(now, chance);
                }
                _ => {}
            }
        }
    }

    /// There is a reason to try this peer now, if it is waited for.
    pub(crate) fn hurry(&mut self, peer: PeerId, now: Instant) {
        for target in self.targets.iter_mut().filter(|target| target.is(peer)) {
            if matches!(target.state, State::Waiting { .. }) {
                target.state = State::Waiting { due: now };
            }
        }
    }

    /// How many bootstrap targets are not connected.
    pub(crate) fn missing(&self) -> usize {
        let missing =
            |target: &&Target| target.origin == Origin::Bootstrap && !matches!(target.state, State::Connected { .. });
        self.targets.iter().filter(missing).count()
    }

    /// Whether `peer` is a bootstrap peer, as far as is known.
    pub(crate) fn is_bootstrap(&self, peer: PeerId) -> bool {
        self.targets.iter().any(|target| target.origin == Origin::Bootstrap && target.is(peer))
    }

    fn add(&mut self, peer: Option<PeerId>, address: Multiaddr, origin: Origin, now: Instant) {
        self.targets.push(Target {
            id: TargetId(self.next),
            peer,
            answered: None,
            addresses: vec![address],
            origin,
            failures: 0,
            state: State::Waiting { due: now },
        });
        self.next += 1;
    }
}

impl Target {
    fn is(&self, peer: PeerId) -> bool {
        self.peer.or(self.answered) == Some(peer)
    }

    fn retry(&mut self, now: Instant, chance: f64) {
        self.failures = self.failures.saturating_add(1);
        self.state = State::Waiting { due: now + pause(self.failures, chance) };
    }
}

/// The peer id at the end of an address.
fn peer_of(address: &Multiaddr) -> Option<PeerId> {
    match address.iter().last() {
        Some(Protocol::P2p(peer)) => Some(peer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> Multiaddr {
        format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap()
    }

    fn at_peer(port: u16, peer: PeerId) -> Multiaddr {
        address(port).with(Protocol::P2p(peer))
    }

    fn just_before(moment: Instant) -> Instant {
        moment.checked_sub(Duration::from_millis(1)).unwrap()
    }

    /// The targets that are due now, each told to have failed.
    fn fail_all(book: &mut DialBook, now: Instant) -> usize {
        let due = book.due(now, true);
        for dial in &due {
            book.failed(dial.target, now, 0.0);
        }
        due.len()
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses: Vec<_> = (1..=8).map(|failures| pause(failures, 0.0).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(pause(u32::MAX, 0.0), LONGEST_PAUSE);
        assert_eq!(pause(1, 1.0), FIRST_PAUSE / 2);
        assert_eq!(pause(0, 0.0), FIRST_PAUSE);
    }

    #[test]
    fn addresses_of_one_peer_are_one_target() {
        let (mut book, peer, now) = (DialBook::default(), PeerId::random(), Instant::now());
        book.bootstrap(vec![at_peer(1, peer), address(2), at_peer(3, peer), address(4)], now);
        let due = book.due(now, false);
        assert_eq!(due.len(), 3);
        assert_eq!(due[0].peer, Some(peer));
        assert_eq!(due[0].addresses, [at_peer(1, peer), at_peer(3, peer)]);
        assert_eq!(book.due(now, true), [], "what is under way is not dialled again");
    }

    #[test]
    fn a_failed_target_comes_back_for_ever() {
        let (mut book, mut now) = (DialBook::default(), Instant::now());
        book.bootstrap(vec![address(1)], now);
        for failures in 1..=1000 {
            assert_eq!(fail_all(&mut book, now), 1);
            let due = now + pause(failures, 0.0);
            assert_eq!(book.due(just_before(due), true), []);
            now = due;
        }
    }

    #[test]
    fn a_peer_that_goes_is_dialled_after_the_first_pause() {
        let (mut book, peer, now) = (DialBook::default(), PeerId::random(), Instant::now());
        book.bootstrap(vec![address(1)], now);
        for _ in 0..9 {
            let later = now + LONGEST_PAUSE * 10;
            let dial = book.due(later, true).remove(0);
            book.failed(dial.target, now, 0.0);
        }
        let dial = book.due(now + LONGEST_PAUSE, true).remove(0);
        book.reached(dial.target, peer, now);
        assert_eq!(book.missing(), 0);
        assert!(book.is_bootstrap(peer));
        let later = now + LASTING;
        book.disconnected(peer, later, 0.0);
        assert_eq!(book.missing(), 1);
        assert_eq!(book.due(later + FIRST_PAUSE, true).len(), 1);
    }

    #[test]
    fn a_connection_that_does_not_last_does_not_reset_the_pause() {
        let (mut book, peer, mut now) = (DialBook::default(), PeerId::random(), Instant::now());
        book.bootstrap(vec![address(1)], now);
        for round in 1..=7 {
            let dial = book.due(now, true).remove(0);
            book.reached(dial.target, peer, now);
            book.disconnected(peer, now, 0.0);
            now += pause(round, 0.0);
        }
        let dial = book.due(now, true).remove(0);
        book.reached(dial.target, peer, now);
        book.disconnected(peer, now, 0.0);
        assert_eq!(book.due(just_before(now + LONGEST_PAUSE), true), []);
    }

    #[test]
    fn a_bootstrap_peer_that_dialled_us_is_not_dialled() {
        let (mut book, peer, now) = (DialBook::default(), PeerId::random(), Instant::now());
        book.bootstrap(vec![at_peer(1, peer)], now);
        book.connected(peer, now);
        assert_eq!(book.due(now, true), []);
        book.disconnected(peer, now, 0.0);
        assert_eq!(book.due(now + FIRST_PAUSE, true).len(), 1);
    }

    #[test]
    fn discovered_peers_wait_for_room_and_expire() {
        let (mut book, peer, now) = (DialBook::default(), PeerId::random(), Instant::now());
        book.discovered(peer, address(1), now);
        book.discovered(peer, address(2), now);
        book.discovered(peer, address(2), now);
        assert_eq!(book.due(now, false), []);
        assert_eq!(book.due(now, true)[0].addresses, [address(1), address(2)]);
        book.expired(peer, &address(1));
        book.expired(peer, &address(2));
        assert!(book.targets.is_empty());
        assert_eq!(book.missing(), 0);
    }

    #[test]
    fn inventing_peers_does_not_fill_the_memory() {
        let (mut book, now) = (DialBook::default(), Instant::now());
        for _ in 0..2 * DISCOVERED_MOST {
            book.discovered(PeerId::random(), address(1), now);
        }
        let peer = book.targets[0].peer.unwrap();
        (2..100).for_each(|port| book.discovered(peer, address(port), now));
        assert_eq!(book.targets.len(), DISCOVERED_MOST);
        assert_eq!(book.targets[0].addresses.len(), ADDRESSES_MOST);
    }

    #[test]
    fn peers_of_another_network_are_left_in_peace() {
        let (mut book, now) = (DialBook::default(), Instant::now());
        let (found, named) = (PeerId::random(), PeerId::random());
        book.discovered(found, address(1), now);
        book.bootstrap(vec![at_peer(2, named)], now);
        for dial in book.due(now, true) {
            book.reached(dial.target, dial.peer.unwrap(), now);
        }
        for peer in [found, named] {
            book.foreign(peer, now);
            book.disconnected(peer, now, 0.0);
        }
        assert_eq!(book.due(just_before(now + LONGEST_PAUSE), true), []);
        assert_eq!(book.due(now + LONGEST_PAUSE, true)[0].peer, Some(named));
    }

    #[test]
    fn a_peer_may_be_tried_before_its_time() {
        let (mut book, peer, now) = (DialBook::default(), PeerId::random(), Instant::now());
        book.bootstrap(vec![at_peer(1, peer)], now);
        assert_eq!(fail_all(&mut book, now), 1);
        assert_eq!(book.due(now, true), []);
        book.hurry(peer, now);
        assert_eq!(book.due(now, true).len(), 1);
        book.hurry(peer, now);
        assert_eq!(book.due(now, true), [], "it is under way");
    }

    #[test]
    fn a_target_that_is_this_node_is_dropped() {
        let (mut book, now) = (DialBook::default(), Instant::now());
        book.bootstrap(vec![address(1)], now);
        let dial = book.due(now, true).remove(0);
        book.is_self(dial.target);
        assert!(book.targets.is_empty());
    }
}
