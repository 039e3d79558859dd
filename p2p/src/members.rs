//! Shows a behaviour only the connections of members, so that it need not know of readers.
//!
//! On a reader's connection the wrapped protocol does not exist: it is not offered, and the behaviour
//! never hears of the connection.

use crate::admission::Door;
use crate::peer::PeerId;
use libp2p::core::transport::PortUse;
use libp2p::core::{Endpoint, Multiaddr};
use libp2p::swarm::behaviour::{AddressChange, ConnectionClosed, ConnectionEstablished, DialFailure, ListenFailure};
use libp2p::swarm::derive_prelude::Either;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
    dummy,
};
use std::collections::HashSet;
use std::ops::{Deref, DerefMut};
use std::task::{Context, Poll};

/// A behaviour for members only.
pub(crate) struct Members<B> {
    inner: B,
    door: Door,
    /// Connections that the behaviour does not know.
    hidden: HashSet<ConnectionId>,
}

impl<B> Members<B> {
    pub(crate) fn new(inner: B, door: Door) -> Self {
        Self { inner, door, hidden: HashSet::new() }
    }

    /// Decided once for each connection: who becomes a member is disconnected, and comes back as one.
    fn shows(&mut self, connection: ConnectionId, peer: libp2p::PeerId) -> bool {
        let shows = self.door.is_member(&PeerId(peer));
        if !shows {
            self.hidden.insert(connection);
        }
        shows
    }
}

impl<B> Deref for Members<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.inner
    }
}

impl<B> DerefMut for Members<B> {
    fn deref_mut(&mut self) -> &mut B {
        &mut self.inner
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for Members<B> {
    type ConnectionHandler = Either<THandler<B>, dummy::ConnectionHandler>;
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
        if !self.shows(connection, peer) {
            return Ok(Either::Right(dummy::ConnectionHandler));
        }
        self.inner.handle_established_inbound_connection(connection, peer, local, remote).map(Either::Left)
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
        if !self.shows(connection, peer) {
            return Ok(Either::Right(dummy::ConnectionHandler));
        }
        self.inner.handle_established_outbound_connection(connection, peer, address, role, port).map(Either::Left)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        let hidden = match &event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { connection_id, .. })
            | FromSwarm::AddressChange(AddressChange { connection_id, .. }) => self.hidden.contains(connection_id),
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. }) => self.hidden.remove(connection_id),
            // A connection that was hidden already and that another behaviour then refused.
            FromSwarm::DialFailure(DialFailure { connection_id, .. })
            | FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => {
                self.hidden.remove(connection_id);
                false
            }
            _ => false,
        };
        if !hidden {
            self.inner.on_swarm_event(event);
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: libp2p::PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {
            Either::Left(event) => self.inner.on_connection_handler_event(peer, connection, event),
            Either::Right(never) => match never {},
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.inner.poll(cx).map(|to_swarm| to_swarm.map_in(Either::Left))
    }
}
