//! What inspectors, devices, certifiers, authorities and parties attest.

use crate::support::{Node, id};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

async fn lot(node: &Node) -> (String, String, String) {
    let anna = node.enrol("Anna", "farmer").await;
    let place = node.place(&anna, "Orchard", 44.1, 1.2).await;
    let lot = node.apples(&anna, &place).await;
    (anna, place, lot)
}

fn celsius(value: &str) -> Value {
    json!({"value": value, "unit": "CEL"})
}

#[tokio::test]
async fn inspections_and_measurements_stand_in_the_history_of_the_lot() {
    let node = Node::start();
    let (anna, place, lot) = lot(&node).await;
    let laboratory = node.enrol("Laboratory", "laboratory").await;
    let url = format!("/api/v1/produces/{lot}/inspections");
    let inspection = json!({"actor": laboratory, "sample": "17", "method": "EN 15662", "verdict": "failed", "place": place,
        "analytes": [{"name": "captan", "value": {"value": "12", "unit": "mg/kg"}, "limit": {"value": "10", "unit": "mg/kg"}}]});
    let told = node.post(&url, inspection.clone()).await;
    assert_eq!((&told["kind"], &told["signer"]["name"]), (&json!("produce.inspected"), &json!("Laboratory")));
    let mut by_farmer = inspection.clone();
    by_farmer["actor"] = json!(anna);
    assert_eq!(node.send(Method::POST, &url, by_farmer).await.problem().2, "role");
    let mut wrong = inspection;
    wrong["analytes"][0]["value"]["value"] = json!("much");
    assert_eq!(node.send(Method::POST, &url, wrong).await.problem().1, "analytes[0].value.value");

    let logger = node.enrol("Logger", "device").await;
    let actor = format!("/api/v1/actors/{logger}");
    let attach = json!({"to": lot, "from": "2026-09-28T06:00:00Z"});
    let attached = node.post(&format!("{actor}/attachments"), attach).await;
    assert_eq!((&attached["attachments"][0]["to"], &attached["attachments"][0]["until"]), (&json!(lot), &Value::Null));
    let measured = json!({"actor": logger, "property": "temperature", "start": "2026-09-28T06:00:00Z",
        "end": "2026-09-28T18:00:00Z", "lowest": celsius("-0.5"), "highest": celsius("7"), "mean": celsius("3"), "readings": 720});
    node.post(&format!("/api/v1/subjects/{lot}/conditions"), measured.clone()).await;
    node.post(&format!("/api/v1/subjects/{place}/conditions"), measured.clone()).await;
    let nothing = format!("/api/v1/subjects/{}/conditions", node.network.id());
    assert_eq!(node.send(Method::POST, &nothing, measured).await.status, StatusCode::NOT_FOUND);
    let detach = json!({"from": lot, "at": "2026-09-28T20:00:00Z"});
    let detached = node.post(&format!("{actor}/detachments"), detach).await;
    assert_eq!(detached["attachments"][0]["until"], "2026-09-28T20:00:00.000Z");

    let history = node.read(&format!("/api/v1/produces/{lot}/history")).await;
    let kinds: Vec<_> = history["_embedded"]["item"].as_array().unwrap().iter().map(|event| &event["kind"]).collect();
    for kind in ["produce.inspected", "condition.measured"] {
        assert!(kinds.iter().any(|found| *found == kind), "{kind} in {kinds:?}");
    }
}

