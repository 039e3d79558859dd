//! What works: a harvest is registered, changed, split, handed over, anchored and read again.

use crate::support::{Node, id};
use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

fn items(page: &Value) -> &Vec<Value> {
    page["_embedded"]["item"].as_array().unwrap()
}

#[tokio::test]
async fn a_lot_is_registered_changed_and_retired() {
    let node = Node::start();
    let farm = node.enrol("Hillside Farm", "farmer").await;
    let field = node.place(&farm, "Hillside", 45.123_456, 5.987_654).await;
    let store = node.place(&farm, "Cold store", 45.2, 5.9).await;
    let lot = node.apples(&farm, &field).await;

    let shown = node.read(&format!("/api/v1/produces/{lot}")).await;
    assert_eq!(shown["state"], "held");
    assert_eq!(shown["name"]["fr"], "Pommes");
    assert_eq!(shown["balance"]["value"], "1000");
    assert_eq!(shown["holder"]["name"], "Hillside Farm");
    assert_eq!(shown["places"][0]["point"], json!({"latitude": 45.12, "longitude": 5.99}));
    assert_eq!(shown["_links"]["self"]["href"], format!("/api/v1/produces/{lot}"));
    assert_eq!(shown["_templates"]["transfer"]["method"], "POST");

    let url = format!("/api/v1/produces/{lot}");
    let graded = node.write(Method::PATCH, &url, json!({"actor": farm, "grade": "B", "reason": "bruised"})).await;
    assert_eq!(graded["grade"], json!({"scheme": "furrow", "value": "B"}));
    let event =
        node.read(graded["event"]["id"].as_str().map(|id| format!("/api/v1/events/{id}")).unwrap().as_str()).await;
    assert_eq!(event["kind"], "produce.quality_updated");
    assert_eq!(event["log_index"], graded["event"]["log_index"]);
    let both = json!({"actor": farm, "price": {"amount_minor": 180, "currency": "EUR"}, "place": store});
    let moved = node.write(Method::PATCH, &url, both).await;
    assert_eq!(moved["place"]["name"]["en"], "Cold store");
    assert_eq!(moved["price"]["amount_minor"], "180");

    let part = json!({"actor": farm, "quantity": {"value": "100.5", "unit": "KGM"}, "outcome": "lost"});
    let rest = node.post(&format!("{url}/retirement"), part).await;
    assert_eq!(rest["balance"]["value"], "899.5");
    let gone = node.post(&format!("{url}/retirement"), json!({"actor": farm, "outcome": "sold"})).await;
    assert_eq!((&gone["state"], &gone["closed"]), (&json!("closed"), &json!("retired")));
    assert!(gone["_templates"].is_null());

    let prices = node.read(&format!("{url}/prices")).await;
    let occasions: Vec<_> = items(&prices).iter().map(|price| price["occasion"].clone()).collect();
    assert_eq!(occasions, ["registered", "updated"]);
    let history = node.read(&format!("{url}/history")).await;
    assert_eq!(history["events"], 6);
    assert_eq!(items(&history)[0]["kind"], "produce.registered");
    assert_eq!(items(&history)[0]["signer"]["name"], "Hillside Farm");
    let closed = node.read("/api/v1/produces?state=closed").await;
    assert_eq!(closed["count"], 1);
    assert_eq!(node.read(&format!("/api/v1/produces?state=held&holder={farm}")).await["count"], 0);
    assert_eq!(node.read("/api/v1/produces?commodity=HS:0808.10&grade=B").await["count"], 1);
}

