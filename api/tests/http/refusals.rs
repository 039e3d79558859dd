//! What bad input gets: a 4xx problem that names field and rule, and nothing is stored.

use crate::events::{Client, pears};
use crate::support::{Answer, Node, id, key};
use axum::http::{Method, StatusCode};
use provenance::event::SignedEvent;
use provenance::id::{EventId, NetworkId};
use provenance::payload::{Lane, Payload, Touch};
use serde_json::{Value, json};

/// Nothing was stored: neither in the log, nor held.
fn refused(node: &Node, size: u64, answer: &Answer, status: u16, code: &str, field: &str, rule: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    assert_eq!(answer.problem(), (code.into(), field.into(), rule.into()), "{}", answer.text());
    assert_eq!((node.ledger.size(), node.ledger.health().held), (size, 0), "something was stored");
}

#[tokio::test]
async fn events_that_are_none() {
    let node = Node::start();
    let mut client = Client::enrol(&node, 20).await;
    let good = client.sign(client.registration(&node)).bytes().to_vec();
    let size = node.ledger.size();
    let submit = |bytes: Vec<u8>| node.submit("application/cose", bytes);

    for garbage in [&b""[..], b"hello", &[0xff; 64], &good[..good.len() - 1], &[&good[..], &[0]].concat()] {
        let answer = submit(garbage.to_vec()).await;
        assert_eq!(answer.problem().0, "malformed-event", "{}", answer.text());
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(node.ledger.size(), size);
    }
    let mut wrong = good.clone();
    *wrong.last_mut().unwrap() ^= 1;
    refused(&node, size, &submit(wrong).await, 422, "invalid-signature", "signature", "signature");

    // A price of -1 where +1 was signed: the value is refused before the signature is looked at.
    let at = good.windows(6).position(|bytes| bytes == b"\x82\x01\x63EUR").unwrap() + 1;
    let mut below_zero = good.clone();
    below_zero[at] = 0x20;
    let answer = submit(below_zero).await;
    refused(&node, size, &answer, 400, "malformed-event", "payload", "payload_format");
    assert!(answer.text().contains("below zero"), "{}", answer.text());

    // An indefinite length is another way of writing the same value.
    let mut sequence = good.clone();
    sequence.extend_from_slice(&[0x9f, 0xff]);
    assert_eq!(
        node.submit("application/cbor-seq", sequence).await.json()["results"][1]["problem"]["rule"],
        "cose_sign1"
    );
}

#[tokio::test]
async fn events_by_strangers_and_of_other_networks() {
    let node = Node::start();
    let client = Client::enrol(&node, 20).await;
    let size = node.ledger.size();
    let signed = |payload: Payload, seed: u8| SignedEvent::sign(payload, &key(seed)).unwrap().bytes().to_vec();

    // A key that nobody enrolled, behind somebody else's enrolment and behind one that does not exist.
    let answer = node.submit("application/cose", signed(client.registration(&node), 77)).await;
    refused(&node, size, &answer, 422, "rule-broken", "journal", "journal_link");
    let unknown = EventId::from_bytes([5; 32]);
    let stranger = Payload { journal: unknown, basis: vec![unknown], ..client.registration(&node) };
    let answer = node.submit("application/cose", signed(stranger, 77)).await;
    refused(&node, size, &answer, 422, "missing-ancestors", "journal", "known_ancestors");
    assert_eq!(answer.json()["missing"], json!([unknown]));

    let elsewhere = Payload { network: NetworkId::from_bytes([8; 32]), ..client.registration(&node) };
    let answer = node.submit("application/cose", signed(elsewhere, 20)).await;
    refused(&node, size, &answer, 422, "wrong-network", "network", "network");

    // A stale journal link names the present one.
    let mut client = client;
    let first = client.sign(client.registration(&node));
    assert_eq!(node.submit("application/cose", first.bytes().to_vec()).await.status, StatusCode::OK);
    let touch = Touch { subject: Some(first.id().subject(0)), lane: Lane::Main, prev: vec![client.enrolment] };
    let wrong_tip =
        client.payload(&node, vec![touch], client.grading(&node, first.id().subject(0), first.id(), "A").body);
    let answer = node.submit("application/cose", signed(wrong_tip, 20)).await;
    refused(&node, size + 1, &answer, 422, "rule-broken", "touches.prev", "prev");
    assert_eq!(answer.json()["present"], json!([first.id()]));
    assert!(matches!(pears().kind(), Some(kind) if kind.name() == "produce.registered"));
}

