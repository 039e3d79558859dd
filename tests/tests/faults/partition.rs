//! Five nodes whose network breaks apart and heals, while both sides go on writing.

use end_to_end::node::Node;
use end_to_end::scene::Scene;
use end_to_end::signer::{self, Signer};
use end_to_end::wait::until;
use end_to_end::wires::Wires;
use end_to_end::{trade, views};
use futures::future::join_all;
use provenance::event::SignedEvent;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const NAMES: [&str; 5] = ["north", "south", "east", "west", "middle"];

/// Those who are cut off from the others.
const APART: [&str; 2] = ["north", "south"];

/// Lots that each side registers while it is alone: more than one page of a list, less than one of a log.
const LOTS: usize = 300;

#[tokio::test(flavor = "multi_thread")]
async fn five_nodes_converge_after_a_short_partition() {
    // Connections outlive it, and what was lost is sent again.
    converge_after(Duration::from_secs(3)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_nodes_converge_after_a_long_partition() {
    // Longer than a peer may leave a ping unanswered, so that all connections across are given up.
    converge_after(Duration::from_secs(50)).await;
}

async fn converge_after(parted: Duration) {
    let mut scene = Scene::new(&NAMES, &[signer::public(1), signer::public(2)]).await;
    let wires = Wires::lay(&mut scene, &NAMES).await;
    let mut nodes = Vec::new();
    for name in NAMES {
        nodes.push(scene.start(name).await);
    }
    for node in &nodes[..4] {
        node.connected(nodes[4].peer_id()).await;
    }
    let farm = trade::farm(&nodes[0].client, "Jork").await;
    let shared = trade::lot(&nodes[0].client, &farm, "100").await;
    agree(&nodes, nodes[0].log_size().await).await;

    wires.part(&APART);
    let began = Instant::now();
    let (mut one, mut other) = (Signer::founder(&scene, 1, 0), Signer::founder(&scene, 2, 1));
    nodes[0].client.submit(&lots(&mut one)).await;
    nodes[2].client.submit(&lots(&mut other)).await;
    let here = trade::lot(&nodes[1].client, &farm, "200").await;
    let buyer = other.actor().to_string();
    trade::offer(&nodes[0].client, &shared, Some("40"), &buyer).await;
    let there = trade::farm(&nodes[3].client, "Tramin").await;
    let place = format!("/api/v1/places/{there}");
    until("the farm is known", async || (nodes[4].client.read(&place).await.status == 200).then_some(())).await;
    trade::lot(&nodes[4].client, &there, "300").await;
    // Each side is at one with itself, and knows nothing of the other.
    let (left, right) = nodes.split_at(2);
    agree(left, left[0].log_size().await.max(left[1].log_size().await)).await;
    until("the other side has its lots", async || (right[1].log_size().await > LOTS as u64).then_some(())).await;
    let hidden = right[0].client.read(&format!("/api/v1/produces/{here}")).await;
    assert_eq!(hidden.status, 404, "nothing crosses a cut wire: {}", hidden.text());
    tokio::time::sleep(parted.saturating_sub(began.elapsed())).await;

    wires.heal();
    let healed = Instant::now();
    // Network, two farms and a lot before; then a farm with lots and two events on each side.
    let entries = 3 + 2 * (LOTS as u64 + 1) + 2 + 2;
    agree(&nodes, entries).await;
    println!("{:?} after the network healed, all five nodes have the same state root", healed.elapsed());
    let shown = join_all(nodes.iter().map(|node| views::all(&node.client))).await;
    for other in &shown[1..] {
        views::assert_same(&shown[0], other);
    }
    for node in nodes {
        assert_eq!(node.stop().await.code(), Some(0));
    }
}

fn lots(signer: &mut Signer) -> Vec<SignedEvent> {
    let farm = signer.farm("Vinschgau");
    let lots: Vec<_> = (0..LOTS).map(|_| signer.lot(&farm, "10")).collect();
    [vec![farm], lots].concat()
}

/// Waits until all logs have this many entries, and their checkpoints one state root.
async fn agree(nodes: &[Node], entries: u64) {
    until(&format!("{} nodes agree on {entries} entries", nodes.len()), async || {
        let checkpoints = join_all(nodes.iter().map(Node::checkpoint)).await;
        let roots: BTreeSet<_> = checkpoints.iter().map(|checkpoint| checkpoint.state_root).collect();
        let whole = checkpoints.iter().all(|checkpoint| checkpoint.size == entries);
        (whole && roots.len() == 1).then_some(())
    })
    .await;
}