#[tokio::test]
async fn a_part_is_handed_over_with_both_signatures() {
    let node = Node::start();
    let farm = node.enrol("Hillside Farm", "farmer").await;
    let shop = node.enrol("Corner Shop", "retailer").await;
    let field = node.place(&farm, "Hillside", 45.12, 5.98).await;
    let store = node.place(&shop, "Corner", 48.85, 2.35).await;
    let lot = node.apples(&farm, &field).await;

    let offer = json!({"actor": farm, "quantity": {"value": "300", "unit": "KGM"}, "to": {"actor": shop},
        "price": {"amount_minor": 45000, "currency": "EUR"}, "to_place": store,
        "temperature": {"min_centicelsius": 100, "max_centicelsius": 600}});
    let answer = node.send(Method::POST, &format!("/api/v1/produces/{lot}/transfers"), offer).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let transfer = answer.json();
    let transfer_url = format!("/api/v1/transfers/{}", id(&transfer));
    assert_eq!(answer.header(header::LOCATION), transfer_url);
    assert_eq!((&transfer["state"], &transfer["to"]["actor"]["name"]), (&json!("open"), &json!("Corner Shop")));
    assert!(transfer["_templates"]["accept"].is_object() && transfer["_templates"]["cancel"].is_object());
    let part = transfer["lines"][0]["item"].as_str().unwrap().to_owned();
    assert_ne!(part, lot);
    assert_eq!(node.read(&format!("/api/v1/produces/{lot}")).await["balance"]["value"], "700");

    let received = json!({"lines": [{"received": {"value": "280", "unit": "KGM"},
        "rejected": {"value": "20", "unit": "KGM"}, "reason": "bruised"}]});
    let accepted = node.post(&format!("{transfer_url}/acceptance"), received).await;
    assert_eq!(accepted["state"], "accepted");
    let signers: Vec<_> =
        accepted["signatures"].as_array().unwrap().iter().map(|s| s["signer"]["name"].clone()).collect();
    assert_eq!(signers, ["Hillside Farm", "Corner Shop"]);
    let shown = node.read(&format!("/api/v1/produces/{part}")).await;
    assert_eq!((&shown["holder"]["name"], &shown["balance"]["value"]), (&json!("Corner Shop"), &json!("280")));
    assert_eq!(shown["parent"], json!(lot));
    let returned = accepted["lines"][0]["returned"].as_str().unwrap();
    assert_eq!(node.read(&format!("/api/v1/produces/{returned}")).await["balance"]["value"], "20");

    // The part's history begins with its parent's.
    let history = node.read(&format!("/api/v1/produces/{part}/history")).await;
    let kinds: Vec<_> = items(&history).iter().map(|event| event["kind"].clone()).collect();
    assert_eq!(kinds, ["produce.registered", "transfer.offered", "transfer.accepted"]);
    let listed = node.read(&format!("/api/v1/produces/{lot}/transfers")).await;
    assert_eq!(listed["count"], 1);
    assert_eq!(node.read(&format!("/api/v1/transfers?party={shop}&state=accepted")).await["count"], 1);
    assert_eq!(node.read(&format!("/api/v1/produces?parent={lot}")).await["count"], 1);
}

#[tokio::test]
async fn offers_are_refused_cancelled_and_made_to_outsiders() {
    let node = Node::start();
    let farm = node.enrol("Hillside Farm", "farmer").await;
    let shop = node.enrol("Corner Shop", "retailer").await;
    let field = node.place(&farm, "Hillside", 45.12, 5.98).await;
    let (one, two) = (node.apples(&farm, &field).await, node.apples(&farm, &field).await);

    let offer = json!({"actor": farm, "lines": [{"lot": one}, {"lot": two}], "to": {"actor": shop}});
    let first = id(&node.post("/api/v1/transfers", offer.clone()).await);
    assert_eq!(node.read(&format!("/api/v1/produces/{one}")).await["state"], "offered");
    let declined = node.post(&format!("/api/v1/transfers/{first}/refusal"), json!({"reason": "too ripe"})).await;
    assert_eq!(declined["state"], "declined");
    let second = id(&node.post("/api/v1/transfers", offer).await);
    let cancelled = node.post(&format!("/api/v1/transfers/{second}/cancellation"), json!({})).await;
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(node.read(&format!("/api/v1/produces/{two}")).await["state"], "held");

    let outside = json!({"actor": farm, "to": {"name": "Mme Martin, Lyon"}});
    let handed = node.post(&format!("/api/v1/produces/{one}/transfers"), outside).await;
    assert_eq!(handed["state"], "one_sided");
    assert!(handed["to"]["name"]["sealed"].is_string(), "an outsider's name is sealed");
    let lot = node.read(&format!("/api/v1/produces/{one}")).await;
    assert_eq!((&lot["state"], &lot["closed"]), (&json!("closed"), &json!("handed_out")));
    let history = node.read(&format!("/api/v1/produces/{one}/history")).await;
    assert!(history["findings"].as_array().unwrap().iter().any(|finding| finding["kind"] == "one_sided"));
}