#[tokio::test]
async fn bodies_that_are_too_large_or_of_another_type() {
    let node = Node::start();
    let size = node.ledger.size();
    let large = node.submit("application/cose", vec![0xd2; 17 * 1024]).await;
    refused(&node, size, &large, 413, "too-large", "event", "event_size");
    let larger = node.submit("application/cbor-seq", vec![0; 16 * 1024 * 1024 + 1]).await;
    refused(&node, size, &larger, 413, "too-large", "", "");
    let json = node.send(Method::POST, "/api/v1/places", json!({"name": "x".repeat(1024 * 1024)})).await;
    refused(&node, size, &json, 413, "too-large", "", "");
    refused(&node, size, &node.submit("text/plain", vec![]).await, 415, "unsupported-media-type", "", "");
}

#[tokio::test]
async fn commands_with_values_that_are_not_valid() {
    let node = Node::start();
    let farm = node.enrol("Hillside Farm", "farmer").await;
    let field = node.place(&farm, "Hillside", 45.12, 5.98).await;
    let good = json!({"actor": farm, "commodity": {"scheme": "HS", "code": "0808.10"}, "name": "Apples",
        "places": [field], "quantity": {"value": "1000", "unit": "KGM"}});
    let size = node.ledger.size();
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let cases = [
        (
            with("price", json!({"amount_minor": "-1", "currency": "EUR"})),
            422,
            "invalid-value",
            "price.amount_minor",
            "negative_amount",
        ),
        (with("quantity", json!({"value": "-5", "unit": "KGM"})), 422, "invalid-value", "quantity.value", "decimal"),
        (with("quantity", json!({"value": "0", "unit": "KGM"})), 422, "rule-broken", "quantity", "zero_quantity"),
        (with("quantity", json!({"value": "5"})), 400, "malformed-json", "quantity.unit", ""),
        (with("grade", json!("Z")), 422, "invalid-value", "grade", "grade"),
        (with("harvested", json!({"first": "2026-02-30"})), 422, "invalid-value", "harvested.first", "date"),
        (
            with("harvested", json!({"first": "2026-09-18", "last": "2026-09-14"})),
            422,
            "invalid-value",
            "harvested",
            "end_before_start",
        ),
        (with("codes", json!({"gtin": "6291041500214"})), 422, "invalid-value", "codes.gtin", "gs1_check_digit"),
        (with("name", json!({"english": "Apples"})), 422, "invalid-value", "name", "language_tag"),
        (with("name", json!("a\u{202e}b")), 422, "invalid-value", "name.en", "text"),
        (with("colour", json!("red")), 400, "malformed-json", "colour", ""),
        (with("places", json!(["nowhere"])), 400, "malformed-json", "places[0]", ""),
        (with("places", json!([farm])), 422, "invalid-value", "places", "unknown_place"),
        (
            with("occurred", json!({"start": "yesterday", "utc_offset_minutes": 0})),
            422,
            "invalid-value",
            "occurred.start",
            "timestamp",
        ),
        (with("extensions", json!({"urn:x:y": 0.5})), 422, "invalid-value", "extensions.urn:x:y", "no_floats"),
    ];
    for (body, status, code, field, rule) in cases {
        let answer = node.send(Method::POST, "/api/v1/produces", body).await;
        refused(&node, size, &answer, status, code, field, rule);
    }
    let place = |latitude: f64| json!({"actor": farm, "place_type": "farm", "name": "x", "point": {"latitude": latitude, "longitude": 0.0}});
    let answer = node.send(Method::POST, "/api/v1/places", place(91.0)).await;
    refused(&node, size, &answer, 422, "invalid-value", "point.latitude", "latitude");
    let answer = node.send(Method::POST, "/api/v1/produces", json!("apples")).await;
    refused(&node, size, &answer, 400, "malformed-json", "", "");
}

