//! The event loop: the one task that owns the swarm and all that is known of the peers.
//!
//! It never waits for the program: what the program does not take is refused or, for peers that
//! come and go, kept in order until it is taken.

use crate::admission::{Access, Admission, Door, Roll};
use crate::allowance::{Allowance, GOSSIP_IN_ALL, GOSSIP_OUT, REQUESTS_IN_ALL, Rate};
use crate::behaviour::{Behaviour, GRAYLIST_SCORE, events_topic, sync_protocol};
use crate::config::{Config, FAREWELL_TIMEOUT, REQUESTS_OUTSTANDING};
use crate::connected::{Notices, Peer};
use crate::dial::{Dial, DialBook, TargetId};
use crate::discovery;
use crate::handle::{Channel, Command, GossipId, GossipVerdict, Incoming, RequestError};
use crate::message::{Expected, MAX_RESPONSE_BYTES, REQUESTS_AT_ONCE, Request, Response};
use crate::meter::Totals;
use crate::peer::PeerId;
use crate::reach::Places;
use crate::socket;
use crate::standing::{Misbehaviour, Standings};
use crate::status::{Counters, NetworkStatus};
use futures::StreamExt;
use libp2p::gossipsub::{MessageAcceptance, TopicHash};
use libp2p::multiaddr::Protocol;
use libp2p::request_response::{InboundRequestId, OutboundRequestId};
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, DialError, SwarmEvent};
use libp2p::{Multiaddr, StreamProtocol, Swarm};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often the loop looks at what time alone changes: dials, points, introductions. Shorter than
/// the shortest pause between dials.
const TICK: Duration = Duration::from_millis(200);

/// Refused peers that the status shows.
const REFUSED_SHOWN: usize = 16;

/// The state of the event loop.
pub(crate) struct Service {
    pub(crate) swarm: Swarm<Behaviour>,
    pub(crate) topic: TopicHash,
    pub(crate) sync: StreamProtocol,
    pub(crate) door: Door,
    /// The roll of enrolled nodes, if there is one.
    roll: Option<watch::Receiver<Arc<Roll>>>,
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
    /// What all peers together may ask and bring, and be sent.
    pub(crate) asking: Allowance,
    pub(crate) gossiping: Allowance,
    answering: Allowance,
    /// What one peer may be sent.
    pub(crate) answers_of_peer: Rate,
    /// Answers that wait because too many bytes were sent lately. At most as many as are being served.
    waiting: VecDeque<(PeerId, Channel, Response)>,
    pub(crate) discovery: discovery::Schedule,
    pub(crate) places: Places,
    /// Whether a peer tried to dial this node in vain.
    pub(crate) unreached: bool,
    /// Whether it was told already that a peer closes connections at once.
    pub(crate) told_of_closing: bool,
    pub(crate) counters: Counters,
    totals: Arc<Totals>,
    status: watch::Sender<Arc<NetworkStatus>>,
}

/// A request of this node that waits for its answer.
pub(crate) struct Outstanding {
    pub(crate) peer: PeerId,
    pub(crate) expected: Expected,
    pub(crate) reply: oneshot::Sender<Result<Response, RequestError>>,
}

