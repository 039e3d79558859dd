//! What the event loop does with each event of the swarm.

use crate::admission::Access;
use crate::behaviour::BehaviourEvent;
use crate::config::{REQUESTS_SERVED, REQUESTS_SERVED_PER_PEER};
use crate::connected::{Peer, Way};
use crate::gate::NotAdmitted;
use crate::gossip;
use crate::handle::{Channel, GossipId, GossipVerdict, Incoming, RequestError, Responder};
use crate::message::{Class, Request, Response};
use crate::peer::PeerId;
use crate::service::{Service, chance};
use crate::standing::Misbehaviour;
use crate::wire::Malformed;
use libp2p::core::ConnectedPoint;
use libp2p::gossipsub::{self, MessageId};
use libp2p::request_response::{self, InboundRequestId, OutboundFailure, OutboundRequestId};
use libp2p::swarm::ListenError;
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{identify, mdns, ping, relay};
use std::time::Instant;

/// An event of the sync protocol.
type SyncEvent = request_response::Event<Result<Request, Malformed>, Result<Response, Malformed>>;

impl Service {
    pub(crate) fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_established(PeerId(peer_id), connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, endpoint, num_established, .. } => {
                self.on_closed(PeerId(peer_id), connection_id, endpoint.is_dialer(), num_established == 0);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error } => {
                if let Some(target) = self.dials.remove(&connection_id) {
                    self.on_dial_failed(target, peer_id.map(PeerId), &error);
                }
            }
            SwarmEvent::IncomingConnectionError { error, send_back_addr, .. } => {
                // Who is not let in was counted at the door.
                if let ListenError::Denied { cause } = &error
                    && cause.downcast_ref::<NotAdmitted>().is_none()
                {
                    self.counters.connections_over_limit += 1;
                }
                tracing::debug!(%error, address = %send_back_addr, "a connection was not made");
            }
            SwarmEvent::NewListenAddr { address, .. } => tracing::info!(%address, "listening"),
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                tracing::info!(%address, "this address is gone");
            }
            SwarmEvent::ListenerClosed { listener_id, addresses, reason } => {
                if !self.on_place_lost(listener_id)
                    && let Err(error) = reason
                {
                    tracing::error!(?addresses, %error, "no longer listening");
                }
            }
            SwarmEvent::ExternalAddrConfirmed { address } => tracing::info!(%address, "others find this node here"),
            SwarmEvent::ExternalAddrExpired { address } => {
                tracing::info!(%address, "others do not find this node here any more");
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "while listening"),
            _ => {}
        }
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Gossip(event) => self.on_gossip(event),
            BehaviourEvent::Sync(event) => self.on_sync(event),
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.on_introduced(PeerId(peer_id), &info);
            }
            BehaviourEvent::Identify(_) => {}
            BehaviourEvent::Ping(event) => self.on_ping(event),
            BehaviourEvent::Mdns(mdns::Event::Discovered(found)) => {
                for (peer, address) in found {
                    self.book.discovered(peer, address, Instant::now());
                }
            }
            BehaviourEvent::Mdns(mdns::Event::Expired(lost)) => {
                for (peer, address) in lost {
                    self.book.expired(peer, &address);
                }
            }
            BehaviourEvent::Kad(event) => self.on_discovery(event),
            BehaviourEvent::RelayClient(event) => self.on_relay(&event),
            BehaviourEvent::Holes(event) => self.on_punched(&event),
            BehaviourEvent::Reached(event) => self.on_probed(&event),
            BehaviourEvent::RelayServer(event) => tracing::debug!(?event, "relaying"),
            BehaviourEvent::Reaching(event) => {
                tracing::debug!(client = %event.client, address = %event.tested_addr, "tried to dial a peer for it");
            }
        }
    }

    fn on_established(&mut self, id: PeerId, connection: ConnectionId, endpoint: &ConnectedPoint) {
        let now = Instant::now();
        if let Some(target) = self.dials.remove(&connection) {
            self.book.reached(target, id.0, now);
        }
        self.book.connected(id.0, now);
        let first = !self.peers.contains_key(&id);
        let (reader, answers) = (self.door.access(&id) == Access::Reader, self.answers_of_peer);
        let peer = self.peers.entry(id).or_insert_with(|| Peer::new(reader, answers, now));
        let way = Way { address: endpoint.get_remote_address().clone(), relayed: endpoint.is_relayed() };
        peer.connections.insert(connection, way);
        if first && !self.has_place_for(id, reader, endpoint.is_dialer()) {
            tracing::debug!(peer = %id, "no place for another peer");
            self.let_go(id);
        } else if first && !reader {
            self.discovery.soon(now);
        }
    }

    /// Whether there is room for a peer that is just connected. Strangers that only read get at most a
    /// quarter of the places.
    fn has_place_for(&self, id: PeerId, reader: bool, dialled: bool) -> bool {
        let readers = self.peers.values().filter(|peer| peer.reader).count();
        self.peers.len() <= self.places_for(id, dialled) && (!reader || readers <= (self.max_peers / 4).max(1))
    }

    /// How many peers there may be if `peer` is one of them. Up to half of the places are kept for
    /// bootstrap peers that are missing, so that strangers cannot take this node for themselves.
    fn places_for(&self, peer: PeerId, dialled: bool) -> usize {
        if dialled || self.book.is_bootstrap(peer.0) {
            return self.max_peers;
        }
        self.max_peers - self.book.missing().min(self.max_peers / 2)
    }

    fn on_closed(&mut self, id: PeerId, connection: ConnectionId, dialled: bool, last: bool) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.connections.remove(&connection);
        if last {
            let member = peer.member;
            // A peer that knew this node would at least have introduced itself.
            if !member && !peer.leaving && dialled && !self.told_of_closing {
                self.told_of_closing = true;
                tracing::warn!(
                    peer = %id, own = %self.swarm.local_peer_id(),
                    "a peer closes connections at once; it may not know this node: have its peer id enrolled or trusted there"
                );
            }
            self.peers.remove(&id);
            self.book.disconnected(id.0, Instant::now(), chance());
            if member {
                tracing::info!(peer = %id, "a peer is gone");
                self.notices.went(id);
            }
        }
    }

    /// The peer used a protocol of this network, so it belongs here. Of readers the program is not told,
    /// so that nothing is asked of them.
    fn admit(&mut self, id: PeerId) {
        let is_new = |peer: &&mut Peer| !peer.member && !peer.leaving && !peer.reader;
        let Some(peer) = self.peers.get_mut(&id).filter(is_new) else {
            return;
        };
        peer.member = true;
        tracing::info!(peer = %id, "a peer is connected");
        self.notices.came(id);
    }

    fn on_introduced(&mut self, id: PeerId, info: &identify::Info) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.introduce(&info.agent_version);
        if info.protocols.contains(&self.sync) {
            let is_relay = info.protocols.contains(&relay::HOP_PROTOCOL_NAME);
            let direct = peer.connections.values().find(|way| !way.relayed).filter(|_| is_relay);
            peer.relay_at = direct.and_then(|way| way.address.clone().with_p2p(id.0).ok());
            self.admit(id);
            if self.door.is_member(&id) {
                self.route(id, &info.listen_addrs);
            }
        } else if !peer.member && !peer.leaving && !peer.reader {
            tracing::info!(peer = %id, "a peer of another network is let go");
            self.book.foreign(id.0, Instant::now());
            self.let_go(id);
        }
    }

    fn on_ping(&mut self, ping::Event { peer, connection, result }: ping::Event) {
        match result {
            Ok(round_trip) => {
                if let Some(peer) = self.peers.get_mut(&PeerId(peer)) {
                    peer.round_trip = Some(round_trip);
                }
            }
            Err(ping::Failure::Unsupported) => {}
            Err(error) => {
                tracing::debug!(%peer, %error, "a connection is dead");
                self.swarm.close_connection(connection);
            }
        }
    }

    fn on_gossip(&mut self, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Message { propagation_source, message_id, message } => {
                self.on_batch(PeerId(propagation_source), message_id, &message.data);
            }
            gossipsub::Event::Subscribed { peer_id, topic } if topic == self.topic => {
                self.admit(PeerId(peer_id));
            }
            gossipsub::Event::SlowPeer { peer_id, .. } => {
                tracing::debug!(peer = %peer_id, "a peer reads slowly and misses gossip");
            }
            _ => {}
        }
    }

    fn on_batch(&mut self, from: PeerId, message: MessageId, data: &[u8]) {
        self.admit(from);
        let now = Instant::now();
        let Some(peer) = self.peers.get_mut(&from) else { return };
        let again = peer.brought.again(&message.0);
        let within = peer.gossip.take(data.len(), now) && self.gossiping.take(data.len(), now);
        let id = GossipId { message, from };
        if again {
            tracing::debug!(peer = %from, "gossip that this peer brought before");
            self.counters.gossip_replayed += 1;
            self.decide(&id, GossipVerdict::Ignore);
            return self.penalise(from, Misbehaviour::Replayed);
        }
        if !within {
            tracing::debug!(peer = %from, "more gossip than may be brought is ignored");
            self.counters.gossip_over_rate += 1;
            return self.decide(&id, GossipVerdict::Ignore);
        }
        match gossip::unpack(data) {
            Ok(events) => {
                if self.deliver(Incoming::Gossip { id: id.clone(), from, events }) {
                    self.counters.gossip_received += 1;
                } else {
                    self.decide(&id, GossipVerdict::Ignore);
                }
            }
            Err(error) => {
                tracing::debug!(peer = %from, %error, "malformed gossip");
                self.counters.malformed += 1;
                self.decide(&id, GossipVerdict::Reject);
                self.penalise(from, Misbehaviour::Malformed);
            }
        }
    }

    fn on_sync(&mut self, event: SyncEvent) {
        match event {
            SyncEvent::Message { peer, message, .. } => match message {
                request_response::Message::Request { request_id, request, channel } => {
                    if let Some(request) = self.judge(PeerId(peer), request) {
                        self.serve(PeerId(peer), request_id, request, channel);
                    }
                }
                request_response::Message::Response { request_id, response } => {
                    self.on_response(PeerId(peer), request_id, response);
                }
            },
            SyncEvent::OutboundFailure { peer, request_id, error, .. } => {
                tracing::debug!(%peer, %error, "a request has no answer");
                self.answer(request_id, Err(failure(&error)));
            }
            SyncEvent::InboundFailure { peer, request_id, error, .. } => {
                tracing::debug!(%peer, %error, "a peer's request was not answered");
                self.serving.remove(&request_id);
            }
            SyncEvent::ResponseSent { request_id, .. } => {
                self.serving.remove(&request_id);
            }
        }
    }

    /// The request, if it is one and the peer does not ask too often.
    fn judge(&mut self, from: PeerId, request: Result<Request, Malformed>) -> Option<Request> {
        self.admit(from);
        let now = Instant::now();
        let peer = self.peers.get_mut(&from)?;
        match request {
            Ok(request) if peer.reader && request.class() == Class::Favour => {
                self.counters.requests_not_allowed += 1;
                self.penalise(from, Misbehaviour::NotAllowed);
            }
            Ok(request) if peer.may_ask(request.class(), now) => {
                if self.asking.take(1, now) {
                    return Some(request);
                }
                self.counters.requests_busy += 1;
            }
            Ok(_) => {
                self.counters.requests_over_rate += 1;
                self.penalise(from, Misbehaviour::Flooding);
            }
            Err(error) => {
                tracing::debug!(peer = %from, %error, "malformed request");
                self.counters.malformed += 1;
                self.penalise(from, Misbehaviour::Malformed);
            }
        }
        None
    }

    /// Hands a request to the program. What cannot be served now fails at the other side, because
    /// its channel is dropped.
    fn serve(&mut self, from: PeerId, id: InboundRequestId, request: Request, channel: Channel) {
        let of_peer = self.serving.values().filter(|peer| **peer == from).count();
        if of_peer >= REQUESTS_SERVED_PER_PEER || self.serving.len() >= REQUESTS_SERVED {
            tracing::debug!(peer = %from, "too many requests are being answered");
            self.counters.requests_busy += 1;
            return;
        }
        let reply = Responder::new(from, channel, self.commands.clone());
        if self.deliver(Incoming::Request { from, request, reply }) {
            self.counters.requests_served += 1;
            self.serving.insert(id, from);
        } else {
            self.counters.requests_busy += 1;
            tracing::debug!(peer = %from, "too busy to answer a request");
        }
    }

    fn on_response(&mut self, from: PeerId, id: OutboundRequestId, response: Result<Response, Malformed>) {
        let Some(waiting) = self.requests.get(&id) else { return };
        let answer = match response {
            Ok(response) if waiting.expected.admits(&response) => {
                self.counters.answer_bytes_in += response.size_hint() as u64;
                Ok(response)
            }
            Ok(_) => {
                self.counters.wrong_answers += 1;
                self.penalise(from, Misbehaviour::WrongAnswer);
                Err(RequestError::WrongAnswer)
            }
            Err(Malformed::Empty) => Err(RequestError::NoAnswer),
            Err(error) => {
                self.counters.malformed += 1;
                self.penalise(from, Misbehaviour::Malformed);
                Err(RequestError::Malformed(error))
            }
        };
        self.answer(id, answer);
    }

    fn answer(&mut self, id: OutboundRequestId, answer: Result<Response, RequestError>) {
        if let Some(waiting) = self.requests.remove(&id) {
            // Who asked may have stopped waiting.
            let _ = waiting.reply.send(answer);
        }
    }

    /// Hands an event to the program if it has room; peers that came are told first.
    fn deliver(&mut self, event: Incoming) -> bool {
        while !self.notices.is_empty() {
            let Ok(place) = self.incoming.try_reserve() else { return false };
            let Some(notice) = self.notices.next() else { break };
            place.send(notice);
        }
        self.incoming.try_send(event).is_ok()
    }
}

fn failure(error: &OutboundFailure) -> RequestError {
    match error {
        OutboundFailure::DialFailure => RequestError::NotConnected,
        OutboundFailure::Timeout => RequestError::Timeout,
        OutboundFailure::ConnectionClosed => RequestError::Disconnected,
        OutboundFailure::UnsupportedProtocols | OutboundFailure::Io(_) => RequestError::NoAnswer,
    }
}
