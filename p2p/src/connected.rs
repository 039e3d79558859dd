//! What the event loop knows of a connected peer, and the order in which the program learns who
//! came and went.

use crate::allowance::{Allowance, FAVOURS, GOSSIP_IN, GREETINGS, READS, Rate};
use crate::config::INTRODUCTION_TIMEOUT;
use crate::handle::Incoming;
use crate::message::Class;
use crate::peer::{PeerId, PeerInfo};
use crate::replay::Brought;
use libp2p::Multiaddr;
use libp2p::swarm::ConnectionId;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant, SystemTime};

/// The most characters kept of what a peer says about its program.
const AGENT_CHARACTERS: usize = 64;

/// How long nothing must have been under way before a connection through a relay is left for a direct one: what the other
/// side has sent meanwhile arrives within that.
const QUIET: Duration = Duration::from_secs(1);
/// How long a connection through a relay is kept beside a direct one at most. The next question may go either way, so that a
/// peer that is asked all the time would never be quiet.
const RELAY_KEPT: Duration = Duration::from_secs(30);

/// How a peer is connected.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) address: Multiaddr,
    /// Whether a relay carries it. Who was dialled through one does not see that in the address.
    pub(crate) relayed: bool,
}

/// A peer that is connected both through a relay and directly.
#[derive(Debug)]
struct BothWays {
    since: Instant,
    /// When something was under way with it last.
    busy: Instant,
}

/// A peer with at least one connection.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) connections: HashMap<ConnectionId, Way>,
    /// Whether it has shown that it belongs to this network.
    pub(crate) member: bool,
    /// Whether it is a stranger that may only read.
    pub(crate) reader: bool,
    /// Whether this node is closing its connections.
    pub(crate) leaving: bool,
    pub(crate) round_trip: Option<Duration>,
    /// Bytes of gossip that it may bring.
    pub(crate) gossip: Allowance,
    /// Bytes of answers that it may be sent.
    pub(crate) answers: Allowance,
    pub(crate) brought: Brought,
    /// Whether it carries connections for others, and where it is to be found for that.
    pub(crate) relay_at: Option<Multiaddr>,
    both_ways: Option<BothWays>,
    greetings: Allowance,
    reads: Allowance,
    favours: Allowance,
    agent: Option<String>,
    since: Instant,
    since_ms: u64,
}

