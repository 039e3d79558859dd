//! The page for consumers, and the code that leads to it.

use crate::events::Client;
use crate::support::{Node, id};
use axum::http::{Method, StatusCode, header};
use provenance::body::{Body, Moves, OfferedLine, Recipient, TransferOffered};
use provenance::payload::{Lane, Touch};
use provenance::value::{Quantity, Unit};
use serde_json::json;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn the_page_tells_the_journey() {
    let node = Node::start();
    let farm = node.enrol("Hillside Farm", "farmer").await;
    let shop = node.enrol("Corner Shop", "retailer").await;
    let field = node.place(&farm, "Hillside", 45.12, 5.98).await;
    let store = node.place(&shop, "Rue Mouffetard", 48.84, 2.35).await;
    let lot = node.apples(&farm, &field).await;
    let offer =
        json!({"actor": farm, "quantity": {"value": "300", "unit": "KGM"}, "to": {"actor": shop}, "to_place": store});
    let transfer = node.post(&format!("/api/v1/produces/{lot}/transfers"), offer).await;
    let part = transfer["lines"][0]["item"].as_str().unwrap().to_owned();
    let page = node.get(&format!("/p/{part}")).await.text();
    assert!(page.contains("On its way") && page.contains("Waiting for the signature of Corner Shop"), "{page}");
    node.post(&format!("/api/v1/transfers/{}/acceptance", id(&transfer)), json!({})).await;
    *node.anchors.sizes.lock().unwrap() = vec![node.ledger.size()];
    node.anchors.final_count.store(1, Ordering::Relaxed);

    let answer = node.get_with(&format!("/p/{part}"), &[(header::ACCEPT_LANGUAGE, "fr-CH, en;q=0.7")]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header(header::CONTENT_TYPE).starts_with("text/html"));
    let policy = answer.header(header::CONTENT_SECURITY_POLICY);
    assert!(policy.contains("default-src 'none'") && policy.contains("style-src 'sha256-"), "{policy}");
    let page = answer.text();
    for told in [
        "<h1 lang=\"fr\">Pommes</h1>",
        "Braeburn",
        "Grade A",
        "14–18 September 2026",
        "Hillside",
        "Rue Mouffetard",
        "Held by Corner Shop",
        "Handed over from Hillside Farm to Corner Shop",
        "who offered it",
        "who accepted it",
        "anchored for good",
        "1234",
        "0x5fbdb2315678afecb367f032d93f642f64180aa3",
        "development chain",
        "Part of",
        "What this proves",
        "<svg",
        "as the crow flies",
        "https://furrow.example/p/",
    ] {
        assert!(page.contains(told), "the page does not tell '{told}'");
    }
    assert!(!page.contains("<script") && !page.contains("<?xml") && !page.contains(" style=\""));
    let parent = node.get(&format!("/p/{lot}")).await.text();
    assert!(parent.contains("A part of 300 kg was handed over from Hillside Farm to Corner Shop"), "{parent}");
    assert!(
        parent.contains("Held by Hillside Farm") && parent.contains("who accepted it"),
        "both signatures are shown"
    );
}

#[tokio::test]
async fn what_others_wrote_is_text_and_never_markup() {
    let node = Node::start();
    let evil = "<script>alert(1)</script>\"'&";
    let farm = node.enrol(evil, "farmer").await;
    let field = node.place(&farm, evil, 45.12, 5.98).await;
    let store = node.place(&farm, "</style><b>x", 46.0, 6.0).await;
    let body = json!({"actor": farm, "commodity": {"scheme": "HS", "code": "1"}, "name": {"en": evil}, "variety": evil,
        "places": [field], "quantity": {"value": "1", "unit": "KGM"}, "claims": [evil],
        "grade": {"scheme": evil, "value": evil}, "codes": {"lot": "<i>\"'&"}});
    let lot = id(&node.post("/api/v1/produces", body).await);
    node.write(
        Method::PATCH,
        &format!("/api/v1/produces/{lot}"),
        json!({"actor": farm, "place": store, "grade": "A", "reason": evil}),
    )
    .await;
    let page = node.get(&format!("/p/{lot}")).await.text();
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    for markup in ["<script", "<i>", "<b>", "</style><"] {
        let rest = page.replacen("</style></head>", "", 1);
        assert!(!rest.contains(markup), "{markup} is in the page");
    }
}

