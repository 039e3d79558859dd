//! The page behind the QR code, in a real browser, on a phone and on a desk.

use end_to_end::anvil::Anvil;
use end_to_end::scene::Scene;
use end_to_end::trade;
use end_to_end::wait::{PATIENCE, until};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_sees_origin_journey_and_anchor() {
    let mut scene = Scene::new(&["north", "south"], &[]).await;
    let anvil = Anvil::start(scene.folder()).await;
    scene.site("north").anchor_in(&anvil).await;
    let north = scene.start("north").await;
    let south = scene.start_with("south", &[&north]).await;
    let client = &north.client;
    let farmer = trade::enrol(client, "Hinrich Quast", "farmer").await;
    let buyer = trade::enrol(&south.client, "Fruchthandel Süd", "trader").await;
    north.has_entries(3).await;
    let point = json!({ "latitude": 53.52, "longitude": 9.69 });
    let orchard = json!({ "actor": farmer, "place_type": "farm", "name": { "en": "Quast orchard", "de": "Obsthof Quast" }, "point": point, "country": "DE" });
    let orchard = trade::id(&client.post("/api/v1/places", &orchard).await);
    let market = json!({ "place_type": "wholesale market", "name": "Munich market hall", "point": { "latitude": 48.11, "longitude": 11.56 }, "country": "DE" });
    let market = trade::id(&south.client.post("/api/v1/places", &market).await);
    let mut apples = trade::apples(&orchard, "1250.5");
    apples["actor"] = json!(farmer);
    apples["claims"] = json!(["DE-ÖKO-006"]);
    let lot = trade::id(&client.post("/api/v1/produces", &apples).await);
    client
        .patch(
            &format!("/api/v1/produces/{lot}"),
            &json!({ "actor": farmer, "grade": "Premium", "reason": "sorted by hand" }),
        )
        .await;
    north.has_entries(7).await;
    let offer = json!({ "actor": farmer, "to": { "actor": buyer }, "to_place": market, "quantity": trade::kg("400") });
    let transfer = client.post(&format!("/api/v1/produces/{lot}/transfers"), &offer).await;
    south.has_entries(north.log_size().await).await;
    let accepted = json!({ "actor": buyer });
    south.client.post(&format!("/api/v1/transfers/{}/acceptance", trade::id(&transfer)), &accepted).await;
    let part = transfer["lines"][0]["item"].as_str().unwrap().to_owned();
    until("the part's history is anchored", async || {
        let history = client.all(&format!("/api/v1/produces/{part}/history")).await;
        let anchored = history.iter().all(|event| event["proof"]["state"] != "accepted");
        (history.len() == 4 && anchored).then_some(())
    })
    .await;

    look(json!({
        "url": client.url(&format!("/p/{part}")),
        "name": "page",
        "texts": ["Apples", "Elstar", "Quast orchard", "Hinrich Quast", "Fruchthandel Süd", "DE-ÖKO-006", "400 kg", "Its journey", "Premium"],
        "patterns": ["anchored", "Block", "0x[0-9a-fA-F]{40}", "[Ss]igned by"],
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_sees_first_of_all_that_the_goods_are_recalled() {
    let mut scene = Scene::new(&["north"], &[]).await;
    let north = scene.start("north").await;
    let client = &north.client;
    let farm = json!({ "place_type": "farm", "name": "Hill farm", "country": "DE" });
    let farm = trade::id(&client.post("/api/v1/places", &farm).await);
    let lot = trade::id(&client.post("/api/v1/produces", &trade::apples(&farm, "1250.5")).await);
    let buyer = trade::enrol(client, "Market hall", "trader").await;
    let offer = json!({ "to": { "actor": buyer }, "quantity": trade::kg("400") });
    let transfer = client.post(&format!("/api/v1/produces/{lot}/transfers"), &offer).await;
    let part = transfer["lines"][0]["item"].as_str().unwrap().to_owned();
    let accepted = json!({ "actor": buyer });
    client.post(&format!("/api/v1/transfers/{}/acceptance", trade::id(&transfer)), &accepted).await;
    let inspection = json!({
        "sample": "26-1187",
        "method": "EN 14177",
        "analytes": [{ "name": "Patulin", "value": { "value": "61", "unit": "ug/kg" }, "limit": { "value": "50", "unit": "ug/kg" } }],
        "verdict": "failed",
    });
    client.post(&format!("/api/v1/produces/{lot}/inspections"), &inspection).await;
    let recall = json!({
        "lots": [lot],
        "level": "public",
        "hazard": "Patulin above the limit",
        "scope": "All apples of the harvest",
        "action": "return",
        "contact": "+49 4162 0",
    });
    let recall = trade::id(&client.post("/api/v1/recalls", &recall).await);
    let told =
        ["Recalled: do not eat or use it", "Take it back", "Patulin above the limit", "All apples", "+49 4162 0"];
    let page = |of: &str| client.url(&format!("/p/{of}"));
    look(json!({
        "url": page(&part),
        "name": "recall",
        "texts": told.iter().chain(&["It names goods from which this lot came", "Inspected by", "Patulin: 61 ug/kg, limit 50 ug/kg"]).collect::<Vec<_>>(),
        // Before everything else that is said of the lot.
        "patterns": ["Recalled: do not eat or use it[^]*Held by Market hall[^]*Its journey"],
    }))
    .await;

    client.post(&format!("/api/v1/recalls/{recall}/end"), &json!({ "reason": "the second sample was clean" })).await;
    let shown = client.read(&format!("/p/{part}")).await.text();
    assert!(shown.contains("Held by Market hall") && !shown.contains("Recalled: do not eat"), "{shown}");
}

/// Looks at a page on both screens.
async fn look(mut expected: Value) {
    let name = expected["name"].as_str().expect("the page has a name").to_owned();
    expected["screenshots"] = json!(env!("CARGO_TARGET_TMPDIR"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/page.mjs");
    let browser =
        Command::new("node").arg(&script).arg(expected.to_string()).stdin(Stdio::null()).kill_on_drop(true).output();
    let output =
        tokio::time::timeout(PATIENCE, browser).await.expect("the browser ends").expect("Node.js is installed");
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", told(&output.stdout), told(&output.stderr));
    for width in [390, 1280] {
        let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{width}.png"));
        assert!(
            std::fs::metadata(&picture).is_ok_and(|file| file.len() > 10_000),
            "{} is no picture",
            picture.display()
        );
    }
}