impl Service {
    pub(crate) fn new(
        config: &Config,
        swarm: Swarm<Behaviour>,
        door: Door,
        bootstrap: Vec<Multiaddr>,
        (commands, to_do): (mpsc::Sender<Command>, mpsc::Receiver<Command>),
        incoming: mpsc::Sender<Incoming>,
        (status, totals): (watch::Sender<Arc<NetworkStatus>>, Arc<Totals>),
    ) -> Self {
        let now = Instant::now();
        let mut book = DialBook::default();
        book.bootstrap(bootstrap, now);
        let roll = match &config.admission {
            Admission::Anyone => None,
            Admission::Enrolled(roll) => Some(roll.clone()),
        };
        // A second's worth at once, and at least two of the longest answers.
        let upload = |per_second: u32| {
            let least = u32::try_from(2 * MAX_RESPONSE_BYTES).expect("some megabytes");
            Rate { per_second: per_second.max(1), burst: per_second.max(least) }
        };
        Self {
            swarm,
            topic: events_topic(&config.network).hash(),
            sync: sync_protocol(&config.network),
            door,
            roll,
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
            asking: Allowance::new(REQUESTS_IN_ALL, now),
            gossiping: Allowance::new(GOSSIP_IN_ALL, now),
            answering: Allowance::new(upload(config.upload_bytes_per_second), now),
            answers_of_peer: upload(config.upload_bytes_per_second / 2),
            waiting: VecDeque::new(),
            discovery: discovery::Schedule::default(),
            places: Places::default(),
            unreached: false,
            told_of_closing: false,
            counters: Counters::default(),
            totals,
            status,
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
                Some(roll) = next(&mut self.roll) => self.on_roll(roll),
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
            self.counters.peers_cut_off += 1;
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
                    self.counters.gossip_rejected += 1;
                    self.penalise(id.from, Misbehaviour::InvalidEvent);
                }
            }
            Command::Request(peer, request, reply) => self.request(peer, request, reply),
            Command::Respond(peer, channel, response) => {
                self.waiting.push_back((peer, channel, response));
                self.respond(Instant::now());
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

    /// Sends the answers that may be sent now, those of one peer in their order.
    fn respond(&mut self, now: Instant) {
        for _ in 0..self.waiting.len() {
            let Some((peer, channel, response)) = self.waiting.pop_front() else { return };
            let Some(known) = self.peers.get_mut(&peer) else { continue };
            if !known.answers.has_some(now) || !self.answering.has_some(now) {
                self.counters.answers_delayed += 1;
                self.waiting.push_back((peer, channel, response));
                continue;
            }
            let bytes = response.size_hint();
            known.answers.owe(bytes, now);
            self.answering.owe(bytes, now);
            self.counters.answer_bytes_out += bytes as u64;
            // A peer that is gone, or has waited too long, gets no answer.
            let _ = self.swarm.behaviour_mut().sync.send_response(channel, Ok(response));
        }
    }

    /// The ledger knows other nodes than before: who is not let in any more goes, a reader that has
    /// become a member comes back as one, and who is let in now is tried at once.
    fn on_roll(&mut self, roll: Arc<Roll>) {
        let fresh = self.door.update(roll);
        let now = Instant::now();
        let changed = |(id, peer): (&PeerId, &Peer)| match self.door.access(id) {
            Access::Member => peer.reader,
            Access::Reader => !peer.reader,
            Access::None(_) => true,
        };
        let leaving: Vec<_> = self.peers.iter().filter(|peer| changed((peer.0, peer.1))).map(|(id, _)| *id).collect();
        for peer in leaving {
            if let Access::None(reason) = self.door.access(&peer) {
                tracing::warn!(%peer, "a peer is let go: {reason}");
            }
            self.unroute(peer);
            self.let_go(peer);
        }
        for peer in fresh {
            self.book.hurry(peer.0, now);
        }
    }

    fn publish(&mut self, message: Vec<u8>) {
        if !self.publishing.take(message.len(), Instant::now()) {
            self.counters.gossip_not_published += 1;
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
        self.look_around(now);
        self.find_relays(now);
        self.leave_relays(now);
        self.respond(now);
        self.tell_status();
    }

    fn tell_status(&mut self) {
        let (not_admitted, refused) = self.door.refused(REFUSED_SHOWN);
        self.counters.connections_not_admitted = not_admitted;
        [self.counters.bytes_in, self.counters.bytes_out, self.counters.reads_paused] = self.totals.all();
        let mut external: Vec<_> = self.swarm.external_addresses().map(ToString::to_string).collect();
        external.sort_unstable();
        let status = NetworkStatus {
            reachability: self.reachability(),
            external_addresses: external,
            relays: self.places.granted(),
            founding: self.door.is_founding(),
            readers: self.peers.values().filter(|peer| peer.reader).count(),
            refused,
            counters: self.counters,
        };
        self.status.send_if_modified(|before| {
            let differs = **before != status;
            if differs {
                *before = Arc::new(status);
            }
            differs
        });
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
        if peer.is_some_and(|peer| !self.door.is_member(&PeerId(peer))) {
            // Found, and not enrolled (yet): it would not be listened to. Its enrolment hurries the dial.
            self.book.failed(target, Instant::now(), chance());
            return;
        }
        // Over TCP, a port of its own for each dial: with the listening port as source, two nodes that
        // dial each other at the same moment would open one crossed connection that neither serves.
        // Over QUIC the listening socket dials, so that the router maps the port at which this node
        // listens, and others who are told of that mapping get through it.
        let over_quic = addresses.iter().any(|address| address.iter().any(|part| part == Protocol::QuicV1));
        let options = match peer {
            Some(peer) if over_quic => DialOpts::peer_id(peer).addresses(addresses).build(),
            Some(peer) => DialOpts::peer_id(peer).addresses(addresses).allocate_new_port().build(),
            None if over_quic => DialOpts::unknown_peer_id().address(addresses.remove(0)).build(),
            None => DialOpts::unknown_peer_id().address(addresses.remove(0)).allocate_new_port().build(),
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

/// The next roll; waits for ever if there is none to come.
async fn next(roll: &mut Option<watch::Receiver<Arc<Roll>>>) -> Option<Arc<Roll>> {
    if let Some(changing) = roll
        && changing.changed().await.is_ok()
    {
        return Some(changing.borrow_and_update().clone());
    }
    // Nobody tells of changes any more; the last roll holds.
    *roll = None;
    std::future::pending().await
}

/// A random number between 0 and 1, to spread dials; its quality does not matter.
pub(crate) fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX))
}
