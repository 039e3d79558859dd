//! Each limit is reached by a peer that wants more, and holds; others are served all the same.

// A failed step is a failed test.
#![allow(clippy::unwrap_used)]

mod support;

use futures::StreamExt;
use libp2p::gossipsub::{MessageAuthenticity, ValidationMode};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, Swarm};
use p2p::message::MAX_EVENT_BYTES;
use p2p::{Config, GossipVerdict, Incoming, NetworkStatus, Request, Response};
use provenance::id::EventId;
use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;
use support::hostile::{Hostile, hostile, hostile_with, topic, until_cut_off};
use support::{Node, config, node, run, soon};
use tokio::sync::mpsc;

/// Drives the swarm until the node stands like that; `again` is done each 20 ms.
async fn drive(
    swarm: &mut Swarm<Hostile>,
    node: &Node,
    like: impl Fn(&NetworkStatus) -> bool,
    mut again: impl FnMut(&mut Swarm<Hostile>),
) {
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    soon(async {
        while !like(&node.handle.status()) {
            tokio::select! {
                _ = swarm.select_next_some() => {}
                _ = pace.tick() => again(swarm),
            }
        }
    })
    .await;
}

fn id_of(node: &Node) -> libp2p::PeerId {
    node.id().to_string().parse().unwrap()
}

fn bodies(count: usize) -> Request {
    Request::Bodies { ids: vec![EventId::from_bytes([1; 32]); count] }
}

/// What comes from the network; the node goes on without.
fn take(node: &mut Node) -> mpsc::Receiver<Incoming> {
    std::mem::replace(&mut node.incoming, mpsc::channel(1).1)
}

