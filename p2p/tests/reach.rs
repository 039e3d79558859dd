//! Nodes that do not know each other, or cannot dial each other, find and reach each other.

// A failed step is a failed test.
#![allow(clippy::unwrap_used)]

mod support;

use p2p::{Config, Incoming, Reachability, Request, RequestError, Response};
use support::{Node, config, free_port, node, run, soon, until};

/// A node that carries connections for others, at a known address.
async fn relay(seed: u8) -> Node {
    let listen = format!("/ip4/127.0.0.1/tcp/{}", free_port());
    let external_addresses = vec![listen.clone()];
    run(Config { listen: vec![listen], relay_server: true, external_addresses, discovery: true, ..config(seed) }).await
}

/// A node that is told of no addresses and finds none out.
fn behind_a_router(seed: u8, bootstrap: Vec<String>) -> Config {
    Config { bootstrap, autonat: false, ..config(seed) }
}

/// A node that looks for others through those that it knows.
async fn looking(seed: u8, bootstrap: &Node) -> Node {
    run(Config { bootstrap: vec![bootstrap.address.clone()], discovery: true, ..config(seed) }).await
}

async fn addresses_of(node: &Node, peer: p2p::PeerId) -> Vec<String> {
    let peers = node.handle.peers().await.unwrap();
    peers.into_iter().find(|info| info.id == peer).map(|info| info.addresses).unwrap_or_default()
}

/// Asks `to` something, which answers. A question that was under way on a connection that ends, as one
/// through a relay does when a direct one is there, is asked again, as a node does.
async fn talk(from: &Node, to: &mut Node) {
    let answer = Response::LogPage { log_size: 7, ids: vec![] };
    let to_id = to.id();
    let serve = async {
        loop {
            if let Incoming::Request { reply, .. } = to.next().await {
                // A question that was lost is answered in vain.
                reply.send(answer.clone()).await.unwrap();
            }
        }
    };
    let ask = until(async || match from.handle.request(&to_id, Request::LogPage { from: 0, max: 1 }).await {
        Err(RequestError::Disconnected | RequestError::NotConnected) => None,
        answered => Some(answered),
    });
    let got = tokio::select! { got = ask => got, () = serve => unreachable!("it serves without end") };
    assert_eq!(got, Ok(answer.clone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_know_only_a_relay_reach_each_other() {
    let (relay, mut a, b) = two_behind_routers().await;
    talk(&b, &mut a).await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "both dial at the same moment and try three times, which a loaded machine does not always manage"]
async fn two_nodes_that_met_through_a_relay_go_direct() {
    let (relay, mut a, mut b) = two_behind_routers().await;
    talk(&b, &mut a).await;

    // The hole is punched, and the relay is not needed any more.
    until(async || {
        let punched = a.handle.status().counters.holes_punched + b.handle.status().counters.holes_punched > 0;
        let addresses = addresses_of(&b, a.id()).await;
        let direct = !addresses.is_empty() && addresses.iter().all(|address| !address.contains("/p2p-circuit"));
        (punched && direct).then_some(())
    })
    .await;
    relay.stop().await;
    talk(&b, &mut a).await;
    talk(&a, &mut b).await;
}

/// A relay, and two nodes that know nothing else, of which the second has reached the first through it.
async fn two_behind_routers() -> (Node, Node, Node) {
    let relay = relay(1).await;
    let mut a = run(behind_a_router(2, vec![relay.address.clone()])).await;
    a.connected(relay.id()).await;
    a.stands(|status| status.relays == [relay.id()]).await;
    assert!(a.handle.status().external_addresses.iter().any(|address| address.contains("/p2p-circuit")));

    let through = format!("{}/p2p-circuit/p2p/{}", relay.address, a.id());
    let mut b = run(behind_a_router(3, vec![relay.address.clone(), through])).await;
    b.connected(a.id()).await;
    (relay, a, b)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_relay_is_replaced() {
    let (first, second) = (relay(1).await, relay(2).await);
    let both = vec![first.address.clone(), second.address.clone()];
    let a = run(behind_a_router(3, both)).await;
    a.stands(|status| status.relays.len() == 2).await;
    let (second_id, first_id) = (second.id(), first.id());
    first.stop().await;
    a.stands(|status| status.relays == [second_id]).await;
    let external = a.handle.status().external_addresses.clone();
    assert!(external.iter().all(|address| !address.contains(&first_id.to_string())), "{external:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_relays_unasked() {
    let mut hub = node(1, &[]).await;
    let a = run(behind_a_router(2, vec![hub.address.clone()])).await;
    hub.connected(a.id()).await;
    // The peers have introduced themselves, so the node knows that there is no relay.
    until(async || a.handle.peers().await.unwrap().iter().any(|peer| peer.agent.is_some()).then_some(())).await;
    assert_eq!(a.handle.status().relays, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_node_is_found_through_a_second() {
    let hub = run(Config { discovery: true, ..config(1) }).await;
    let mut a = looking(2, &hub).await;
    let mut b = looking(3, &hub).await;
    let (a_id, b_id) = (a.id(), b.id());
    tokio::join!(a.connected(b_id), b.connected(a_id));
    // They do not need the second any more.
    hub.stop().await;
    talk(&a, &mut b).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_behind_a_relay_is_found_without_being_named() {
    let relay = relay(1).await;
    let hidden = Config { discovery: true, ..behind_a_router(2, vec![relay.address.clone()]) };
    let mut hidden = run(hidden).await;
    hidden.stands(|status| !status.relays.is_empty()).await;
    let mut b = looking(3, &relay).await;
    b.connected(hidden.id()).await;
    hidden.connected(b.id()).await;
    talk(&b, &mut hidden).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_find_out_whether_a_node_can_be_dialled() {
    let server = node(1, &[]).await;
    let open = node(2, &[&server.address]).await;
    let own = open.address.split("/p2p/").next().unwrap().to_owned();
    open.stands(|status| status.reachability == Reachability::Public).await;
    assert!(open.handle.status().external_addresses.iter().any(|address| address.starts_with(&own)));

    // It is seen under 127.0.0.1, and listens elsewhere, as behind a router.
    let listen = vec!["/ip4/127.0.0.2/tcp/0".to_owned()];
    let bootstrap = vec![server.address.clone()];
    let hidden = run(Config { listen, bootstrap, ..config(3) }).await;
    hidden.stands(|status| status.reachability == Reachability::Private).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_the_operator_vouches_for_is_told_to_peers() {
    let external_addresses = vec!["/ip4/203.0.113.5/tcp/4874".to_owned()];
    let a = run(Config { external_addresses: external_addresses.clone(), ..config(1) }).await;
    a.stands(|status| status.external_addresses == external_addresses).await;
    assert_eq!(a.handle.status().reachability, Reachability::Public);
    soon(a.stop()).await;
}
