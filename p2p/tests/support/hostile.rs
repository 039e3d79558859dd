//! A peer that is not Furrow: a bare libp2p swarm that speaks the node's protocols as it likes.

use super::{Node, network, soon};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::gossipsub::{self, IdentTopic, MessageAuthenticity, MessageId, ValidationMode};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, StreamProtocol, Swarm, SwarmBuilder, noise, tcp, yamux};
use p2p::PeerId;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Messages made so far.
static SENT: AtomicU64 = AtomicU64::new(0);

/// Writes any bytes as a request, and reads any as a response.
#[derive(Clone, Copy)]
pub(crate) struct AnyBytes {
    /// Whether answers are left unread, so that their sender cannot finish.
    pub(crate) never_reads: bool,
}

impl request_response::Codec for AnyBytes {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut bytes = Vec::new();
        io.read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    async fn read_response<T>(&mut self, of: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        if self.never_reads {
            return std::future::pending().await;
        }
        self.read_request(of, io).await
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, bytes: Vec<u8>) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&bytes).await
    }

    async fn write_response<T>(&mut self, of: &StreamProtocol, io: &mut T, bytes: Vec<u8>) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        self.write_request(of, io, bytes).await
    }
}

#[derive(NetworkBehaviour)]
pub(crate) struct Hostile {
    pub(crate) gossip: gossipsub::Behaviour,
    pub(crate) sync: request_response::Behaviour<AnyBytes>,
}

pub(crate) fn topic() -> IdentTopic {
    IdentTopic::new(format!("/furrow/{}/events/1", network()))
}

/// A hostile swarm that is connected to `node` and has been noticed by it.
pub(crate) async fn hostile(node: &mut Node) -> (Box<Swarm<Hostile>>, PeerId) {
    hostile_with(node, MessageAuthenticity::Anonymous, ValidationMode::Anonymous, false).await
}

pub(crate) async fn hostile_with(
    node: &mut Node,
    author: MessageAuthenticity,
    validation: ValidationMode,
    never_reads: bool,
) -> (Box<Swarm<Hostile>>, PeerId) {
    let gossip = gossipsub::ConfigBuilder::default()
        .validation_mode(validation)
        .max_transmit_size(1 << 20)
        // To itself, each message is a new one.
        .message_id_fn(|_| MessageId::new(&SENT.fetch_add(1, Ordering::Relaxed).to_be_bytes()))
        .build()
        .unwrap();
    let mut gossip = gossipsub::Behaviour::new(author, gossip).unwrap();
    gossip.subscribe(&topic()).unwrap();
    let protocol = StreamProtocol::try_from_owned(format!("/furrow/{}/sync/1", network())).unwrap();
    let sync = request_response::Behaviour::with_codec(
        AnyBytes { never_reads },
        [(protocol, ProtocolSupport::Full)],
        request_response::Config::default(),
    );
    let mut swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| Hostile { gossip, sync })
        .unwrap()
        .build();
    swarm.dial(node.address.parse::<Multiaddr>().unwrap()).unwrap();
    let id = swarm.local_peer_id().to_string().parse().unwrap();
    let noticed = async {
        tokio::select! {
            () = node.connected(id) => {}
            () = async { loop { swarm.select_next_some().await; } } => {}
        }
    };
    soon(noticed).await;
    (Box::new(swarm), id)
}

/// Sends garbage with `send`, one after the other, until the connection is closed by the node.
pub(crate) async fn until_cut_off(swarm: &mut Swarm<Hostile>, mut send: impl FnMut(&mut Swarm<Hostile>, u32)) {
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    let mut count = 0;
    soon(async {
        loop {
            tokio::select! {
                event = swarm.select_next_some() => {
                    if let SwarmEvent::ConnectionClosed { num_established: 0, .. } = event {
                        return;
                    }
                }
                _ = pace.tick() => {
                    send(swarm, count);
                    count += 1;
                }
            }
        }
    })
    .await;
}
