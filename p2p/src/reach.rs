//! Being reached from outside: what `AutoNAT` finds, places at relays, and holes through routers.
//!
//! A node behind a home router cannot be dialled. It asks up to two of its peers that carry connections
//! for others to hold a place for it; the address of that place is told to everybody by Identify and
//! found through Kademlia. Who dials it comes through the relay, and both then try for a direct
//! connection at once (`DCUtR`), after which the one through the relay is closed when nothing
//! was under way for a while.

use crate::config::RELAYS_USED;
use crate::peer::PeerId;
use crate::service::Service;
use crate::status::Reachability;
use libp2p::core::transport::ListenerId;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, autonat, dcutr, relay};
use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// How soon a place is asked for again after a relay refused one or was lost.
const RELAY_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// Nodes for which this one holds a place at a relay: the members of a network that cannot be dialled.
const RESERVATIONS: usize = 64;
/// Connections that are carried at a time, and those of one node.
const CIRCUITS: usize = 32;
const CIRCUITS_PER_PEER: usize = 8;
/// How long a connection is carried, and how much: enough to punch a hole, and for two nodes that never
/// manage to, to follow each other's logs, as they connect again and again.
const CIRCUIT_LASTS: Duration = Duration::from_mins(10);
const CIRCUIT_BYTES: u64 = 64 << 20;
/// Places and connections that one node may ask for in each [`ASKED_WITHIN`].
const ASKED_MOST: NonZeroU32 = NonZeroU32::new(30).unwrap();
const ASKED_WITHIN: Duration = Duration::from_mins(2);

/// A relay for members, within small limits.
pub(crate) fn relay_server(own: libp2p::PeerId) -> relay::Behaviour {
    let config = relay::Config {
        max_reservations: RESERVATIONS,
        max_reservations_per_peer: 2,
        reservation_duration: Duration::from_hours(1),
        reservation_rate_limiters: Vec::new(),
        max_circuits: CIRCUITS,
        max_circuits_per_peer: CIRCUITS_PER_PEER,
        max_circuit_duration: CIRCUIT_LASTS,
        max_circuit_bytes: CIRCUIT_BYTES,
        circuit_src_rate_limiters: Vec::new(),
    };
    // By peer only: several nodes behind one address are normal.
    let config =
        config.reservation_rate_per_peer(ASKED_MOST, ASKED_WITHIN).circuit_src_per_peer(ASKED_MOST, ASKED_WITHIN);
    let mut relay = relay::Behaviour::new(own, config);
    // The operator decides, not what peers say of this node's addresses.
    relay.set_status(Some(relay::Status::Enable));
    relay
}

/// Where this node is held a place, and when to ask again.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// By the listener that stands for the place.
    held: HashMap<ListenerId, Place>,
    again: HashMap<PeerId, Instant>,
}

#[derive(Debug)]
struct Place {
    relay: PeerId,
    granted: bool,
}

impl Places {
    /// The relays that hold a place for this node.
    pub(crate) fn granted(&self) -> Vec<PeerId> {
        let mut relays: Vec<_> = self.held.values().filter(|place| place.granted).map(|place| place.relay).collect();
        relays.sort_unstable();
        relays
    }

    fn wants(&self, relay: PeerId, now: Instant) -> bool {
        self.held.len() < RELAYS_USED
            && self.held.values().all(|place| place.relay != relay)
            && self.again.get(&relay).is_none_or(|due| *due <= now)
    }
}

impl Service {
    /// Whether this node can be dialled, as far as is known.
    pub(crate) fn reachability(&self) -> Reachability {
        if self.swarm.external_addresses().any(|address| !is_relayed(address)) {
            Reachability::Public
        } else if self.unreached {
            Reachability::Private
        } else {
            Reachability::Unknown
        }
    }

    pub(crate) fn on_probed(&mut self, event: &autonat::v2::client::Event) {
        let address = &event.tested_addr;
        match &event.result {
            Ok(()) => tracing::info!(%address, server = %event.server, "a peer reached this node at this address"),
            Err(error) => {
                self.unreached = true;
                tracing::info!(%address, server = %event.server, %error, "a peer could not reach this node at this address");
            }
        }
    }

    /// Asks for places at relays where this node needs them.
    pub(crate) fn find_relays(&mut self, now: Instant) {
        if !self.swarm.behaviour().relay_client.is_enabled() || !self.needs_relay() {
            return;
        }
        let wanted = |(id, peer): (&PeerId, &crate::connected::Peer)| {
            let at = peer.relay_at.clone().filter(|_| peer.member && !peer.leaving)?;
            self.places.wants(*id, now).then_some((*id, at))
        };
        // One at a time: the first may fill the last place.
        let Some((relay, at)) = self.peers.iter().find_map(wanted) else { return };
        self.places.again.retain(|_, due| *due > now);
        self.places.again.insert(relay, now + RELAY_AGAIN_AFTER);
        match self.swarm.listen_on(at.with(Protocol::P2pCircuit)) {
            Ok(listener) => {
                self.places.held.insert(listener, Place { relay, granted: false });
            }
            Err(error) => tracing::debug!(%relay, %error, "a relay cannot be asked"),
        }
    }

