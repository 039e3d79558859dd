//! A node that catches up over a bad line, or is killed again and again while it does.

use end_to_end::node::Node;
use end_to_end::scene::Scene;
use end_to_end::signer::{self, Signer};
use end_to_end::wait::until;
use end_to_end::wires::Relay;
use end_to_end::{trade, views};
use provenance::event::SignedEvent;
use std::time::{Duration, Instant};

/// Enough that catching up takes some seconds on any machine.
const MANY: usize = 12_000;

/// Some hundred kilobytes.
const SOME: usize = 600;

/// A first node with this many lots; the number of its entries.
async fn filled(scene: &mut Scene, lots: usize) -> (Node, u64) {
    let north = scene.start("north").await;
    let mut signer = Signer::founder(scene, 1, 0);
    let farm = signer.farm("Tramin");
    north.client.submit(std::slice::from_ref(&farm)).await;
    let lots: Vec<SignedEvent> = (0..lots).map(|_| signer.lot(&farm, "10")).collect();
    for some in lots.chunks(4_000) {
        north.client.submit(some).await;
    }
    let size = north.log_size().await;
    (north, size)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_it_catches_up_all_the_same() {
    let mut scene = Scene::new(&["north", "south"], &[signer::public(1)]).await;
    let (north, size) = filled(&mut scene, MANY).await;
    let mut sizes = Vec::new();
    for delay_ms in [50, 150, 300, 500, 800] {
        let south = scene.start_with("south", &[&north]).await;
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        sizes.push(south.log_size().await);
        south.kill();
    }
    println!("it had {sizes:?} of {size} entries when it was killed");
    assert!(sizes.is_sorted(), "what was there once is there for good: {sizes:?}");
    let south = scene.start_with("south", &[&north]).await;
    south.has_entries(size).await;
    assert_eq!(views::event_ids(&south.client).await, views::event_ids(&north.client).await);
    same_state(&north, &south, size).await;
    assert_eq!(south.stop().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_slow_line() {
    let mut scene = Scene::new(&["north", "south"], &[signer::public(1)]).await;
    let (north, size) = filled(&mut scene, SOME).await;
    let (_, port) = north.peer_address().split_once("/tcp/").unwrap();
    let port = port.split('/').next().unwrap();
    let line = Relay::to(&format!("127.0.0.1:{port}")).await;
    // A mobile line at the edge of its cell, with a satellite behind it.
    line.slow(48 << 10, Duration::from_millis(300));
    scene.site("south").set("p2p.bootstrap", &format!("/ip4/127.0.0.1/tcp/{}", line.port()));
    let began = Instant::now();
    let south = scene.start("south").await;
    south.has_entries(size).await;
    println!("{:?} for {size} entries over a line of 48 KiB/s with 300 ms each way", began.elapsed());
    // What is new passes what is old in no time, both ways.
    let farm = trade::farm(&south.client, "Jork").await;
    trade::farm(&north.client, "Vinschgau").await;
    let place = format!("/api/v1/places/{farm}");
    until("the farm is known", async || (north.client.read(&place).await.status == 200).then_some(())).await;
    same_state(&north, &south, size + 2).await;
    assert!(south.peers().await.iter().all(|peer| peer["points"] == 0), "slowness is no misbehaviour");
}

/// Waits until both nodes have these entries and the same state root.
async fn same_state(one: &Node, other: &Node, size: u64) {
    until("both have the same state", async || {
        let (one, other) = (one.checkpoint().await, other.checkpoint().await);
        ((one.size, other.size) == (size, size) && one.state_root == other.state_root).then_some(())
    })
    .await;
}
