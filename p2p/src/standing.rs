//! How peers stand with this node: points for misbehaviour, blocking, forgiveness.
//!
//! Pure: time is an argument.

use crate::peer::PeerId;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A peer with this many points is cut off. An honest node makes none: rules and encodings are the
/// same on all nodes, and what a newer program sends is held, not rejected.
pub const BLOCKING_POINTS: u32 = 100;
/// How long one point lasts, so that rare faults, such as a flipped bit, do not add up over days.
const POINT_LASTS: Duration = Duration::from_secs(6);
/// The most peers remembered. Peer ids cost nothing to make, so there must be an end; whoever is
/// nearest to being forgiven is forgotten first.
const PEERS_REMEMBERED: usize = 4096;

/// What a peer did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misbehaviour {
    /// It passed on an event that no honest node passes on: malformed, badly signed, or of another
    /// network.
    InvalidEvent,
    /// It sent bytes that are not a message of the protocol.
    Malformed,
    /// It answered something else than was asked, such as a body that does not have the asked id.
    WrongAnswer,
    /// It asked more often than following a log ever needs.
    Flooding,
    /// It asked for what only members get, and it is none.
    NotAllowed,
    /// It brought gossip that it had brought long before.
    Replayed,
    /// The gossip protocol itself holds it below the level at which peers are listened to.
    Graylisted,
}

impl Misbehaviour {
    /// How much it weighs.
    pub const fn points(self) -> u32 {
        match self {
            // Four strikes: no honest node does any of these, broken memory or disks aside.
            Self::InvalidEvent | Self::Malformed | Self::WrongAnswer => 25,
            // Fifty requests too many in a row, after the burst that is allowed.
            Self::Flooding | Self::NotAllowed => 2,
            // Ten in a minute: it may come of a broken cache, and it costs a judgement each.
            Self::Replayed => 10,
            // The gossip protocol has counted already.
            Self::Graylisted => BLOCKING_POINTS,
        }
    }
}

/// The standing of all peers that ever did something wrong and are not forgiven yet.
#[derive(Debug)]
pub(crate) struct Standings {
    block_for: Duration,
    peers: HashMap<PeerId, Standing>,
    /// Blocked peers that were forgotten to make room, and have not been reported yet.
    released: Vec<PeerId>,
}

#[derive(Debug, Clone, Copy)]
enum Standing {
    /// Points as of a moment; they fade from then on.
    Watched { points: u32, as_of: Instant },
    /// Cut off until a moment.
    Blocked { until: Instant },
}

impl Standings {
    pub(crate) fn new(block_for: Duration) -> Self {
        Self { block_for, peers: HashMap::new(), released: Vec::new() }
    }

    /// Takes note of a misbehaviour. Returns whether the peer is to be cut off because of it.
    #[must_use]
    pub(crate) fn penalise(&mut self, peer: PeerId, what: Misbehaviour, now: Instant) -> bool {
        if self.is_blocked(peer, now) {
            return false;
        }
        if !self.peers.contains_key(&peer) && self.peers.len() >= PEERS_REMEMBERED {
            self.forget_one(now);
        }
        let points = self.points(peer, now).saturating_add(what.points());
        let blocked = points >= BLOCKING_POINTS;
        let standing = if blocked {
            Standing::Blocked { until: now + self.block_for }
        } else {
            Standing::Watched { points, as_of: now }
        };
        self.peers.insert(peer, standing);
        blocked
    }

    /// The peer's points: none for a peer in good standing, [`BLOCKING_POINTS`] for a blocked one.
    pub(crate) fn points(&self, peer: PeerId, now: Instant) -> u32 {
        self.peers.get(&peer).map_or(0, |standing| standing.points(now))
    }

    /// Whether the peer is cut off.
    pub(crate) fn is_blocked(&self, peer: PeerId, now: Instant) -> bool {
        matches!(self.peers.get(&peer), Some(Standing::Blocked { until }) if *until > now)
    }

    /// Forgives whom it is time to forgive. Returns the peers that are not cut off any more.
    #[must_use]
    pub(crate) fn forgive(&mut self, now: Instant) -> Vec<PeerId> {
        let mut released = std::mem::take(&mut self.released);
        self.peers.retain(|peer, standing| {
            let kept = standing.points(now) > 0;
            if !kept && matches!(standing, Standing::Blocked { .. }) {
                released.push(*peer);
            }
            kept
        });
        released
    }

