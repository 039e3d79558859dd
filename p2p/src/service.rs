//! The event loop: the one task that owns the swarm and all that is known of the peers.
//!
//! It never waits for the program: what the program does not take is refused or, for peers that
//! come and go, kept in order until it is taken.

use crate::allowance::{Allowance, GOSSIP_OUT};
use crate::behaviour::{Behaviour, GRAYLIST_SCORE, events_topic, sync_protocol};
use crate::config::{Config, FAREWELL_TIMEOUT, REQUESTS_OUTSTANDING};
use crate::connected::{Notices, Peer};
use crate::dial::{Dial, DialBook, TargetId};
use crate::handle::{Command, GossipId, GossipVerdict, Incoming, RequestError};
use crate::message::{Expected, REQUESTS_AT_ONCE, Request, Response};
use crate::peer::PeerId;
use crate::socket;
use crate::standing::{Misbehaviour, Standings};
use futures::StreamExt;
use libp2p::gossipsub::{MessageAcceptance, TopicHash};
use libp2p::request_response::{InboundRequestId, OutboundRequestId};
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, DialError, SwarmEvent};
use libp2p::{Multiaddr, StreamProtocol, Swarm};
use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often the loop looks at what time alone changes: dials, points, introductions. Shorter than
/// the shortest pause between dials.
const TICK: Duration = Duration::from_millis(200);

/// The state of the event loop.
pub(crate) struct Service {
    pub(crate) swarm: Swarm<Behaviour>,
    pub(crate) topic: TopicHash,
    pub(crate) sync: StreamProtocol,
    pub(crate) max_peers: usize,
    pub(crate) to_do: mpsc::Receiver<Command>,
    /// For the responders of requests that come in.
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) incoming: mpsc::Sender<Incoming>,
    pub(crate) notices: Notices,
    pub(crate) peers: HashMap<PeerId, Peer>,
    pub(crate) book: DialBook,
    pub(crate) dials: HashMap<ConnectionId, TargetId>,
    pub(crate) standings: Standings,
    /// Requests of this node that wait for their answers.
    pub(crate) requests: HashMap<OutboundRequestId, Outstanding>,
    /// Requests of peers that wait for this node's answers, or whose answers are being read.
    pub(crate) serving: HashMap<InboundRequestId, PeerId>,
    publishing: Allowance,
}

/// A request of this node that waits for its answer.
pub(crate) struct Outstanding {
    peer: PeerId,
    pub(crate) expected: Expected,
    pub(crate) reply: oneshot::Sender<Result<Response, RequestError>>,
}

impl Service {
    pub(crate) fn new(
        config: &Config,
        swarm: Swarm<Behaviour>,
        bootstrap: Vec<Multiaddr>,
        (commands, to_do): (mpsc::Sender<Command>, mpsc::Receiver<Command>),
        incoming: mpsc::Sender<Incoming>,
    ) -> Self {
        let now = Instant::now();
        let mut book = DialBook::default();
        book.bootstrap(bootstrap, now);
        Self {
            swarm,
            topic: events_topic(&config.network).hash(),
            sync: sync_protocol(&config.network),
            max_peers: config.max_peers,
            to_do,
            commands,
            incoming,
            notices: Notices::default(),
            peers: HashMap::new(),
            book,
            dials: HashMap::new(),
            standings: Standings::new(config.block_for),
            requests: HashMap::new(),
            serving: HashMap::new(),
            publishing: Allowance::new(GOSSIP_OUT, now),
        }
    }