#[tokio::test]
async fn handovers_that_no_rule_allows() {
    let node = Node::start();
    let farm = node.enrol("Hillside Farm", "farmer").await;
    let shop = node.enrol("Corner Shop", "retailer").await;
    let other = node.enrol("Other Shop", "retailer").await;
    let field = node.place(&farm, "Hillside", 45.12, 5.98).await;
    let lot = node.apples(&farm, &field).await;
    let size = node.ledger.size();
    let url = format!("/api/v1/produces/{lot}/transfers");
    let kilos = |value: &str| json!({"value": value, "unit": "KGM"});
    let cases = [
        (json!({"actor": shop, "to": {"actor": other}}), 422, "rule-broken", "actor", "not_holder"),
        (
            json!({"actor": farm, "to": {"actor": shop}, "quantity": kilos("1000.1")}),
            422,
            "rule-broken",
            "quantity",
            "balance",
        ),
        (
            json!({"actor": farm, "to": {"actor": shop}, "quantity": {"value": "1", "unit": "H87"}}),
            422,
            "rule-broken",
            "quantity",
            "unit",
        ),
        (json!({"actor": farm, "to": {"actor": farm}}), 422, "rule-broken", "to", "to_self"),
        (json!({"actor": farm, "to": {"actor": shop, "name": "x"}}), 422, "invalid-value", "to", "one_of"),
        (json!({"actor": farm, "to": {"actor": field}}), 422, "invalid-value", "to", "unknown_actor"),
        (
            json!({"actor": farm, "to": {"actor": shop}, "price": {"amount_minor": -1, "currency": "EUR"}}),
            422,
            "invalid-value",
            "price.amount_minor",
            "negative_amount",
        ),
    ];
    for (body, status, code, field, rule) in cases {
        let answer = node.send(Method::POST, &url, body).await;
        refused(&node, size, &answer, status, code, field, rule);
    }
    let transfer = id(&node.post(&url, json!({"actor": farm, "to": {"actor": shop}})).await);
    let size = node.ledger.size();
    // The seller cannot undo an open offer by drawing from the lot.
    for (method, path, body) in [
        (Method::POST, format!("/api/v1/produces/{lot}/retirement"), json!({"actor": farm, "outcome": "sold"})),
        (Method::PATCH, format!("/api/v1/produces/{lot}"), json!({"actor": farm, "grade": "C"})),
        (Method::POST, url.clone(), json!({"actor": farm, "to": {"actor": other}})),
    ] {
        let answer = node.send(method, &path, body).await;
        refused(&node, size, &answer, 409, "conflict", "lot", "offer_open");
    }
    let accept = format!("/api/v1/transfers/{transfer}/acceptance");
    let answer = node.send(Method::POST, &accept, json!({"actor": other})).await;
    refused(&node, size, &answer, 422, "rule-broken", "actor", "not_addressee");
    let answer = node.send(Method::POST, &accept, json!({"lines": [{"received": kilos("999")}]})).await;
    refused(&node, size, &answer, 422, "rule-broken", "lines", "lines");
    node.post(&accept, json!({})).await;
    let answer = node.send(Method::POST, &format!("/api/v1/transfers/{transfer}/cancellation"), json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.problem().2.as_str()), (409, "no_open_offer"), "{}", answer.text());
}

#[tokio::test]
async fn urls_and_queries_that_lead_nowhere() {
    let node = Node::start();
    let nobody = "a".repeat(52);
    let cases = [
        (format!("/api/v1/produces/{nobody}"), 404, "not-found", ""),
        (format!("/api/v1/transfers/{nobody}/acceptance"), 405, "method-not-allowed", ""),
        ("/api/v1/produces/short".into(), 400, "malformed-path", "id"),
        ("/api/v1/anchors/-1".into(), 400, "malformed-path", "sequence"),
        ("/api/v1/nothing".into(), 404, "not-found", ""),
        ("/".into(), 404, "not-found", ""),
        ("/api/v1/produces?limit=0".into(), 400, "malformed-query", "limit"),
        ("/api/v1/produces?limit=201".into(), 400, "malformed-query", "limit"),
        ("/api/v1/produces?limit=x".into(), 400, "malformed-query", "limit"),
        ("/api/v1/produces?colour=red".into(), 400, "malformed-query", "colour"),
        ("/api/v1/produces?cursor=x".into(), 400, "malformed-query", "cursor"),
        ("/api/v1/produces?state=eaten".into(), 400, "malformed-query", "state"),
        ("/api/v1/produces?lot=1".into(), 400, "malformed-query", "lot"),
        ("/api/v1/log/consistency?old=0".into(), 404, "not-found", ""),
        (format!("/api/v1/produces/{nobody}/qr.png"), 404, "not-found", ""),
    ];
    for (path, status, code, field) in cases {
        let answer = node.get(&path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text());
        let problem = answer.problem();
        assert_eq!((problem.0.as_str(), problem.1.as_str()), (code, field), "{path}");
        assert_eq!(answer.json()["instance"], path.split('?').next().unwrap());
    }
    let answer = node.send(Method::DELETE, "/api/v1/produces", json!({})).await;
    assert_eq!(answer.problem().0, "method-not-allowed");
    assert_eq!(answer.header(axum::http::header::ALLOW), "GET,HEAD,POST");
}