    fn forget_one(&mut self, now: Instant) {
        let nearest = self.peers.iter().min_by_key(|(_, standing)| standing.forgiven_at(now));
        let Some((&peer, &standing)) = nearest else { return };
        self.peers.remove(&peer);
        if matches!(standing, Standing::Blocked { .. }) {
            self.released.push(peer);
        }
    }
}

impl Standing {
    fn points(self, now: Instant) -> u32 {
        match self {
            Self::Watched { points, as_of } => {
                let faded = now.saturating_duration_since(as_of).as_secs() / POINT_LASTS.as_secs();
                points.saturating_sub(u32::try_from(faded).unwrap_or(u32::MAX))
            }
            Self::Blocked { until } if until > now => BLOCKING_POINTS,
            Self::Blocked { .. } => 0,
        }
    }

    fn forgiven_at(self, now: Instant) -> Instant {
        match self {
            Self::Watched { .. } => now + POINT_LASTS * self.points(now),
            Self::Blocked { until } => until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: Duration = Duration::from_mins(10);

    fn peer() -> PeerId {
        PeerId(libp2p::PeerId::random())
    }

    #[test]
    fn four_strikes_block_and_time_forgives() {
        let (mut standings, peer, now) = (Standings::new(BLOCK), peer(), Instant::now());
        for strike in 1..=3 {
            assert!(!standings.penalise(peer, Misbehaviour::InvalidEvent, now));
            assert_eq!(standings.points(peer, now), 25 * strike);
        }
        assert!(standings.penalise(peer, Misbehaviour::Malformed, now));
        assert!(standings.is_blocked(peer, now));
        assert!(!standings.penalise(peer, Misbehaviour::Malformed, now), "reported only once");

        let almost = now + BLOCK.checked_sub(Duration::from_millis(1)).unwrap();
        assert_eq!(standings.forgive(almost), vec![]);
        assert_eq!(standings.points(peer, almost), BLOCKING_POINTS);
        assert_eq!(standings.forgive(now + BLOCK), vec![peer]);
        assert_eq!(standings.forgive(now + BLOCK), vec![], "forgiven once");
        assert_eq!(standings.points(peer, now + BLOCK), 0);
        assert!(!standings.is_blocked(peer, now + BLOCK));
    }

    #[test]
    fn points_fade() {
        let (mut standings, peer, now) = (Standings::new(BLOCK), peer(), Instant::now());
        assert!(!standings.penalise(peer, Misbehaviour::WrongAnswer, now));
        assert_eq!(standings.points(peer, now + POINT_LASTS * 10), 15);
        assert!(!standings.penalise(peer, Misbehaviour::Flooding, now + POINT_LASTS * 10));
        assert_eq!(standings.points(peer, now + POINT_LASTS * 10), 17);
        assert_eq!(standings.forgive(now + POINT_LASTS * 27), vec![], "it never was blocked");
        assert!(standings.peers.is_empty(), "good standing is not remembered");
    }

    #[test]
    fn a_graylisted_peer_is_blocked_at_once() {
        let (mut standings, peer, now) = (Standings::new(BLOCK), peer(), Instant::now());
        assert!(standings.penalise(peer, Misbehaviour::Graylisted, now));
    }

    #[test]
    fn memory_is_bounded_and_the_worst_are_remembered() {
        let (mut standings, now) = (Standings::new(BLOCK), Instant::now());
        let worst = peer();
        assert!(standings.penalise(worst, Misbehaviour::Graylisted, now));
        for _ in 0..PEERS_REMEMBERED + 10 {
            assert!(!standings.penalise(peer(), Misbehaviour::Flooding, now));
        }
        assert_eq!(standings.peers.len(), PEERS_REMEMBERED);
        assert!(standings.is_blocked(worst, now));
    }

    #[test]
    fn a_blocked_peer_that_is_forgotten_is_released() {
        let (mut standings, now) = (Standings::new(BLOCK), Instant::now());
        let first = peer();
        assert!(standings.penalise(first, Misbehaviour::Graylisted, now));
        let later = now + Duration::from_secs(1);
        for _ in 0..PEERS_REMEMBERED {
            assert!(standings.penalise(peer(), Misbehaviour::Graylisted, later));
        }
        assert_eq!(standings.forgive(later), vec![first]);
    }
}
