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

/// A peer with at least one connection.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) connections: HashMap<ConnectionId, Multiaddr>,
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

    /// Takes note of what it says about its program, made safe to print.
    pub(crate) fn introduce(&mut self, agent: &str) {
        let printable = agent.chars().filter(|character| !character.is_control());
        self.agent = Some(printable.take(AGENT_CHARACTERS).collect());
    }

    pub(crate) fn info(&self, id: PeerId, points: u32) -> PeerInfo {
        PeerInfo {
            id,
            addresses: self.connections.values().map(ToString::to_string).collect(),
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
    fn what_a_peer_says_is_safe_to_print() {
        let mut peer = stranger(Instant::now());
        peer.introduce(&format!("furrow\u{1b}[31m/\n{}", "x".repeat(1000)));
        let agent = peer.info(PeerId(libp2p::PeerId::random()), 0).agent.unwrap();
        assert!(agent.starts_with("furrow[31m/xxx"));
        assert_eq!(agent.chars().count(), AGENT_CHARACTERS);
    }
}