impl Peer {
    /// A peer that may be sent answers at this rate.
    pub(crate) fn new(reader: bool, answers: Rate, now: Instant) -> Self {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            connections: HashMap::new(),
            member: false,
            reader,
            leaving: false,
            round_trip: None,
            gossip: Allowance::new(GOSSIP_IN, now),
            answers: Allowance::new(answers, now),
            brought: Brought::default(),
            relay_at: None,
            both_ways: None,
            greetings: Allowance::new(GREETINGS, now),
            reads: Allowance::new(READS, now),
            favours: Allowance::new(FAVOURS, now),
            agent: None,
            since: now,
            since_ms: u64::try_from(unix.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Whether it had its time to show that it belongs to this network, and did not. A reader shows it
    /// with each question, and its connection ends when it asks nothing.
    pub(crate) fn is_overdue(&self, now: Instant) -> bool {
        !self.member
            && !self.reader
            && !self.leaving
            && now.saturating_duration_since(self.since) > INTRODUCTION_TIMEOUT
    }

    /// Whether it may make one more request of this class.
    #[must_use]
    pub(crate) fn may_ask(&mut self, class: Class, now: Instant) -> bool {
        let allowance = match class {
            Class::Greeting => &mut self.greetings,
            Class::Read => &mut self.reads,
            Class::Favour => &mut self.favours,
        };
        allowance.take(1, now)
    }

    /// Its connections through relays if they are not needed any more: there is a direct one, and nothing was under way for
    /// a while.
    pub(crate) fn relayed_to_leave(&mut self, is_busy: bool, now: Instant) -> Vec<ConnectionId> {
        let relayed: Vec<_> = self.connections.iter().filter(|(_, way)| way.relayed).map(|(id, _)| *id).collect();
        if relayed.is_empty() || relayed.len() == self.connections.len() {
            self.both_ways = None;
            return Vec::new();
        }
        let both = self.both_ways.get_or_insert(BothWays { since: now, busy: now });
        if is_busy {
            both.busy = now;
        }
        let passed = |since| now.saturating_duration_since(since);
        if passed(both.busy) >= QUIET || passed(both.since) >= RELAY_KEPT { relayed } else { Vec::new() }
    }

    /// Takes note of what it says about its program, made safe to print.
    pub(crate) fn introduce(&mut self, agent: &str) {
        let printable = agent.chars().filter(|character| !character.is_control());
        self.agent = Some(printable.take(AGENT_CHARACTERS).collect());
    }

    pub(crate) fn info(&self, id: PeerId, points: u32) -> PeerInfo {
        PeerInfo {
            id,
            addresses: self.connections.values().map(|way| way.address.to_string()).collect(),
            connected_since_ms: self.since_ms,
            round_trip: self.round_trip,
            points,
            agent: self.agent.clone(),
        }
    }
}

/// Peers that came and went and whom the program has not been told of, in order.
///
/// Bounded: a peer that came and went unnoticed leaves nothing, so there are at most two entries
/// for each peer that the program knows as connected, and one for each that is.
#[derive(Debug, Default)]
pub(crate) struct Notices(VecDeque<Notice>);

#[derive(Debug, PartialEq, Eq)]
enum Notice {
    Came(PeerId),
    Went(PeerId),
}

impl Notices {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn came(&mut self, peer: PeerId) {
        self.0.push_back(Notice::Came(peer));
    }

    pub(crate) fn went(&mut self, peer: PeerId) {
        match self.0.iter().rposition(|notice| *notice == Notice::Came(peer)) {
            Some(unnoticed) => drop(self.0.remove(unnoticed)),
            None => self.0.push_back(Notice::Went(peer)),
        }
    }

    pub(crate) fn next(&mut self) -> Option<Incoming> {
        self.0.pop_front().map(|notice| match notice {
            Notice::Came(peer) => Incoming::Connected(peer),
            Notice::Went(peer) => Incoming::Disconnected(peer),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stranger(now: Instant) -> Peer {
        Peer::new(false, Rate { per_second: 1, burst: 1 }, now)
    }

    fn drain(notices: &mut Notices) -> Vec<String> {
        std::iter::from_fn(|| notices.next()).map(|notice| format!("{notice:?}")).collect()
    }

    #[test]
    fn notices_keep_their_order_and_stay_few() {
        let [a, b] = [(); 2].map(|()| PeerId(libp2p::PeerId::random()));
        let mut notices = Notices::default();
        for _ in 0..1000 {
            notices.came(a);
            notices.went(a);
        }
        assert!(notices.is_empty(), "nobody noticed");

        notices.went(a);
        notices.came(b);
        for _ in 0..1000 {
            notices.came(a);
            notices.went(a);
        }
        notices.came(a);
        let expected = [Incoming::Disconnected(a), Incoming::Connected(b), Incoming::Connected(a)];
        assert_eq!(drain(&mut notices), expected.map(|notice| format!("{notice:?}")));
    }

    #[test]
    fn a_stranger_has_limited_time() {
        let now = Instant::now();
        let mut peer = stranger(now);
        let late = now + INTRODUCTION_TIMEOUT + Duration::from_millis(1);
        assert!(!peer.is_overdue(now + INTRODUCTION_TIMEOUT));
        assert!(peer.is_overdue(late));
        peer.member = true;
        assert!(!peer.is_overdue(late));
    }

    #[test]
    fn a_relay_is_left_for_a_direct_way_when_nothing_is_under_way() {
        let began = Instant::now();
        let after = |ms| began + Duration::from_millis(ms);
        let mut peer = stranger(began);
        let connect = |peer: &mut Peer, number, relayed| {
            let id = ConnectionId::new_unchecked(number);
            peer.connections.insert(id, Way { address: Multiaddr::empty(), relayed });
            id
        };
        // Both sides may have dialled through the relay: neither way is better.
        let first = connect(&mut peer, 1, true);
        let second = connect(&mut peer, 2, true);
        assert_eq!(peer.relayed_to_leave(false, after(60_000)), []);
        peer.connections.remove(&second);
        let direct = connect(&mut peer, 3, false);
        assert_eq!(peer.relayed_to_leave(false, after(60_000)), [], "the other side may be asking");
        assert_eq!(peer.relayed_to_leave(true, after(60_900)), []);
        assert_eq!(peer.relayed_to_leave(false, after(61_800)), []);
        assert_eq!(peer.relayed_to_leave(false, after(61_900)), [first]);
        // Never quiet, and so not kept for ever.
        assert_eq!(peer.relayed_to_leave(true, after(89_900)), []);
        assert_eq!(peer.relayed_to_leave(true, after(90_000)), [first]);
        // The direct way is lost: the time begins anew with the next one.
        peer.connections.remove(&direct);
        assert_eq!(peer.relayed_to_leave(false, after(91_000)), []);
        connect(&mut peer, 4, false);
        assert_eq!(peer.relayed_to_leave(true, after(92_000)), []);
    }

    #[test]
    fn what_a_peer_says_is_safe_to_print() {
        let mut peer = stranger(Instant::now());
        peer.introduce(&format!("furrow\u{1b}[31m/\n{}", "x".repeat(1000)));
        let agent = peer.info(PeerId(libp2p::PeerId::random()), 0).agent.unwrap();
        assert!(agent.starts_with("furrow[31m/xxx"));
        assert_eq!(agent.chars().count(), AGENT_CHARACTERS);
    }
}
