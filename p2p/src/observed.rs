//! Bounds what peers make this node believe of its own addresses.
//!
//! Each peer says under which address it sees this node, as often and as variously as it likes. Those
//! addresses are candidates that `AutoNAT` and hole punching remember for ever, so only a few distinct
//! ones get through in an hour; a node behind a router has one or two.

use libp2p::core::transport::PortUse;
use libp2p::core::{Endpoint, Multiaddr};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use std::collections::HashSet;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Distinct addresses that peers may suggest in one period.
const CANDIDATES_MOST: usize = 16;
/// How long a period lasts: a router that restarts gets a new address perhaps once a day.
const PERIOD: Duration = Duration::from_hours(1);

/// A behaviour whose address candidates are bounded.
pub(crate) struct Observed<B> {
    inner: B,
    candidates: Candidates,
}

/// The candidates of one period.
#[derive(Debug)]
struct Candidates {
    since: Instant,
    known: HashSet<Multiaddr>,
}

impl<B> Observed<B> {
    pub(crate) fn new(inner: B) -> Self {
        Self { inner, candidates: Candidates { since: Instant::now(), known: HashSet::new() } }
    }
}

impl Candidates {
    fn admits(&mut self, address: &Multiaddr, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= PERIOD {
            (self.since, self.known) = (now, HashSet::new());
        }
        if self.known.len() < CANDIDATES_MOST {
            self.known.insert(address.clone());
            return true;
        }
        self.known.contains(address)
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for Observed<B> {
    type ConnectionHandler = THandler<B>;
    type ToSwarm = B::ToSwarm;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.inner.handle_pending_inbound_connection(connection, local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: libp2p::PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_inbound_connection(connection, peer, local, remote)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Option<libp2p::PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.inner.handle_pending_outbound_connection(connection, peer, addresses, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: libp2p::PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_outbound_connection(connection, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(
        &mut self,
        peer: libp2p::PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        self.inner.on_connection_handler_event(peer, connection, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        loop {
            match self.inner.poll(cx) {
                Poll::Ready(ToSwarm::NewExternalAddrCandidate(address))
                    if !self.candidates.admits(&address, Instant::now()) =>
                {
                    tracing::debug!(%address, "peers suggest more addresses of this node than it can have");
                }
                other => return other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inventing_addresses_does_not_fill_the_memory() {
        let now = Instant::now();
        let mut candidates = Candidates { since: now, known: HashSet::new() };
        let address = |port: usize| format!("/ip4/1.2.3.4/tcp/{port}").parse().unwrap();
        let admitted = (0..1000).filter(|port| candidates.admits(&address(*port), now)).count();
        assert_eq!(admitted, CANDIDATES_MOST);
        assert!(candidates.admits(&address(0), now), "known ones may be confirmed");
        assert!(candidates.admits(&address(2000), now + PERIOD), "and the router may get another one");
    }
}
