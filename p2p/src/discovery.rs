//! Finding nodes through other nodes: Kademlia among the members of this network, for peers only.
//!
//! Nothing is stored in it. Its routing table holds members at addresses that they gave themselves, and
//! each look-up of this node's own neighbourhood tells the dial book of those that it does not know.

use crate::dial::ADDRESSES_MOST;
use crate::peer::PeerId;
use crate::service::Service;
use libp2p::kad::store::{MemoryStore, MemoryStoreConfig};
use libp2p::kad::{self, GetClosestPeersError, GetClosestPeersOk, Mode, QueryResult, StoreInserts};
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, StreamProtocol};
use provenance::id::NetworkId;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// How often the neighbourhood is looked at: a node that came is found within this time.
const LOOK_EVERY: Duration = Duration::from_mins(5);
/// How soon after a new peer connected: it may know others. Several at once are one look.
pub(crate) const LOOK_AFTER: Duration = Duration::from_secs(2);
/// How long a look may take: a few round trips, some of them to nodes that are off.
const LOOK_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest message: twenty peers with their addresses need a few kilobytes.
const MESSAGE_BYTES: usize = 16 * 1024;

/// Kademlia that finds peers and stores nothing.
pub(crate) type Discovery = kad::Behaviour<MemoryStore>;

pub(crate) fn behaviour(own: libp2p::PeerId, network: &NetworkId) -> Discovery {
    let name = format!("/furrow/{network}/kad/1");
    let name = StreamProtocol::try_from_owned(name).expect("the name starts with a slash");
    let mut config = kad::Config::new(name);
    config
        .set_query_timeout(LOOK_TIMEOUT)
        .set_max_packet_size(MESSAGE_BYTES)
        .set_parallelism(NonZeroUsize::new(3).expect("not zero"))
        // Members are added when they have introduced themselves.
        .set_kbucket_inserts(kad::BucketInserts::Manual)
        // This program looks itself, see `look_around`.
        .set_periodic_bootstrap_interval(None)
        // No record and no provider is taken from anyone, kept, or sent on.
        .set_record_filtering(StoreInserts::FilterBoth)
        .set_caching(kad::Caching::Disabled)
        .set_replication_interval(None)
        .set_publication_interval(None)
        .set_provider_publication_interval(None);
    let nothing =
        MemoryStoreConfig { max_records: 0, max_value_bytes: 0, max_providers_per_key: 0, max_provided_keys: 0 };
    let mut kad = kad::Behaviour::with_config(own, MemoryStore::with_config(own, nothing), config);
    // Every member answers: one that cannot be dialled answers those that it dialled.
    kad.set_mode(Some(Mode::Server));
    kad
}

/// When the neighbourhood is looked at next.
#[derive(Debug, Default)]
pub(crate) struct Schedule(Option<Instant>);

impl Schedule {
    /// A peer came that may know others.
    pub(crate) fn soon(&mut self, now: Instant) {
        let soon = now + LOOK_AFTER;
        self.0 = Some(self.0.map_or(soon, |due| due.min(soon)));
    }

    fn is_due(&mut self, now: Instant) -> bool {
        let due = self.0.is_some_and(|due| due <= now);
        if due {
            self.0 = Some(now + LOOK_EVERY);
        }
        due
    }
}

impl Service {
    /// Takes a member at its own word where it can be dialled.
    pub(crate) fn route(&mut self, peer: PeerId, addresses: &[Multiaddr]) {
        let Some(kad) = self.swarm.behaviour_mut().kad.as_mut() else { return };
        for address in addresses.iter().filter(|address| is_dialable(address)).take(ADDRESSES_MOST) {
            kad.add_address(&peer.0, address.clone());
        }
    }

    /// A peer is not to be found any more.
    pub(crate) fn unroute(&mut self, peer: PeerId) {
        if let Some(kad) = self.swarm.behaviour_mut().kad.as_mut() {
            kad.remove_peer(&peer.0);
        }
    }

    /// Asks those nearest to this node for those nearest to it, if it is time.
    pub(crate) fn look_around(&mut self, now: Instant) {
        if !self.discovery.is_due(now) {
            return;
        }
        let own = *self.swarm.local_peer_id();
        if let Some(kad) = self.swarm.behaviour_mut().kad.as_mut() {
            kad.get_closest_peers(own);
        }
    }

    pub(crate) fn on_discovery(&mut self, event: kad::Event) {
        let kad::Event::OutboundQueryProgressed { result: QueryResult::GetClosestPeers(found), .. } = event else {
            return;
        };
        let (Ok(GetClosestPeersOk { peers, .. }) | Err(GetClosestPeersError::Timeout { peers, .. })) = found;
        let own = *self.swarm.local_peer_id();
        for found in peers.into_iter().filter(|found| found.peer_id != own) {
            if !self.door.is_member(&PeerId(found.peer_id)) {
                continue;
            }
            for address in found.addrs.into_iter().filter(is_dialable).take(ADDRESSES_MOST) {
                self.book.discovered(found.peer_id, address, Instant::now());
            }
        }
    }
}

/// Whether an address that a peer tells can be dialled at all: over TCP or QUIC, perhaps by a relay.
fn is_dialable(address: &Multiaddr) -> bool {
    let mut parts = address.iter();
    let host = match parts.next() {
        Some(Protocol::Ip4(ip)) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
        Some(Protocol::Ip6(ip)) => !ip.is_unspecified() && !ip.is_multicast(),
        _ => false,
    };
    host && matches!(parts.next(), Some(Protocol::Tcp(_) | Protocol::Udp(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_joined_and_come_back() {
        let (mut schedule, now) = (Schedule::default(), Instant::now());
        assert!(!schedule.is_due(now + LOOK_EVERY), "nobody is known");
        schedule.soon(now);
        schedule.soon(now + LOOK_AFTER / 2);
        assert!(schedule.is_due(now + LOOK_AFTER) && !schedule.is_due(now + LOOK_AFTER));
        assert!(schedule.is_due(now + LOOK_AFTER + LOOK_EVERY));
    }

    #[test]
    fn only_addresses_of_machines_are_dialled() {
        let dialable = |text: &str| is_dialable(&text.parse().unwrap());
        let relayed = "/ip4/1.2.3.4/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN/p2p-circuit";
        assert!(dialable("/ip4/1.2.3.4/tcp/1") && dialable("/ip6/2001:db8::1/udp/1/quic-v1") && dialable(relayed));
        assert!(!dialable("/ip4/0.0.0.0/tcp/1") && !dialable("/dns4/evil.example/tcp/1") && !dialable("/memory/1"));
    }
}