    /// Listens on `address`; returns when the socket is open.
    pub(crate) async fn listen(&mut self, address: Multiaddr) -> io::Result<()> {
        let listener = self.swarm.listen_on(address).map_err(io::Error::other)?;
        loop {
            match self.swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { listener_id, address } if listener_id == listener => {
                    tracing::info!(%address, "listening");
                    return Ok(());
                }
                SwarmEvent::ListenerClosed { listener_id, reason, .. } if listener_id == listener => {
                    return Err(reason.err().unwrap_or_else(|| io::ErrorKind::NotConnected.into()));
                }
                other => self.on_event(other),
            }
        }
    }

    /// Runs until `cancel`, then says farewell and ends all connections' `tasks`, those that do not
    /// end by themselves through `abort`.
    pub(crate) async fn run(mut self, cancel: CancellationToken, tasks: TaskTracker, abort: CancellationToken) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = cancel.cancelled() => break,
                event = self.swarm.select_next_some() => self.on_event(event),
                Some(command) = self.to_do.recv() => self.on_command(command),
                _ = tick.tick() => self.on_tick(Instant::now()),
                place = self.incoming.clone().reserve_owned(), if !self.notices.is_empty() => {
                    match (place, self.notices.next()) {
                        (Ok(place), Some(notice)) => drop(place.send(notice)),
                        // Nobody listens any more.
                        _ => self.notices = Notices::default(),
                    }
                }
            }
        }
        self.farewell().await;
        // Commands are refused, and `Handle::stopped` returns, when all else is over.
        let Self { swarm, to_do, .. } = self;
        let sockets: Vec<_> = swarm.listeners().cloned().collect();
        drop(swarm);
        abort.cancel();
        tasks.close();
        tasks.wait().await;
        socket::released(&sockets).await;
        drop(to_do);
    }

    /// Tells a misbehaviour to the peer's standing, and cuts the peer off where it is enough.
    pub(crate) fn penalise(&mut self, peer: PeerId, what: Misbehaviour) {
        let now = Instant::now();
        let cut_off = self.standings.penalise(peer, what, now);
        let points = self.standings.points(peer, now);
        tracing::debug!(%peer, ?what, points, "a peer misbehaved");
        self.swarm.behaviour_mut().gossip.set_application_score(&peer.0, -f64::from(points));
        if cut_off {
            tracing::warn!(%peer, ?what, "a peer misbehaved too often and is cut off for a while");
            self.swarm.behaviour_mut().blocked.block_peer(peer.0);
            self.let_go(peer);
        }
    }

    /// Closes the peer's connections, and takes it for no member while that lasts.
    pub(crate) fn let_go(&mut self, id: PeerId) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.leaving = true;
        }
        // Whether there still is a connection makes no difference.
        let _ = self.swarm.disconnect_peer_id(id.0);
    }

    /// Tells the gossip protocol what becomes of a message.
    pub(crate) fn decide(&mut self, id: &GossipId, verdict: GossipVerdict) {
        let acceptance = match verdict {
            GossipVerdict::Accept => MessageAcceptance::Accept,
            GossipVerdict::Ignore => MessageAcceptance::Ignore,
            GossipVerdict::Reject => MessageAcceptance::Reject,
        };
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        gossip.report_message_validation_result(&id.message, &id.from.0, acceptance);
    }

    /// Tells the book how a dial failed.
    pub(crate) fn on_dial_failed(&mut self, target: TargetId, peer: Option<PeerId>, error: &DialError) {
        if let Some(peer) = peer.filter(|peer| self.peers.contains_key(peer)) {
            // There is a connection already: the peer dialled, or has a second address.
            self.book.reached(target, peer.0, Instant::now());
            return;
        }
        if let DialError::LocalPeerId { address } = error {
            tracing::info!(%address, "this address is the node's own and is not dialled any more");
            self.book.is_self(target);
            return;
        }
        match self.book.failed(target, Instant::now(), chance()) {
            1 => tracing::info!(%error, "cannot reach a peer; trying again for as long as it takes"),
            failures => tracing::debug!(%error, failures, "cannot reach a peer"),
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Publish(message) => self.publish(message),
            Command::Validated(id, verdict) => {
                self.decide(&id, verdict);
                if verdict == GossipVerdict::Reject {
                    self.penalise(id.from, Misbehaviour::InvalidEvent);
                }
            }
            Command::Request(peer, request, reply) => self.request(peer, request, reply),
            Command::Respond(channel, response) => {
                // A peer that is gone, or has waited too long, gets no answer.
                let _ = self.swarm.behaviour_mut().sync.send_response(channel, Ok(response));
            }
            Command::Penalise(peer, what) => self.penalise(peer, what),
            Command::Peers(reply) => {
                let now = Instant::now();
                let members = self.peers.iter().filter(|(_, peer)| peer.member);
                let infos = members.map(|(id, peer)| peer.info(*id, self.standings.points(*id, now)));
                let _ = reply.send(infos.collect());
            }
            Command::ListenAddresses(reply) => {
                let own = *self.swarm.local_peer_id();
                let named = |address: &Multiaddr| address.clone().with_p2p(own).ok();
                let addresses = self.swarm.listeners().filter_map(named);
                let _ = reply.send(addresses.map(|address| address.to_string()).collect());
            }
        }
    }

    fn publish(&mut self, message: Vec<u8>) {
        if !self.publishing.take(message.len(), Instant::now()) {
            tracing::debug!("more news than gossip carries; peers find it in the log");
            return;
        }
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        if let Err(error) = gossip.publish(self.topic.clone(), message) {
            // Nobody is there, or the same events were published before.
            tracing::debug!(%error, "a batch of events was not gossiped");
        }
    }

    fn request(&mut self, peer: PeerId, request: Request, reply: oneshot::Sender<Result<Response, RequestError>>) {
        let of_peer = self.requests.values().filter(|waiting| waiting.peer == peer).count();
        let sync = &mut self.swarm.behaviour_mut().sync;
        if !sync.is_connected(&peer.0) {
            let _ = reply.send(Err(RequestError::NotConnected));
        } else if of_peer >= REQUESTS_AT_ONCE || self.requests.len() >= REQUESTS_OUTSTANDING {
            let _ = reply.send(Err(RequestError::Busy));
        } else {
            let expected = request.expects();
            let id = sync.send_request(&peer.0, Ok(request));
            self.requests.insert(id, Outstanding { peer, expected, reply });
        }
    }

    fn on_tick(&mut self, now: Instant) {
        for peer in self.standings.forgive(now) {
            tracing::info!(%peer, "a peer that misbehaved may come back");
            self.swarm.behaviour_mut().blocked.unblock_peer(peer.0);
        }
        self.peers_on_tick(now);
        let room = self.peers.len() < self.max_peers;
        for dial in self.book.due(now, room) {
            self.dial(dial);
        }
    }

    fn peers_on_tick(&mut self, now: Instant) {
        let (mut overdue, mut graylisted) = (Vec::new(), Vec::new());
        for (id, peer) in &self.peers {
            if peer.is_overdue(now) {
                overdue.push(*id);
            }
            let points = self.standings.points(*id, now);
            let gossip = &mut self.swarm.behaviour_mut().gossip;
            gossip.set_application_score(&id.0, -f64::from(points));
            if gossip.peer_score(&id.0).is_some_and(|score| score < GRAYLIST_SCORE) {
                graylisted.push(*id);
            }
        }
        for peer in overdue {
            tracing::debug!(%peer, "a peer did not show that it belongs to this network");
            self.let_go(peer);
        }
        for peer in graylisted {
            self.penalise(peer, Misbehaviour::Graylisted);
        }
    }

    fn dial(&mut self, Dial { target, peer, mut addresses }: Dial) {
        // A port of its own for each dial: with the listening port as source, two nodes that dial
        // each other at the same moment would open one crossed TCP connection that neither serves.
        let options = if let Some(peer) = peer {
            DialOpts::peer_id(peer).addresses(addresses).allocate_new_port().build()
        } else {
            let address = addresses.remove(0);
            DialOpts::unknown_peer_id().address(address).allocate_new_port().build()
        };
        let connection = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => {
                self.dials.insert(connection, target);
            }
            Err(error) => self.on_dial_failed(target, peer.map(PeerId), &error),
        }
    }

    /// Closes all connections and waits, not for long, until the peers know.
    async fn farewell(&mut self) {
        let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let closed = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        if tokio::time::timeout(FAREWELL_TIMEOUT, closed).await.is_err() {
            tracing::debug!("some peers did not hear the farewell");
        }
    }
}

/// A random number between 0 and 1, to spread dials; its quality does not matter.
pub(crate) fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX))
}