#[tokio::test]
async fn the_page_is_friendly_where_there_is_nothing() {
    let node = Node::start();
    for path in [format!("/p/{}", "a".repeat(52)), "/p/mistyped".into()] {
        let answer = node.get(&path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert!(answer.header(header::CONTENT_TYPE).starts_with("text/html"));
        assert!(answer.text().contains("If you scanned a label"));
    }
}

#[tokio::test]
async fn a_dispute_is_shown_and_not_decided() {
    let node = Node::start();
    let shops = [node.enrol("Corner Shop", "retailer").await, node.enrol("Other Shop", "retailer").await];
    let mut client = Client::enrol(&node, 20).await;
    let registration = client.sign(client.registration(&node));
    let lot = registration.id().subject(0);
    let mut sent = registration.bytes().to_vec();
    for shop in &shops {
        // Both offers of the whole lot follow the registration, in the lane and in the journal.
        client.journal = registration.id();
        let enrolment =
            node.read(&format!("/api/v1/actors/{shop}")).await["enrolment"].as_str().unwrap().parse().unwrap();
        let mut payload = client.payload(
            &node,
            vec![Touch { subject: Some(lot), lane: Lane::Main, prev: vec![registration.id()] }],
            Body::TransferOffered(Box::new(TransferOffered {
                lines: vec![OfferedLine {
                    lot,
                    quantity: Quantity::parse("500", Unit::new("KGM").unwrap(), None).unwrap(),
                }],
                to: Recipient::Actor(shop.parse().unwrap()),
                moves: Moves::Both,
                carrier: None,
                from_place: None,
                to_place: None,
                temperature: None,
                price: None,
                expires: None,
                returns: None,
            })),
        );
        payload.basis.push(enrolment);
        payload.basis.sort_unstable();
        sent.extend_from_slice(client.sign(payload).bytes());
    }
    let answer = node.submit("application/cbor-seq", sent).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert!(node.ledger.followed(node.ledger.size() - 1).await);

    let shown = node.read(&format!("/api/v1/produces/{lot}")).await;
    assert_eq!((&shown["state"], shown["in_conflict"].as_array().unwrap().len()), (&json!("disputed"), 2));
    let history = node.read(&format!("/api/v1/produces/{lot}/history")).await;
    assert_eq!(history["findings"][0]["kind"], "conflict");
    let page = node.get(&format!("/p/{lot}")).await.text();
    assert!(page.contains("This lot is disputed") && !page.contains("Held by"));
    assert_eq!(page.matches("in conflict</span>").count(), 2, "both offers are told");
}

#[tokio::test]
async fn the_code_to_print_leads_to_the_page() {
    let node = Node::start();
    let farm = node.enrol("Hillside Farm", "farmer").await;
    let field = node.place(&farm, "Hillside", 45.12, 5.98).await;
    let lot = node.apples(&farm, &field).await;
    let svg = node.get(&format!("/api/v1/produces/{lot}/qr.svg")).await;
    assert_eq!(svg.header(header::CONTENT_TYPE), "image/svg+xml");
    assert!(svg.text().contains("<svg"));
    let png = node.get(&format!("/api/v1/produces/{lot}/qr.png?scale=4")).await;
    assert!(png.bytes.starts_with(b"\x89PNG"));
    let wrong = node.get(&format!("/api/v1/produces/{lot}/qr.png?scale=400")).await;
    assert_eq!(wrong.problem().1, "scale");
}
