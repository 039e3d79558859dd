//! A peer that is not Furrow: a bare libp2p swarm that sends garbage. It is scored down and cut
//! off, and the node goes on serving others.

// A failed step is a failed test.
#![allow(clippy::unwrap_used)]

mod support;

use futures::StreamExt;
use libp2p::gossipsub::{MessageAuthenticity, ValidationMode};
use libp2p::request_response;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, Swarm};
use p2p::message::MAX_REQUEST_BYTES;
use p2p::{BLOCKING_POINTS, Incoming, PeerId, Request, Response};
use support::hostile::{Hostile, HostileEvent, hostile, hostile_with, topic, until_cut_off};
use support::{Node, node, soon};

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
    let (mut swarm, id) = hostile_with(&mut node, author, ValidationMode::None, false).await;
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