/// The longest answer.
fn long_answer() -> Response {
    Response::fitting(std::iter::repeat_with(|| Some(vec![7; MAX_EVENT_BYTES])))
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_from_one_address() {
    let mut node = run(Config { max_connections_per_address: 2, ..config(1) }).await;
    let port: u16 = node.address.split('/').nth(4).unwrap().parse().unwrap();
    // They do not even say hello.
    let silent: Vec<_> = (0..4).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    node.stands(|status| status.counters.connections_over_limit >= 2).await;
    let closed = tokio::task::spawn_blocking(move || {
        let mut last = silent.into_iter().next_back().unwrap();
        last.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        last.read(&mut [0; 64])
    });
    assert!(matches!(soon(closed).await.unwrap(), Ok(0) | Err(_)), "what is over the limit is closed");
    // When they are gone there is room again.
    let honest = support::node(2, &[&node.address]).await;
    node.connected(honest.id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_one_peer() {
    let mut node = node(1, &[]).await;
    let (mut swarm, id) = hostile(&mut node).await;
    let (address, target): (Multiaddr, _) = (node.address.parse().unwrap(), id_of(&node));
    let over = |status: &NetworkStatus| status.counters.connections_over_limit >= 4;
    drive(&mut swarm, &node, over, |swarm| {
        let options = DialOpts::peer_id(target).condition(PeerCondition::Always).addresses(vec![address.clone()]);
        let _ = swarm.dial(options.allocate_new_port().build());
    })
    .await;
    let peers = node.handle.peers().await.unwrap();
    let connections = peers.iter().find(|peer| peer.id == id).unwrap().addresses.len();
    assert!(connections <= 4, "{connections}");
}

#[tokio::test(flavor = "multi_thread")]
async fn memory() {
    // Any process needs more than that.
    let node = run(Config { max_memory_bytes: 1 << 20, ..config(1) }).await;
    let other = support::node(2, &[&node.address]).await;
    node.stands(|status| status.counters.connections_over_limit > 0).await;
    assert_eq!(other.handle.peers().await, Ok(vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_each_kind() {
    let favour = Request::Cosign { note: String::new() }.encode();
    let greeting = [&[0x84, 0x00, 0x58, 0x20][..], &[9; 32], &[0x00, 0x60]].concat();
    for request in [favour, greeting, bodies(1).encode()] {
        let mut node = node(1, &[]).await;
        let (mut swarm, id) = hostile(&mut node).await;
        let target = id_of(&node);
        // Nobody answers, which makes no difference.
        until_cut_off(&mut swarm, |swarm, _| {
            for _ in 0..100 {
                swarm.behaviour_mut().sync.send_request(&target, request.clone());
            }
        })
        .await;
        node.stands(|status| status.counters.requests_over_rate > 0 && status.counters.peers_cut_off == 1).await;
        node.disconnected(id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_never_read() {
    let mut node = run(Config { request_timeout: Duration::from_secs(5), ..config(1) }).await;
    let (author, validation) = (MessageAuthenticity::Anonymous, ValidationMode::Anonymous);
    let (mut swarm, _) = hostile_with(&mut node, author, validation, true).await;
    let target = id_of(&node);
    for _ in 0..20 {
        swarm.behaviour_mut().sync.send_request(&target, bodies(1000).encode());
    }
    let (handle, mut incoming) = (node.handle.clone(), take(&mut node));
    let served = tokio::spawn(async move {
        while let Some(incoming) = incoming.recv().await {
            if let Incoming::Request { reply, .. } = incoming {
                reply.send(long_answer()).await.unwrap();
            }
        }
    });
    let busy = async {
        while handle.status().counters.requests_busy == 0 {
            tokio::select! {
                _ = swarm.select_next_some() => {}
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
        }
    };
    soon(busy).await;
    // An honest peer is answered meanwhile.
    let mut honest = support::node(2, &[&node.address]).await;
    honest.connected(handle.local_peer()).await;
    let server = handle.local_peer();
    let ask = honest.handle.request(&server, bodies(1000));
    let answer = tokio::select! {
        answer = soon(ask) => answer,
        () = async { loop { swarm.select_next_some().await; } } => unreachable!("it has no end"),
    };
    assert!(matches!(answer, Ok(Response::Bodies { .. })), "{answer:?}");
    served.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_of_answers() {
    let mut node = run(Config { upload_bytes_per_second: 1 << 20, ..config(1) }).await;
    let mut honest = support::node(2, &[&node.address]).await;
    honest.connected(node.id()).await;
    let (handle, mut incoming) = (node.handle.clone(), take(&mut node));
    let served = tokio::spawn(async move {
        while let Some(incoming) = incoming.recv().await {
            if let Incoming::Request { reply, .. } = incoming {
                reply.send(long_answer()).await.unwrap();
            }
        }
    });
    let server = handle.local_peer();
    let asking = || honest.handle.request(&server, bodies(1000));
    let answers = soon(futures::future::join_all([asking(), asking(), asking(), asking()])).await;
    assert!(answers.iter().all(Result::is_ok), "they come, only later");
    support::until(async || {
        let counters = handle.status().counters;
        (counters.answers_delayed > 0 && counters.answer_bytes_out > 4 * 4_000_000).then_some(())
    })
    .await;
    served.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn gossip_that_is_sent_again() {
    let mut node = run(Config { gossip_memory: Duration::from_secs(1), ..config(1) }).await;
    let (mut swarm, id) = hostile(&mut node).await;
    let (handle, mut incoming) = (node.handle.clone(), take(&mut node));
    let judge = handle.clone();
    let judging = tokio::spawn(async move {
        let mut heard = 0;
        while let Some(incoming) = incoming.recv().await {
            match incoming {
                Incoming::Gossip { id, .. } => {
                    heard += 1;
                    judge.validated(id, GossipVerdict::Accept).await.unwrap();
                }
                Incoming::Disconnected(peer) if peer == id => return heard,
                _ => {}
            }
        }
        heard
    });
    // One good message over and over: what is not forgotten costs nothing, what is costs standing.
    until_cut_off(&mut swarm, |swarm, _| {
        let _ = swarm.behaviour_mut().gossip.publish(topic(), [0x81, 0x41, 0x07].to_vec());
    })
    .await;
    assert_eq!(soon(judging).await.unwrap(), 1, "it was judged once");
    support::until(async || (handle.status().counters.gossip_replayed > 0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_of_one_connection() {
    let mut slow = run(Config { download_bytes_per_second: 1 << 20, ..config(1) }).await;
    let mut honest = support::node(2, &[&slow.address]).await;
    honest.connected(slow.id()).await;
    slow.connected(honest.id()).await;
    let (server, handle, mut incoming) = (honest.id(), honest.handle.clone(), take(&mut honest));
    let served = tokio::spawn(async move {
        while let Some(incoming) = incoming.recv().await {
            if let Incoming::Request { reply, .. } = incoming {
                reply.send(long_answer()).await.unwrap();
            }
        }
    });
    let answer = soon(slow.handle.request(&server, bodies(1000))).await;
    assert!(matches!(answer, Ok(Response::Bodies { .. })), "it comes, only later: {answer:?}");
    slow.stands(|status| status.counters.bytes_in > 4_000_000 && status.counters.reads_paused > 0).await;
    support::until(async || (handle.status().counters.bytes_out > 4_000_000).then_some(())).await;
    served.abort();
}