    pub(crate) fn on_relay(&mut self, event: &relay::client::Event) {
        if let relay::client::Event::ReservationReqAccepted { relay_peer_id, renewal, .. } = event {
            let relay = PeerId(*relay_peer_id);
            for place in self.places.held.values_mut().filter(|place| place.relay == relay) {
                place.granted = true;
            }
            if !renewal {
                tracing::info!(%relay, "a relay holds a place for this node");
            }
        }
    }

    /// A listener is closed; returns whether it stood for a place at a relay.
    pub(crate) fn on_place_lost(&mut self, listener: ListenerId) -> bool {
        let Some(Place { relay, .. }) = self.places.held.remove(&listener) else { return false };
        tracing::info!(%relay, "a relay does not hold a place for this node any more");
        true
    }

    pub(crate) fn on_punched(&mut self, event: &dcutr::Event) {
        let peer = event.remote_peer_id;
        match &event.result {
            Ok(_) => {
                self.counters.holes_punched += 1;
                tracing::info!(%peer, "a direct connection replaces the one through a relay");
            }
            Err(error) => tracing::info!(%peer, %error, "no direct connection; staying on the relay"),
        }
    }

    /// Closes connections through relays with peers to which there is a direct one by now.
    pub(crate) fn leave_relays(&mut self, now: Instant) {
        let mut left = Vec::new();
        for (id, peer) in &mut self.peers {
            let is_busy =
                self.requests.values().any(|asked| asked.peer == *id) || self.serving.values().any(|by| by == id);
            left.extend(peer.relayed_to_leave(is_busy, now));
        }
        for connection in left {
            self.swarm.close_connection(connection);
        }
    }

    /// Whether it takes a relay to reach this node: peers tried in vain, or nobody tried and no address
    /// is one of the Internet's.
    fn needs_relay(&self) -> bool {
        match self.reachability() {
            Reachability::Public => false,
            Reachability::Private => true,
            Reachability::Unknown => !self.swarm.listeners().any(is_global),
        }
    }
}

/// Whether the way to this address goes through a relay.
pub(crate) fn is_relayed(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::P2pCircuit)
}

/// Whether an address of this machine can be dialled from the Internet unless a firewall objects.
fn is_global(address: &Multiaddr) -> bool {
    let ip = match address.iter().next() {
        Some(Protocol::Ip4(ip)) => IpAddr::V4(ip),
        Some(Protocol::Ip6(ip)) => ip.to_canonical(),
        _ => return false,
    };
    !is_relayed(address)
        && match ip {
            // Carriers' NAT is 100.64.0.0/10 (RFC 6598).
            IpAddr::V4(ip) => {
                let [first, second, ..] = ip.octets();
                let carriers = first == 100 && (64..128).contains(&second);
                !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() || carriers)
            }
            IpAddr::V6(ip) => {
                !(ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local())
            }
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn global(text: &str) -> bool {
        is_global(&text.parse().unwrap())
    }

    #[test]
    fn addresses_of_home_networks_are_not_of_the_internet() {
        for text in ["/ip4/192.168.1.2/tcp/1", "/ip4/127.0.0.1/tcp/1", "/ip4/100.64.0.1/tcp/1", "/ip6/fd00::1/tcp/1"] {
            assert!(!global(text), "{text}");
        }
        assert!(global("/ip4/203.0.113.5/tcp/1") && global("/ip6/2001:db8::1/udp/1/quic-v1"));
        let peer = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
        assert!(!global(&format!("/ip4/203.0.113.5/tcp/1/p2p/{peer}/p2p-circuit")));
    }

    #[test]
    fn places_are_few_and_asked_for_at_intervals() {
        let [first, second, third] = [(); 3].map(|()| PeerId(libp2p::PeerId::random()));
        let (mut places, now) = (Places::default(), Instant::now());
        assert!(places.wants(first, now));
        places.again.insert(first, now + RELAY_AGAIN_AFTER);
        assert!(!places.wants(first, now) && places.wants(first, now + RELAY_AGAIN_AFTER));
        for relay in [first, second] {
            places.held.insert(ListenerId::next(), Place { relay, granted: relay == second });
        }
        assert!(!places.wants(first, now + RELAY_AGAIN_AFTER) && !places.wants(third, now));
        assert_eq!(places.granted(), [second]);
    }
}
