//! Keys come and go, founders amend the network, and a resolver decides.

use crate::support::{Answer, Node, id, key, public};
use axum::http::{Method, StatusCode};
use ed25519_dalek::Signer;
use provenance::body::{Custody, KeyAdded};
use serde_json::{Value, json};

fn states(actor: &Value) -> Vec<&str> {
    actor["keys"].as_array().unwrap().iter().map(|key| key["state"].as_str().unwrap()).collect()
}

fn refused(answer: &Answer, status: StatusCode, code: &str, rule: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let (found, _, broken) = answer.problem();
    assert_eq!((found.as_str(), broken.as_str()), (code, rule), "{}", answer.text());
}

#[tokio::test]
async fn keys_are_added_rotated_replaced_and_revoked() {
    let node = Node::start();
    let anna = node.enrol("Anna", "farmer").await;
    let url = |what: &str| format!("/api/v1/actors/{anna}/{what}");
    let offered = node.read(&format!("/api/v1/actors/{anna}")).await;
    for action in ["add-key", "rotate-key", "replace-key", "revoke"] {
        assert!(offered["_templates"][action].is_object(), "{action} is offered");
    }
    let added = node.post(&url("keys"), json!({"name": "Tablet"})).await;
    assert_eq!((states(&added), &added["keys"][1]["name"]), (vec!["live", "live"], &json!("Tablet")));
    let rotated = node.post(&url("rotation"), json!({})).await;
    assert_eq!(states(&rotated), ["live", "rotated", "live"]);
    assert_eq!(rotated["keys"][1]["ended_by"], rotated["event"]["id"]);

    let place = node.place(&anna, "Orchard", 44.1, 1.2).await;
    let lot = node.apples(&anna, &place).await;
    let created = node.read(&format!("/api/v1/produces/{lot}")).await["_links"]["created-by"]["href"].clone();
    let good = created.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    node.apples(&anna, &place).await;
    let replaced = node.post(&url("replacement"), json!({"last": [good], "reason": "stolen"})).await;
    assert_eq!(states(&replaced), ["replaced", "rotated", "replaced", "live"]);
    assert_eq!(replaced["keys"][2]["counted_events"], 2);
    let journals = node.read(&url("events?limit=2")).await;
    assert_eq!(journals["count"], 2, "what all keys signed is listed: {journals}");

    let revoked = node.post(&url("revocation"), json!({"reason": "has left"})).await;
    assert_eq!(states(&revoked)[3], "revoked");
    assert_eq!(revoked["kept_here"], false);
    let again = node.send(Method::POST, &url("revocation"), json!({"reason": "again"})).await;
    refused(&again, StatusCode::CONFLICT, "conflict", "no_living_key");
    let place = json!({"actor": anna, "place_type": "farm", "name": "Orchard"});
    let ended = node.send(Method::POST, "/api/v1/places", place).await;
    refused(&ended, StatusCode::FORBIDDEN, "key-not-kept", "key_ended");
    assert!(ended.text().contains("was revoked"), "{}", ended.text());
}

#[tokio::test]
async fn a_key_of_somebody_else_is_added_with_its_consent() {
    let node = Node::start();
    let anna = node.enrol("Anna", "farmer").await;
    let tablet = key(70);
    let body = KeyAdded { key: public(&tablet), custody: Custody::Own, name: None, countersignature: [0; 64].into() };
    let consent = tablet.sign(&body.countersigned_bytes(&node.network.id(), &anna.parse().unwrap())).to_bytes();
    let command =
        |consent: &[u8]| json!({"key": public(&tablet), "countersignature": data_encoding::HEXLOWER.encode(consent)});
    let url = format!("/api/v1/actors/{anna}/keys");
    let forged = node.send(Method::POST, &url, command(&[1; 64])).await;
    refused(&forged, StatusCode::UNPROCESSABLE_ENTITY, "rule-broken", "countersignature");
    let added = node.post(&url, command(&consent)).await;
    assert_eq!(added["keys"][1]["custody"], "own");
    assert_eq!(added["kept_here"], true, "the first key still is");
}

#[tokio::test]
async fn who_may_not_change_keys_is_told_so() {
    let node = Node::start();
    let (anna, bruno) = (node.enrol("Anna", "farmer").await, node.enrol("Bruno", "trader").await);
    let founder = node.founder;
    let own = node.send(Method::POST, &format!("/api/v1/actors/{founder}/keys"), json!({})).await;
    refused(&own, StatusCode::UNPROCESSABLE_ENTITY, "rule-broken", "founder_key");
    let revoke = json!({"reason": "envy", "actor": bruno});
    let above = node.send(Method::POST, &format!("/api/v1/actors/{anna}/revocation"), revoke).await;
    refused(&above, StatusCode::UNPROCESSABLE_ENTITY, "rule-broken", "not_above");
    let last = json!({"last": [node.network.id().as_event()]});
    let unknown = node.send(Method::POST, &format!("/api/v1/actors/{anna}/replacement"), last).await;
    refused(&unknown, StatusCode::UNPROCESSABLE_ENTITY, "invalid-value", "unknown_event");
}

#[tokio::test]
async fn founders_amend_the_network() {
    let node = Node::start();
    let network = node.read("/api/v1/network").await;
    assert!(network["_templates"]["amend"].is_object());
    assert_eq!((&network["rules"], &network["in_force"]), (&json!(1), &json!([])));
    let contract = "0x0707070707070707070707070707070707070707";
    let amendment = json!({"contracts": [{"chain_id": 5, "address": contract}], "parameters": {"days": 30}});
    let amended = node.post("/api/v1/network/amendments", amendment).await;
    assert_eq!(amended["state"], "in_force", "the only founder is more than half of all");
    node.post("/api/v1/network/amendments", json!({"parameters": {"days": null, "unit": "KGM"}})).await;
    let network = node.read("/api/v1/network").await;
    assert_eq!(network["contracts"], json!([{"chain_id": 5, "address": contract}]));
    assert_eq!((&network["parameters"]["unit"], &network["parameters"]["days"]), (&json!("KGM"), &Value::Null));
    assert_eq!(network["in_force"].as_array().unwrap().len(), 2);
    let url = format!("/api/v1/network/amendments/{}/approval", id(&amended));
    assert_eq!(node.post(&url, json!({})).await["approvals"].as_object().unwrap().len(), 1);
    let nothing = node.send(Method::POST, "/api/v1/network/amendments", json!({})).await;
    refused(&nothing, StatusCode::UNPROCESSABLE_ENTITY, "rule-broken", "empty");
    let nowhere = format!("/api/v1/network/amendments/{}/approval", node.network.id().as_event());
    assert_eq!(node.send(Method::POST, &nowhere, json!({})).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_decision_needs_a_conflict() {
    let node = Node::start();
    let anna = node.enrol("Anna", "farmer").await;
    let place = node.place(&anna, "Orchard", 44.1, 1.2).await;
    let lot = node.apples(&anna, &place).await;
    let decide = json!({"stands": [], "reason": "nobody was right"});
    let answer = node.send(Method::POST, &format!("/api/v1/produces/{lot}/decisions"), decide).await;
    refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, "invalid-value", "no_conflict");
}
