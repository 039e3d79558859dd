//! The program's side of the network: commands in, events out.

use crate::gossip::{self, EventTooLong};
use crate::message::{Oversize, Request, Response};
use crate::peer::{PeerId, PeerInfo};
use crate::standing::Misbehaviour;
use crate::status::NetworkStatus;
use crate::wire::Malformed;
use libp2p::gossipsub::MessageId;
use libp2p::request_response::ResponseChannel;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// Commands to a running node. Clones command the same node.
#[derive(Debug, Clone)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
    local_peer: PeerId,
    status: watch::Receiver<Arc<NetworkStatus>>,
}

/// What comes from the network.
#[derive(Debug)]
pub enum Incoming {
    /// A peer of this network is connected. Comes once until it is disconnected.
    Connected(PeerId),
    /// The last connection to the peer is closed.
    Disconnected(PeerId),
    /// New events. They are passed on to further peers only after [`Handle::validated`].
    Gossip {
        /// Names the message for the verdict.
        id: GossipId,
        /// The peer that passed it on: not necessarily the one that made it.
        from: PeerId,
        /// The events' bytes, unverified.
        events: Vec<Vec<u8>>,
    },
    /// A peer asks.
    Request {
        /// Who asks.
        from: PeerId,
        /// What.
        request: Request,
        /// Takes the answer; dropped without one, the request fails at the other side.
        reply: Responder,
    },
}

/// Names a gossip message until its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GossipId {
    pub(crate) message: MessageId,
    pub(crate) from: PeerId,
}

/// What becomes of a gossip message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GossipVerdict {
    /// Every event in it is good: it is passed on.
    Accept,
    /// It is not passed on, and nobody is to blame: an event is on hold, or known already.
    Ignore,
    /// An event in it is invalid: it is not passed on, and who sent it loses standing.
    Reject,
}

/// The network has been shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the network has been shut down")]
pub struct Stopped;

/// Why events were not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// One of them is too long to be an event.
    #[error(transparent)]
    EventTooLong(#[from] EventTooLong),
    /// Nothing is published any more.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There is no connection to the peer.
    #[error("the peer is not connected")]
    NotConnected,
    /// The request breaks the protocol's limits and was not sent.
    #[error(transparent)]
    Oversize(#[from] Oversize),
    /// Too many requests of this node wait for answers:
    /// [`REQUESTS_AT_ONCE`](crate::message::REQUESTS_AT_ONCE) of this peer, or 64 in all.
    #[error("too many requests wait for their answers; ask again when some have come")]
    Busy,
    /// The peer did not answer in time.
    #[error("the peer did not answer in time")]
    Timeout,
    /// The connection ended before the answer came.
    #[error("the connection ended before the answer came")]
    Disconnected,
    /// The peer chose not to answer: it is busy, or this node asks too often.
    #[error("the peer gave no answer; ask again later, or another peer")]
    NoAnswer,
    /// The peer's answer is not a message. It was penalised.
    #[error("the peer's answer is malformed")]
    Malformed(#[source] Malformed),
    /// The peer's answer does not belong to the question. It was penalised.
    #[error("the peer answered something that was not asked")]
    WrongAnswer,
    /// Nothing is asked any more.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// What the event loop is told to do.
#[derive(Debug)]
pub(crate) enum Command {
    Publish(Vec<u8>),
    Validated(GossipId, GossipVerdict),
    Request(PeerId, Request, oneshot::Sender<Result<Response, RequestError>>),
    Respond(PeerId, Channel, Response),
    Penalise(PeerId, Misbehaviour),
    Peers(oneshot::Sender<Vec<PeerInfo>>),
    ListenAddresses(oneshot::Sender<Vec<String>>),
}

/// Where libp2p takes the answer to a request.
pub(crate) type Channel = ResponseChannel<Result<Response, Malformed>>;

impl Handle {
    pub(crate) fn new(
        commands: mpsc::Sender<Command>,
        local_peer: PeerId,
        status: watch::Receiver<Arc<NetworkStatus>>,
    ) -> Self {
        Self { commands, local_peer, status }
    }

    /// Gossips new events to the peers connected now, in as few messages as hold them.
    ///
    /// This is for speed, not for safety: what a peer misses, or what is more than gossip can
    /// carry, it finds when it follows this node's log.
    pub async fn publish(&self, events: &[Vec<u8>]) -> Result<(), PublishError> {
        for message in gossip::pack(events)? {
            self.send(Command::Publish(message)).await?;
        }
        Ok(())
    }

    /// Decides on a gossip message. To be told within 5 seconds; later it is not passed on.
    pub async fn validated(&self, id: GossipId, verdict: GossipVerdict) -> Result<(), Stopped> {
        self.send(Command::Validated(id, verdict)).await
    }

    /// Asks a connected peer and waits for the answer, at most the configured time.
    ///
    /// The answer fits the question: it is of its kind and not longer than asked. Whether it is
    /// true remains to be checked, and [`Handle::penalise`] tells of it.
    pub async fn request(&self, peer: &PeerId, request: Request) -> Result<Response, RequestError> {
        request.check()?;
        let (reply, answer) = oneshot::channel();
        self.send(Command::Request(*peer, request, reply)).await?;
        answer.await.map_err(|_| Stopped)?
    }

    /// Tells of a peer's misbehaviour. It gets points, and with too many of them it is cut off.
    pub async fn penalise(&self, peer: &PeerId, what: Misbehaviour) -> Result<(), Stopped> {
        self.send(Command::Penalise(*peer, what)).await
    }

    /// The peers of this network that are connected now.
    pub async fn peers(&self) -> Result<Vec<PeerInfo>, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Peers(reply)).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// The multiaddrs on which this node listens, each with its peer id, ready to be another
    /// node's bootstrap address.
    pub async fn listen_addresses(&self) -> Result<Vec<String>, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::ListenAddresses(reply)).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// How the network stands. It is at most a fraction of a second old, and looking at it costs nothing.
    pub fn status(&self) -> Arc<NetworkStatus> {
        self.status.borrow().clone()
    }

    /// This node's own name.
    pub fn local_peer(&self) -> PeerId {
        self.local_peer
    }

    /// Returns when the network has been shut down and all its tasks have ended.
    pub async fn stopped(&self) {
        self.commands.closed().await;
    }

    async fn send(&self, command: Command) -> Result<(), Stopped> {
        self.commands.send(command).await.map_err(|_| Stopped)
    }
}

/// Takes the answer to one request.
#[derive(Debug)]
pub struct Responder {
    peer: PeerId,
    channel: Channel,
    commands: mpsc::Sender<Command>,
}

impl Responder {
    pub(crate) fn new(peer: PeerId, channel: Channel, commands: mpsc::Sender<Command>) -> Self {
        Self { peer, channel, commands }
    }

    /// Answers. Fails only if the answer breaks the protocol's limits; whether the peer is still
    /// there to read it, nobody knows.
    pub async fn send(self, response: Response) -> Result<(), Oversize> {
        response.check()?;
        // Once the network is shut down nobody waits for the answer.
        let _ = self.commands.send(Command::Respond(self.peer, self.channel, response)).await;
        Ok(())
    }
}
