//! A private network: who is let in, who is not, and what changes when the ledger learns more.

// A failed step is a failed test.
#![allow(clippy::unwrap_used)]

mod support;

use p2p::{Admission, Config, IdentitySeed, Incoming, PeerId, Refusal, Request, RequestError, Response, Roll};
use std::sync::Arc;
use std::time::Duration;
use support::{Node, config, node, run, soon, until};
use tokio::sync::watch;

fn id(seed: u8) -> PeerId {
    IdentitySeed::from([seed; 32]).peer_id()
}

fn roll(seeds: &[u8]) -> Arc<Roll> {
    Arc::new(Roll { enrolled: seeds.iter().map(|seed| id(*seed)).collect(), ..Roll::default() })
}

/// A node that lets in only who is on the roll.
async fn private(seed: u8, roll: Arc<Roll>, bootstrap: &[&str]) -> (Node, watch::Sender<Arc<Roll>>) {
    let (tell, roll) = watch::channel(roll);
    let bootstrap = bootstrap.iter().map(|&address| address.to_owned()).collect();
    (run(Config { admission: Admission::Enrolled(roll), bootstrap, ..config(seed) }).await, tell)
}

/// Waits until the node has refused the peer for this reason.
async fn refuses(node: &Node, peer: PeerId, reason: Refusal) {
    node.stands(|status| status.refused.iter().any(|refused| refused.id == peer && refused.reason == reason)).await;
}

/// Waits long enough for the node to have dialled, and been answered by a stranger.
async fn refuses_dial(node: &Node) {
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(node.handle.peers().await, Ok(vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_refused_until_it_is_enrolled() {
    let (mut a, tell) = private(1, roll(&[1, 2]), &[]).await;
    let mut enrolled = node(2, &[&a.address]).await;
    enrolled.connected(a.id()).await;
    a.connected(id(2)).await;

    let stranger = node(3, &[&a.address]).await;
    refuses(&a, id(3), Refusal::NotEnrolled).await;
    assert!(a.handle.peers().await.unwrap().iter().all(|peer| peer.id == id(2)));
    let refused = stranger.handle.request(&a.id(), Request::LogPage { from: 0, max: 1 }).await;
    assert!(refused.is_err(), "{refused:?}");
    a.stands(|status| status.counters.connections_not_admitted > 0).await;

    tell.send(roll(&[1, 2, 3])).unwrap();
    a.connected(id(3)).await;
    a.stands(|status| status.refused.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_revoked_is_disconnected_and_stays_out() {
    let (mut a, tell) = private(1, roll(&[1, 2, 3]), &[]).await;
    let mut b = node(2, &[&a.address]).await;
    let mut c = node(3, &[&a.address]).await;
    for other in [&mut b, &mut c] {
        other.connected(a.id()).await;
    }
    until(async || (a.handle.peers().await.unwrap().len() == 2).then_some(())).await;
    tell.send(Arc::new(Roll { revoked: [id(2)].into(), ..Roll::clone(&roll(&[1, 3])) })).unwrap();
    a.disconnected(id(2)).await;
    b.disconnected(a.id()).await;
    refuses(&a, id(2), Refusal::Revoked).await;
    let peers = a.handle.peers().await.unwrap();
    assert_eq!(peers.iter().map(|peer| peer.id).collect::<Vec<_>>(), [id(3)], "the other one stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_node_trusts_its_bootstrap_peer_and_no_stranger() {
    let (mut a, _a_roll) = private(1, roll(&[1, 2]), &[]).await;
    // It knows no enrolment yet; the address says whom to trust.
    let (mut fresh, fresh_roll) = private(2, Arc::default(), &[&a.address]).await;
    fresh.connected(a.id()).await;
    a.connected(fresh.id()).await;
    let _stranger = node(3, &[&fresh.address]).await;
    refuses(&fresh, id(3), Refusal::NotEnrolled).await;
    // What it learns later does not take the bootstrap peer away.
    fresh_roll.send(roll(&[2, 9])).unwrap();
    let _other = node(4, &[&fresh.address]).await;
    refuses(&fresh, id(4), Refusal::NotEnrolled).await;
    assert_eq!(fresh.handle.peers().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_at_an_address_without_a_name_must_be_enrolled() {
    let mut other = node(2, &[]).await;
    let bare = other.address.split("/p2p/").next().unwrap().to_owned();
    let (mut a, tell) = private(1, roll(&[1, 9]), &[&bare]).await;
    refuses_dial(&a).await;
    tell.send(roll(&[1, 2, 9])).unwrap();
    a.connected(id(2)).await;
    other.connected(a.id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_may_trust_a_peer_before_anyone_is_enrolled() {
    let (tell, enrolled) = watch::channel(roll(&[1]));
    let trusting = Config { admission: Admission::Enrolled(enrolled), trusted: vec![id(2)], ..config(1) };
    let mut a = run(trusting).await;
    let _trusted = node(2, &[&a.address]).await;
    a.connected(id(2)).await;
    let _stranger = node(3, &[&a.address]).await;
    refuses(&a, id(3), Refusal::NotEnrolled).await;
    drop(tell);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_reading_is_open_strangers_read_and_do_nothing_else() {
    let open = Roll { open_reading: true, ..Roll::clone(&roll(&[1, 2])) };
    let (mut a, tell) = private(1, Arc::new(open), &[]).await;
    let mut stranger = node(3, &[&a.address]).await;
    stranger.connected(a.id()).await;
    a.stands(|status| status.readers == 1).await;

    let (a_id, handle) = (a.id(), stranger.handle.clone());
    let read = tokio::spawn(async move { handle.request(&a_id, Request::LogPage { from: 0, max: 1 }).await });
    let answer = Response::LogPage { log_size: 0, ids: vec![] };
    match a.next().await {
        Incoming::Request { from, reply, .. } => {
            assert_eq!(from, id(3));
            reply.send(answer.clone()).await.unwrap();
        }
        other => panic!("a reader is not announced: {other:?}"),
    }
    assert_eq!(soon(read).await.unwrap(), Ok(answer));

    let favour = stranger.handle.request(&a.id(), Request::Cosign { note: "mine".to_owned() }).await;
    assert_eq!(favour, Err(RequestError::NoAnswer));
    a.stands(|status| status.counters.requests_not_allowed == 1).await;
    // It can gossip as much as it likes: there is nobody to gossip with.
    for number in 0..10_u8 {
        stranger.handle.publish(&[vec![number]]).await.unwrap();
    }
    let heard = tokio::time::timeout(Duration::from_millis(300), a.incoming.recv()).await;
    assert!(heard.is_err(), "{heard:?}");
    assert_eq!(a.handle.peers().await, Ok(vec![]), "it is none of the network's peers");

    // Enrolled, it comes back as one of them.
    tell.send(roll(&[1, 2, 3])).unwrap();
    a.connected(id(3)).await;
    a.stands(|status| status.readers == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_just_founded_is_open_and_says_so() {
    let founding = Roll { founding: true, ..Roll::clone(&roll(&[1])) };
    let (mut a, tell) = private(1, Arc::new(founding), &[]).await;
    a.stands(|status| status.founding).await;
    let _founder = node(2, &[&a.address]).await;
    let _other = node(3, &[&a.address]).await;
    until(async || (a.handle.peers().await.unwrap().len() == 2).then_some(())).await;
    tell.send(roll(&[1, 2])).unwrap();
    a.disconnected(id(3)).await;
    a.stands(|status| !status.founding).await;
    assert_eq!(a.handle.peers().await.unwrap().len(), 1);
}
