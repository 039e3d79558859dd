//! A peer that is not Furrow: a bare libp2p swarm that sends garbage. It is scored down and cut
//! off, and the node goes on serving others.

// A failed step is a failed test.
#![allow(clippy::unwrap_used)]

mod support;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::gossipsub::{self, IdentTopic, MessageAuthenticity, MessageId, ValidationMode};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, StreamProtocol, Swarm, SwarmBuilder, noise, tcp, yamux};
use p2p::message::MAX_REQUEST_BYTES;
use p2p::{BLOCKING_POINTS, Incoming, PeerId, Request, Response};
use std::io;
use std::time::Duration;
use support::{Node, network, node, soon};

/// Writes any bytes as a request, and reads any as a response.
#[derive(Clone, Copy)]
struct AnyBytes;

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
struct Hostile {
    gossip: gossipsub::Behaviour,
    sync: request_response::Behaviour<AnyBytes>,
}

fn topic() -> IdentTopic {
    IdentTopic::new(format!("/furrow/{}/events/1", network()))
}

/// A hostile swarm that is connected to `node` and has been noticed by it.
async fn hostile(node: &mut Node) -> (Box<Swarm<Hostile>>, PeerId) {
    hostile_with(node, MessageAuthenticity::Anonymous, ValidationMode::Anonymous).await
}

async fn hostile_with(
    node: &mut Node,
    author: MessageAuthenticity,
    validation: ValidationMode,
) -> (Box<Swarm<Hostile>>, PeerId) {
    let gossip = gossipsub::ConfigBuilder::default()
        .validation_mode(validation)
        .max_transmit_size(1 << 20)
        .message_id_fn(|message| MessageId::new(&message.data))
        .build()
        .unwrap();
    let mut gossip = gossipsub::Behaviour::new(author, gossip).unwrap();
    gossip.subscribe(&topic()).unwrap();
    let protocol = StreamProtocol::try_from_owned(format!("/furrow/{}/sync/1", network())).unwrap();
    let sync = request_response::Behaviour::with_codec(
        AnyBytes,
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
async fn until_cut_off(swarm: &mut Swarm<Hostile>, mut send: impl FnMut(&mut Swarm<Hostile>, u32)) {
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

/// The node does not take the hostile peer back, and serves an honest one.
async fn assert_serves_others_only(mut node: Node, mut swarm: Box<Swarm<Hostile>>) {
    let hostile: PeerId = swarm.local_peer_id().to_string().parse().unwrap();
    swarm.dial(node.address.parse::<Multiaddr>().unwrap()).unwrap();
    let refused = async {
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::ConnectionClosed { .. } | SwarmEvent::OutgoingConnectionError { .. } => {
                    return;
                }
                _ => {}
            }
        }
    };
    soon(refused).await;
    assert!(node.handle.peers().await.unwrap().iter().all(|peer| peer.id != hostile));

    let mut honest = support::node(2, &[&node.address]).await;
    honest.connected(node.id()).await;
    let server = node.id();
    let request = Request::LogPage { from: 0, max: 1 };
    let answer = Response::LogPage { log_size: 0, ids: vec![] };
    let serve = async {
        loop {
            if let Incoming::Request { reply, .. } = node.next().await {
                reply.send(answer.clone()).await.unwrap();
                return;
            }
        }
    };
    let (got, ()) = tokio::join!(honest.handle.request(&server, request), serve);
    assert_eq!(got, Ok(answer));
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_on_the_sync_protocol() {
    let mut node = node(1, &[]).await;
    let (mut swarm, id) = hostile(&mut node).await;
    let target: libp2p::PeerId = node.id().to_string().parse().unwrap();
    let garbage: [Vec<u8>; 4] = [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0; MAX_REQUEST_BYTES + 1],
        vec![0x82, 2, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        vec![],
    ];
    until_cut_off(&mut swarm, |swarm, count| {
        let bytes = garbage[count as usize % garbage.len()].clone();
        swarm.behaviour_mut().sync.send_request(&target, bytes);
    })
    .await;
    node.disconnected(id).await;
    assert_serves_others_only(node, swarm).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_answers() {
    let mut node = node(1, &[]).await;
    let (mut swarm, id) = hostile(&mut node).await;
    let handle = node.handle.clone();
    let asking = tokio::spawn(async move {
        let request = || Request::LogPage { from: 0, max: 1 };
        while handle.request(&id, request()).await != Err(p2p::RequestError::NotConnected) {}
    });
    let answer = async {
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::Behaviour(HostileEvent::Sync(request_response::Event::Message {
                    message: request_response::Message::Request { channel, .. },
                    ..
                })) => {
                    let _ = swarm.behaviour_mut().sync.send_response(channel, vec![0xff; 100]);
                }
                SwarmEvent::ConnectionClosed { num_established: 0, .. } => return,
                _ => {}
            }
        }
    };
    soon(answer).await;
    soon(asking).await.unwrap();
    node.disconnected(id).await;
    assert_serves_others_only(node, swarm).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_in_gossip() {
    let mut node = node(1, &[]).await;
    let (mut swarm, id) = hostile(&mut node).await;
    until_cut_off(&mut swarm, |swarm, count| {
        let garbage = [&[0xff; 10][..], &count.to_be_bytes()].concat();
        // Fails until the node's subscription is known.
        let _ = swarm.behaviour_mut().gossip.publish(topic(), garbage);
    })
    .await;
    node.disconnected(id).await;
    assert_serves_others_only(node, swarm).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gossip_of_another_dialect() {
    let mut node = node(1, &[]).await;
    // Messages with an author are refused by the gossip protocol itself; its score cuts the peer off.
    let author = MessageAuthenticity::RandomAuthor;
    let (mut swarm, id) = hostile_with(&mut node, author, ValidationMode::None).await;
    until_cut_off(&mut swarm, |swarm, count| {
        let _ = swarm.behaviour_mut().gossip.publish(topic(), count.to_be_bytes());
    })
    .await;
    node.disconnected(id).await;
    assert_serves_others_only(node, swarm).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gossip_that_is_too_large() {
    let mut node = node(1, &[]).await;
    let (mut swarm, id) = hostile(&mut node).await;
    // Longer than a batch may be, but not longer than what the gossip protocol lets through.
    until_cut_off(&mut swarm, |swarm, count| {
        let mut batch = vec![0; p2p::MAX_GOSSIP_BYTES + 1];
        batch[..4].copy_from_slice(&count.to_be_bytes());
        let _ = swarm.behaviour_mut().gossip.publish(topic(), batch);
    })
    .await;
    node.disconnected(id).await;
    assert_serves_others_only(node, swarm).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_points_of_a_hostile_peer_are_shown() {
    let mut node = node(1, &[]).await;
    let (mut swarm, id) = hostile(&mut node).await;
    let target: libp2p::PeerId = node.id().to_string().parse().unwrap();
    swarm.behaviour_mut().sync.send_request(&target, vec![0xff]);
    let shown = support::until(async || {
        let peers = node.handle.peers().await.unwrap();
        peers.iter().find(|peer| peer.id == id && peer.points > 0).map(|peer| peer.points)
    });
    let points = tokio::select! {
        points = shown => points,
        () = async { loop { swarm.select_next_some().await; } } => unreachable!("it has no end"),
    };
    assert!(points < BLOCKING_POINTS, "one fault is not the end: {points}");
}
