//! A network closes with its first nodes: strangers are refused, shown, and let in when they are trusted.

use end_to_end::node::Node;
use end_to_end::scene::Scene;
use end_to_end::trade;
use end_to_end::wait::until;
use serde_json::Value;

/// How the network stands for this node.
async fn network(node: &Node) -> Value {
    node.client.get("/api/v1/peers").await["network"].clone()
}

async fn refuses(node: &Node, peer: &str) {
    until("a stranger is refused", async || {
        let refused = network(node).await["refused"].as_array()?.clone();
        refused.iter().any(|refused| refused["id"] == peer).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_enrolled_and_trusted_nodes_are_let_in() {
    let mut scene = Scene::new(&["north", "south", "east"], &[]).await;
    let north = scene.start("north").await;
    // Nobody is enrolled yet: the network is just being founded.
    until("the network is open", async || (network(&north).await["founding"] == true).then_some(())).await;
    let south = scene.start_with("south", &[&north]).await;
    south.connected(north.peer_id()).await;
    for name in ["north", "south"] {
        scene.site(name).json(&["actor", "enrol", "--name", name, "--this-node"]).await;
    }
    north.has_entries(3).await;
    until("the network is closed", async || (network(&north).await["founding"] == false).then_some(())).await;

    let east = scene.start_with("east", &[&north]).await;
    refuses(&north, east.peer_id()).await;
    assert!(north.peers().await.iter().all(|peer| peer["id"] != east.peer_id()));
    let shown = scene.site("north").run(&["status"]).await;
    assert!(shown.out.contains(east.peer_id()), "{shown:?}");
    assert_eq!(east.log_size().await, 1, "it learns nothing");

    // The operator trusts it, and it enrols itself.
    assert_eq!(north.stop().await.code(), Some(0));
    scene.site("north").set("p2p.trusted", east.peer_id());
    let north = scene.start("north").await;
    east.connected(north.peer_id()).await;
    east.has_entries(3).await;
    scene.site("east").json(&["actor", "enrol", "--name", "east", "--this-node"]).await;
    south.has_entries(4).await;
    trade::farm(&east.client, "Tramin").await;
    south.has_entries(5).await;
}