#[tokio::test]
async fn actors_change_places_seal_and_events_are_corrected() {
    let node = Node::start();
    let farm = node.enrol("Hillside Farm", "farmer").await;
    let changed = node
        .write(Method::PATCH, &format!("/api/v1/actors/{farm}"), json!({"display_name": "Hillside Orchards"}))
        .await;
    assert_eq!((&changed["display_name"], &changed["kept_here"]), (&json!("Hillside Orchards"), &json!(true)));
    let place = json!({"actor": farm, "place_type": "farm", "name": "Hillside", "exact_point": {"latitude": 45.123_456, "longitude": 5.9}});
    let place = node.post("/api/v1/places", place).await;
    assert!(place["exact_point"]["sealed"].is_string());
    assert!(!node.get("/api/v1/events?limit=1000").await.text().contains("45.123456"), "a sealed value is never shown");

    let lot = node.apples(&farm, &id(&place)).await;
    let created_by = node.read(&format!("/api/v1/produces/{lot}")).await["_links"]["created-by"]["href"]
        .as_str()
        .unwrap()
        .to_owned();
    let correction =
        json!({"actor": farm, "reason": "wrong label", "replacement": {"variety": "Gala", "name": "Dessert apples"}});
    node.post(&format!("{created_by}/corrections"), correction).await;
    let lot = node.read(&format!("/api/v1/produces/{lot}")).await;
    assert_eq!((&lot["variety"], &lot["name"]["en"]), (&json!("Gala"), &json!("Dessert apples")));
    let event = node.read(&created_by).await;
    assert_eq!((&event["body"]["variety"], &event["corrected"]["variety"]), (&json!("Braeburn"), &json!("Gala")));

    let journal = node.read(&format!("/api/v1/actors/{farm}/events?limit=2")).await;
    assert_eq!(items(&journal)[0]["kind"], "event.corrected");
    let next = node.read(journal["_links"]["next"]["href"].as_str().unwrap()).await;
    assert_eq!(next["count"], 2);
    // Founders have all roles.
    assert_eq!(node.read("/api/v1/actors?role=farmer").await["count"], 2);
    assert_eq!(node.read(&format!("/api/v1/actors?enroller={}", node.founder)).await["count"], 1);
}

