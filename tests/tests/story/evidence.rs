//! What an anchor gives beside itself: evidence for whoever has no endpoint, and a date for what is signed after it.

use end_to_end::anvil::Anvil;
use end_to_end::node::Node;
use end_to_end::scene::Scene;
use end_to_end::trade;
use end_to_end::wait::until;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_final_anchor_is_proven_and_dates_what_comes_after_it() {
    let mut scene = Scene::new(&["node"], &[]).await;
    let anvil = Anvil::start(scene.folder()).await;
    scene.site("node").anchor_in(&anvil).await;
    let node = scene.start("node").await;
    let farm = trade::farm(&node.client, "Jork").await;
    assert_eq!(creation(&node, &farm).await["after"], Value::Null, "nothing is anchored yet");

    until("an anchor is final", async || {
        let anchors = node.client.get("/api/v1/anchors").await;
        anchors["status"]["final_size"].as_u64().filter(|size| *size > 0)
    })
    .await;
    let anchor = node.client.all("/api/v1/anchors").await.remove(0);
    assert_eq!(anchor["evidence"], "storage", "{anchor}");
    let other = trade::farm(&node.client, "Steinkirchen").await;
    let after = json!({ "chain_id": anchor["chain_id"], "commitment": anchor["block"]["commitment"] });
    assert_eq!(creation(&node, &other).await["after"], after);
    assert_eq!(node.stop().await.code(), Some(0));
}

/// The event that created a place.
async fn creation(node: &Node, place: &str) -> Value {
    let events = node.client.all("/api/v1/events").await;
    let created = |event: &&Value| event["created"].as_array().is_some_and(|created| created.contains(&json!(place)));
    events.iter().find(created).cloned().unwrap_or_else(|| panic!("no event created {place}: {events:?}"))
}
