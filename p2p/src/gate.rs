//! Closes connections before they cost anything: of peers that are not let in, and more from one
//! address than one place needs.

use crate::admission::{Access, Door, Refusal};
use crate::peer::PeerId;
use libp2p::core::transport::PortUse;
use libp2p::core::{Endpoint, Multiaddr};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::behaviour::{ConnectionClosed, ListenFailure};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
    dummy,
};
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::task::{Context, Poll};
use std::time::Instant;

/// A connection is refused because of who is at its other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("peer {peer} is not let in: {reason}")]
pub(crate) struct NotAdmitted {
    pub(crate) peer: PeerId,
    pub(crate) reason: Refusal,
}

/// A connection is refused because there are too many from its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {limit} connections come from one address")]
pub(crate) struct TooManyFromAddress {
    limit: u32,
}

/// The behaviour that asks the [`Door`].
#[derive(Debug)]
pub(crate) struct Behaviour {
    door: Door,
    per_address: u32,
    /// Incoming connections, also those that are being set up.
    incoming: HashMap<ConnectionId, Place>,
    places: HashMap<Place, u32>,
}

/// Where connections come from: an IPv4 address, or an IPv6 network of the size that one customer of
/// a provider has (RFC 6177), within which addresses cost nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    V4([u8; 4]),
    V6([u8; 8]),
}

impl Behaviour {
    pub(crate) fn new(door: Door, per_address: u32) -> Self {
        Self { door, per_address, incoming: HashMap::new(), places: HashMap::new() }
    }

    fn check(&self, peer: libp2p::PeerId, incoming: bool) -> Result<(), ConnectionDenied> {
        let peer = PeerId(peer);
        let reason = match self.door.access(&peer) {
            Access::Member => return Ok(()),
            Access::Reader if incoming => return Ok(()),
            // Nothing is asked of a peer that only reads, so it is not dialled.
            Access::Reader => Refusal::NotEnrolled,
            Access::None(reason) => reason,
        };
        let denied = NotAdmitted { peer, reason };
        if incoming && self.door.refuse(peer, reason, Instant::now()) {
            tracing::warn!(%peer, "a peer is not let in: {reason}");
        }
        Err(ConnectionDenied::new(denied))
    }

    fn forget(&mut self, connection: ConnectionId) {
        let Some(place) = self.incoming.remove(&connection) else { return };
        if let Some(count) = self.places.get_mut(&place) {
            *count -= 1;
            if *count == 0 {
                self.places.remove(&place);
            }
        }
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        // Connections through a relay have no address of their own; the relay's limits bound them.
        let Some(place) = place(remote) else { return Ok(()) };
        let count = self.places.entry(place).or_default();
        if *count >= self.per_address {
            return Err(ConnectionDenied::new(TooManyFromAddress { limit: self.per_address }));
        }
        *count += 1;
        self.incoming.insert(connection, place);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: libp2p::PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check(peer, true)?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<libp2p::PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        peer.map_or(Ok(()), |peer| self.check(peer, false))?;
        Ok(Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: libp2p::PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check(peer, false)?;
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. })
            | FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => self.forget(connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: libp2p::PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

fn place(address: &Multiaddr) -> Option<Place> {
    let ip = match address.iter().next()? {
        Protocol::Ip4(ip) => IpAddr::V4(ip),
        Protocol::Ip6(ip) => ip.to_canonical(),
        _ => return None,
    };
    if address.iter().any(|part| part == Protocol::P2pCircuit) {
        return None;
    }
    Some(match ip {
        IpAddr::V4(ip) => Place::V4(ip.octets()),
        IpAddr::V6(ip) => {
            let network = *ip.octets().first_chunk::<8>().expect("an address has 16 bytes");
            Place::V6(network)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::Admission;
    use std::collections::HashSet;
    use std::time::Duration;

    fn gate(per_address: u32) -> Behaviour {
        Behaviour::new(Door::new(HashSet::new(), &Admission::Anyone, Duration::ZERO), per_address)
    }

    fn knock(gate: &mut Behaviour, connection: usize, from: &str) -> bool {
        let here = "/ip4/10.0.0.1/tcp/1".parse().unwrap();
        let from = from.parse().unwrap();
        gate.handle_pending_inbound_connection(ConnectionId::new_unchecked(connection), &here, &from).is_ok()
    }

    #[test]
    fn one_address_has_a_limited_number_of_connections() {
        let mut gate = gate(2);
        assert!(knock(&mut gate, 1, "/ip4/1.2.3.4/tcp/1") && knock(&mut gate, 2, "/ip4/1.2.3.4/udp/2/quic-v1"));
        assert!(!knock(&mut gate, 3, "/ip4/1.2.3.4/tcp/3"));
        assert!(knock(&mut gate, 4, "/ip4/1.2.3.5/tcp/3"), "another place");
        gate.forget(ConnectionId::new_unchecked(3));
        assert!(!knock(&mut gate, 5, "/ip4/1.2.3.4/tcp/3"), "who was refused frees nothing");
        gate.forget(ConnectionId::new_unchecked(1));
        assert!(knock(&mut gate, 6, "/ip4/1.2.3.4/tcp/3"));
    }

    #[test]
    fn a_customers_network_counts_as_one_address() {
        let mut gate = gate(1);
        assert!(knock(&mut gate, 1, "/ip6/2001:db8::1/tcp/1"));
        assert!(!knock(&mut gate, 2, "/ip6/2001:db8::ffff:2/tcp/1"));
        assert!(knock(&mut gate, 3, "/ip6/2001:db8:0:1::1/tcp/1"));
    }

    #[test]
    fn relayed_connections_have_no_address() {
        assert_eq!(place(&"/p2p-circuit".parse().unwrap()), None);
        assert_eq!(place(&"/ip4/1.2.3.4/tcp/1/p2p-circuit".parse().unwrap()), None);
    }
}