#[tokio::test]
async fn events_show_how_well_they_are_proven() {
    let node = Node::start();
    let farm = node.enrol("Hillside Farm", "farmer").await;
    let field = node.place(&farm, "Hillside", 45.12, 5.98).await;
    let lot = node.apples(&farm, &field).await;
    let url = format!("/api/v1/produces/{lot}");
    let registered = node.ledger.size();
    node.write(Method::PATCH, &url, json!({"actor": farm, "grade": "B"})).await;
    let graded = node.ledger.size();
    node.write(Method::PATCH, &url, json!({"actor": farm, "grade": "C"})).await;
    let proofs = || async {
        let history = node.read(&format!("{url}/history")).await;
        items(&history).iter().map(|event| event["proof"].clone()).collect::<Vec<_>>()
    };
    let accepted = json!({"state": "accepted"});
    assert_eq!(proofs().await, [&accepted, &accepted, &accepted].map(Clone::clone));
    *node.anchors.sizes.lock().unwrap() = vec![registered, graded];
    let anchored = |sequence: u64| json!({"state": "anchored", "anchor": sequence});
    assert_eq!(proofs().await, [anchored(0), anchored(1), accepted.clone()]);
    node.anchors.final_count.store(1, Ordering::Relaxed);
    assert_eq!(proofs().await, [json!({"state": "final", "anchor": 0}), anchored(1), accepted]);
    let anchors = node.read("/api/v1/anchors").await;
    assert_eq!(items(&anchors).iter().map(|a| a["sequence"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(node.read("/api/v1/anchors/1").await["size"], graded);
}

#[tokio::test]
async fn readers_without_a_token_see_all_and_may_do_nothing() {
    let node = Node::start();
    let farm = node.enrol("Hillside Farm", "farmer").await;
    let field = node.place(&farm, "Hillside", 45.12, 5.98).await;
    let lot = node.apples(&farm, &field).await;
    for path in ["/api/v1".to_owned(), format!("/api/v1/produces/{lot}"), format!("/api/v1/actors/{farm}")] {
        let answer = node.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/hal+json");
        let offered = answer.json()["_templates"].as_object().cloned().unwrap_or_default();
        // Whoever has a bundle may have it verified.
        assert!(offered.keys().all(|action| action == "verify"), "{path}: {offered:?}");
        assert!(node.read(&path).await["_templates"].is_object(), "{path}");
    }
}

#[tokio::test]
async fn every_link_of_the_entry_point_leads_somewhere() {
    let node = Node::start();
    assert!(node.ledger.followed(0).await);
    let entry = node.read("/api/v1").await;
    for (relation, link) in entry["_links"].as_object().unwrap() {
        let href = link["href"].as_str().unwrap();
        // A template without its optional query is a list; one with a path part needs an id.
        let path = href.split("{?").next().unwrap();
        if path.contains('{') || ["inclusion", "consistency", "consistency-receipt"].contains(&relation.as_str()) {
            continue;
        }
        assert_eq!(node.get(path).await.status, StatusCode::OK, "{relation}: {href}");
    }
}

#[tokio::test]
async fn long_lists_are_read_page_by_page() {
    let node = Node::start();
    let mut farms = Vec::new();
    for name in ["Hillside Farm", "Valley Farm"] {
        let farm = node.enrol(name, "farmer").await;
        let field = node.place(&farm, name, 45.12, 5.98).await;
        for _ in 0..5 {
            node.apples(&farm, &field).await;
        }
        farms.push(farm);
    }
    assert_eq!(read_pages(&node, "/api/v1/produces?limit=2").await, (10, 5));
    // What a list is filtered by goes on to every page, also what has to be encoded.
    let filtered = format!("/api/v1/produces?originator={}&grade=UNECE%20FFV-50%3AII&limit=2", farms[0]);
    assert_eq!(read_pages(&node, &filtered).await.0, 0);
    let filtered = format!("/api/v1/produces?originator={}&state=held&limit=2", farms[1]);
    assert_eq!(read_pages(&node, &filtered).await, (5, 3));
    let page = node.read(&filtered).await;
    assert_eq!(page["_links"]["self"]["href"], filtered);
    let next = page["_links"]["next"]["href"].as_str().unwrap();
    assert_eq!(node.read(next).await["_links"]["self"]["href"], next);
    for (query, field) in [("limit=2&limit=3", "limit"), ("lmit=2", "lmit")] {
        let refused = node.get(&format!("/api/v1/produces?{query}")).await;
        assert_eq!((refused.status, &refused.json()["field"]), (StatusCode::BAD_REQUEST, &json!(field)), "{query}");
    }
}

/// How many different members a list has on how many pages.
async fn read_pages(node: &Node, first: &str) -> (usize, usize) {
    let (mut path, mut seen, mut pages) = (first.to_owned(), Vec::new(), 0);
    loop {
        let page = node.read(&path).await;
        seen.extend(items(&page).iter().map(id));
        pages += 1;
        match page["_links"]["next"]["href"].as_str() {
            Some(next) => next.clone_into(&mut path),
            None => break,
        }
    }
    seen.sort();
    seen.dedup();
    (seen.len(), pages)
}
