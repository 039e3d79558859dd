//! A tablet with a farmer's key is stolen, and the thief sells. The cooperative ends the key after its last good event,
//! and what the thief did is gone from the views of all nodes, whatever they had learned before.

use data_encoding::HEXLOWER;
use ed25519_dalek::{Signer as _, SigningKey};
use end_to_end::node::Node;
use end_to_end::scene::Scene;
use end_to_end::signer::{self, Signer};
use end_to_end::trade;
use end_to_end::views;
use end_to_end::wait::until;
use provenance::body::{Custody, KeyAdded};
use provenance::id::EventId;
use serde_json::{Value, json};

/// The tablet's key.
const TABLET: u8 = 40;

/// The farmer's tablet, whose key the cooperative's node does not keep; with the farmer's id.
async fn tablet(scene: &Scene, north: &Node) -> (Signer, String) {
    let farmer = trade::enrol(&north.client, "Anna", "farmer").await;
    let anna = farmer.parse().unwrap();
    let key = signer::public(TABLET);
    let body = KeyAdded { key, custody: Custody::Own, name: None, countersignature: [0; 64].into() };
    let consent = body.countersigned_bytes(&scene.network(), &anna);
    let consent = SigningKey::from_bytes(&[TABLET; 32]).sign(&consent).to_bytes();
    let command = json!({ "key": key, "countersignature": HEXLOWER.encode(&consent) });
    let added = north.client.post(&format!("/api/v1/actors/{farmer}/keys"), &command).await;
    let event = |value: &Value| -> EventId { value.as_str().unwrap().parse().unwrap() };
    let (enrolment, key_event) = (event(&added["enrolment"]), event(&added["event"]["id"]));
    (Signer::with_key(scene, TABLET, anna, enrolment, key_event), farmer)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_thief_sells_with_a_stolen_key_is_undone_on_all_nodes() {
    let mut scene = Scene::new(&["north", "south"], &[]).await;
    let north = scene.start("north").await;
    let south = scene.start_with("south", &[&north]).await;
    let (mut tablet, farmer) = tablet(&scene, &north).await;
    let buyer = south.cooperative().await;

    // The farmer's own work.
    let farm = tablet.farm("Tramin");
    let (first, second) = (tablet.lot(&farm, "100"), tablet.lot(&farm, "60"));
    let graded = tablet.grade(first.id().subject(0), &[first.id()], "A");
    north.client.submit(&[farm.clone(), first.clone(), second.clone(), graded.clone()]).await;
    // The thief's: a sale of what is there, and goods that never were.
    let [lot, other] = [first.id().subject(0), second.id().subject(0)];
    let sale = tablet.offer(lot, &[graded.id()], "100", buyer);
    let part = tablet.offer_part(other, &[second.id()], "25", buyer);
    let forged = tablet.lot(&farm, "5000");
    north.client.submit(&[sale.clone(), part.clone(), forged.clone()]).await;
    let forged_lot = forged.id().subject(0);
    for node in [&north, &south] {
        until("the thief's goods are known", async || {
            (node.client.read(&format!("/api/v1/produces/{forged_lot}")).await.status == 200).then_some(())
        })
        .await;
    }
    trade::accept(&south.client, &sale.id().to_string()).await;
    let held_by = async |node: &Node| {
        let shown = node.client.get(&format!("/api/v1/produces/{lot}")).await;
        shown["holder"]["id"].as_str().unwrap_or_default().to_owned()
    };
    until("the sale is known", async || (held_by(&north).await == buyer.to_string()).then_some(())).await;

    // The theft comes out. The clerk names the last event that Anna made herself.
    let last = graded.id().to_string();
    let site = scene.site("north");
    let replaced = site.json(&["key", "replace", "Anna", "--last", &last, "--reason", "the tablet was stolen"]).await;
    assert_eq!(replaced["keys"].as_array().unwrap().len(), 3);

    for node in [&north, &south] {
        until("the lot is Anna's again", async || (held_by(node).await == farmer).then_some(())).await;
        let shown = node.client.get(&format!("/api/v1/produces/{lot}")).await;
        assert_eq!((&shown["state"], &shown["balance"]["value"]), (&"held".into(), &"100".into()), "{shown}");
        assert_eq!(shown["grade"]["value"], "A", "what Anna told before stands: {shown}");
        let rest = node.client.get(&format!("/api/v1/produces/{other}")).await;
        assert_eq!(rest["balance"]["value"], "60", "no part was taken: {rest}");
        for gone in [forged_lot, part.id().subject(1)] {
            let answer = node.client.read(&format!("/api/v1/produces/{gone}")).await;
            assert_eq!(answer.status, 404, "what never was is not shown: {}", answer.text());
        }
        let actor = node.client.get(&format!("/api/v1/actors/{farmer}")).await;
        let states: Vec<_> = actor["keys"].as_array().unwrap().iter().map(|key| &key["state"]).collect();
        assert_eq!(states, ["replaced", "replaced", "live"], "{actor}");
        // Nothing is forgotten: whoever asks for the event itself gets it.
        assert_eq!(node.client.read(&format!("/api/v1/events/{}", sale.id())).await.status, 200);
    }
    south.has_entries(north.log_size().await).await;
    views::assert_same(&views::all(&north.client).await, &views::all(&south.client).await);

    // With the tablet nobody sells any more, and Anna goes on with her new key.
    let late = tablet.offer(other, &[part.id()], "35", buyer);
    north.client.submit(&[late]).await;
    let offer = json!({ "actor": farmer, "to": { "actor": buyer } });
    let sold = north.client.post(&format!("/api/v1/produces/{lot}/transfers"), &offer).await;
    until("the buyer knows of the new offer", async || {
        (south.client.read(&format!("/api/v1/transfers/{}", trade::id(&sold))).await.status == 200).then_some(())
    })
    .await;
    trade::accept(&south.client, &trade::id(&sold)).await;
    until("the honest sale stands", async || (held_by(&north).await == buyer.to_string()).then_some(())).await;
    let rest = south.client.get(&format!("/api/v1/produces/{other}")).await;
    assert_eq!(rest["balance"]["value"], "60", "{rest}");
}