#[tokio::test]
async fn certificates_are_listed_and_stand_by_date() {
    let node = Node::start();
    let (anna, place, _) = lot(&node).await;
    let certifier = node.enrol("Certifier", "certifier").await;
    let issue = json!({"actor": certifier, "scheme": "organic", "number": "FR-1", "operators": [anna], "places": [place],
        "commodities": [{"scheme": "HS", "code": "0808.10"}], "valid": {"first": "2026-01-01", "last": "2026-12-31"},
        "volume_cap": {"value": "5000", "unit": "KGM"}});
    let issued = node.post("/api/v1/certificates", issue).await;
    let url = format!("/api/v1/certificates/{}", id(&issued));
    assert!(issued["_templates"]["change-status"].is_object());
    for (state, from) in [
        ("suspended", "2026-05-01T00:00:00Z"),
        ("reinstated", "2026-06-01T00:00:00Z"),
        ("withdrawn", "2026-11-01T00:00:00Z"),
    ] {
        node.post(&format!("{url}/status"), json!({"state": state, "from": from})).await;
    }
    for (at, standing) in [
        ("2025-12-31T23:00:00Z", "not_yet_valid"),
        ("2026-02-01T00:00:00Z", "valid"),
        ("2026-05-01T00:00:00Z", "suspended"),
        ("2026-06-02T00:00:00Z", "valid"),
        ("2027-02-01T00:00:00Z", "withdrawn"),
    ] {
        assert_eq!(node.read(&format!("{url}?at={at}")).await["standing"], standing, "{at}");
    }
    for (query, count) in [
        (format!("operator={anna}"), 1),
        (format!("issuer={certifier}"), 1),
        ("scheme=organic&number=FR-1".into(), 1),
        ("scheme=organic&number=FR-2".into(), 0),
        (format!("operator={certifier}"), 0),
    ] {
        assert_eq!(node.read(&format!("/api/v1/certificates?{query}")).await["count"], count, "{query}");
    }
    assert_eq!(node.get("/api/v1/certificates?number=FR-1").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_recall_is_issued_sharpened_and_ended() {
    let node = Node::start();
    let (anna, _, lot) = lot(&node).await;
    let trader = node.enrol("Trader", "trader").await;
    let recall = |actor: &str| json!({"actor": actor, "lots": [lot], "level": "trade", "hazard": "glass", "action": "hold", "contact": "Anna"});
    let issued = node.post("/api/v1/recalls", recall(&anna)).await;
    assert_eq!((&issued["active"], &issued["lots"][0]["capacity"]), (&json!(true), &json!("originator")));
    assert_eq!(node.send(Method::POST, "/api/v1/recalls", recall(&trader)).await.problem().2, "not_party");
    let by_founder = node.post("/api/v1/recalls", recall(&node.founder.to_string())).await;
    assert_eq!(by_founder["lots"][0]["capacity"], "authority");

    let offer =
        node.post(&format!("/api/v1/produces/{lot}/transfers"), json!({"actor": anna, "to": {"actor": trader}})).await;
    node.post(&format!("/api/v1/transfers/{}/acceptance", id(&offer)), json!({})).await;
    let by_trader = node.post("/api/v1/recalls", recall(&trader)).await;
    assert_eq!(by_trader["lots"][0]["capacity"], "holder");

    let url = format!("/api/v1/recalls/{}", id(&issued));
    let sharper = node.write(Method::PATCH, &url, json!({"level": "public", "action": "destroy"})).await;
    assert_eq!((&sharper["level"], &sharper["hazard"]), (&json!("public"), &json!("glass")));
    let ended = node.post(&format!("{url}/end"), json!({"reason": "all came back"})).await;
    assert_eq!((&ended["active"], &ended["end_reason"]), (&json!(false), &json!("all came back")));
    assert!(ended["_templates"].is_null());
    for (query, count) in [("active=true", 2), ("active=false", 1)] {
        assert_eq!(node.read(&format!("/api/v1/recalls?lot={lot}&{query}")).await["count"], count, "{query}");
    }
    assert_eq!(node.send(Method::PATCH, &url, json!({})).await.problem().2, "empty");
}

#[tokio::test]
async fn parties_confirm_and_dispute() {
    let node = Node::start();
    let (anna, _, lot) = lot(&node).await;
    let trader = node.enrol("Trader", "trader").await;
    let offer =
        node.post(&format!("/api/v1/produces/{lot}/transfers"), json!({"actor": anna, "to": {"actor": trader}})).await;
    let url = format!("/api/v1/events/{}", id(&offer));
    let confirm = json!({"actor": trader, "method": "signature on paper"});
    assert_eq!(node.post(&format!("{url}/confirmation"), confirm).await["kind"], "event.confirmed");
    let dispute = json!({"actor": trader, "reason": "it were pears"});
    assert_eq!(node.post(&format!("{url}/dispute"), dispute).await["kind"], "event.disputed");
    let stranger = node.enrol("Stranger", "trader").await;
    let stranger = json!({"actor": stranger, "reason": "I do not like it"});
    assert_eq!(node.send(Method::POST, &format!("{url}/dispute"), stranger).await.problem().2, "not_party");
}
