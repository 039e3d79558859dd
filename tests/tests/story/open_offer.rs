//! A seller who would like to undo an offer that waits for its answer.

use end_to_end::client::answer;
use end_to_end::scene::Scene;
use end_to_end::signer::{self, Signer};
use end_to_end::trade;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_offered_can_only_be_answered_or_taken_back() {
    let mut scene = Scene::new(&["seller", "buyer"], &[]).await;
    let seller = scene.start("seller").await;
    let buyer = scene.start_with("buyer", &[&seller]).await;
    let to = buyer.cooperative().await.to_string();
    let rival = trade::enrol(&seller.client, "Rival", "trader").await;
    let farm = trade::farm(&seller.client, "Jork").await;
    let lot = trade::lot(&seller.client, &farm, "1000").await;
    let transfer = trade::id(&trade::offer(&seller.client, &lot, None, &to).await);
    let size = seller.log_size().await;

    let (this, offers) = (format!("/api/v1/produces/{lot}"), format!("/api/v1/produces/{lot}/transfers"));
    let attempts: [(Method, &str, Value); 6] = [
        (Method::PATCH, &this, json!({ "place": farm })),
        (Method::PATCH, &this, json!({ "grade": "B" })),
        (Method::PATCH, &this, json!({ "price": { "amount_minor": "1", "currency": "EUR" } })),
        (Method::POST, &offers, json!({ "to": { "actor": rival } })),
        (Method::POST, &offers, json!({ "to": { "actor": rival }, "quantity": trade::kg("1") })),
        (Method::POST, &format!("{this}/retirement"), json!({ "outcome": "lost" })),
    ];
    for (method, path, command) in attempts {
        let answer = seller.client.command(method, path, &command).await;
        assert_eq!(answer.status, 409, "{command}: {}", answer.text());
        assert_eq!(answer.json()["rule"], "offer_open", "{command}: {}", answer.text());
    }
    // Nor does the interface show it as possible.
    let shown = answer(seller.client.request(Method::GET, &this)).await.json();
    assert_eq!(actions(&shown), ["cancel"]);
    assert_eq!(seller.log_size().await, size, "nothing was stored");
    let kept = seller.client.get(&this).await;
    assert_eq!((&kept["state"], &kept["open_offer"]["to"]["id"]), (&json!("offered"), &json!(to)));

    // Somebody else can neither take it nor refuse it.
    for answer in ["acceptance", "refusal"] {
        let path = format!("/api/v1/transfers/{transfer}/{answer}");
        let refused = seller.client.command(Method::POST, &path, &json!({ "actor": rival })).await;
        assert!((400..500).contains(&refused.status), "{answer}: {}", refused.text());
        assert_eq!(refused.json()["rule"], "not_addressee");
    }

    let cancelled =
        seller.client.post(&format!("/api/v1/transfers/{transfer}/cancellation"), &json!({ "reason": "frost" })).await;
    assert_eq!(cancelled["state"], "cancelled");
    let graded = seller.client.patch(&this, &json!({ "grade": "B" })).await;
    assert_eq!((&graded["state"], &graded["grade"]["value"]), (&json!("held"), &json!("B")));

    // The buyer sees the same, and is too late.
    buyer.has_entries(seller.log_size().await).await;
    let late =
        buyer.client.command(Method::POST, &format!("/api/v1/transfers/{transfer}/acceptance"), &json!({})).await;
    assert_eq!((late.status, &late.json()["rule"]), (409, &json!("no_open_offer")), "{}", late.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_with_a_key_of_its_own_cannot_either() {
    let mut scene = Scene::new(&["node"], &[signer::public(1), signer::public(2)]).await;
    let node = scene.start("node").await;
    let mut seller = Signer::founder(&scene, 1, 0);
    let (buyer, rival) = (scene.founder(1), node.cooperative().await);
    let (farm, other) = (seller.farm("Tramin"), seller.farm("Kaltern"));
    let registered = seller.lot(&farm, "500");
    let lot = registered.id().subject(0);
    let offer = seller.offer(lot, &[registered.id()], "500", buyer);
    node.client.submit(&[farm, other.clone(), registered.clone(), offer.clone()]).await;
    let size = node.log_size().await;

    // Each attempt is signed well, once on the open offer, and once as if it had never been made.
    let attempts = [
        seller.clone().bring(lot, &[offer.id()], &other),
        seller.clone().offer(lot, &[offer.id()], "500", rival),
        seller.clone().offer_part(lot, &[offer.id()], "10", rival),
        seller.clone().grade(lot, &[offer.id()], "C"),
        seller.clone().offer(lot, &[registered.id()], "500", rival),
    ];
    for (index, event) in attempts.iter().enumerate() {
        let answer = node.client.submit_one(event.bytes()).await;
        let rule = if index < 4 { "offer_open" } else { "lane_fork" };
        assert_eq!((answer.status, &answer.json()["rule"]), (409, &json!(rule)), "{index}: {}", answer.text());
        assert_eq!(node.client.read(&format!("/api/v1/events/{}", event.id())).await.status, 404);
    }
    assert_eq!(node.log_size().await, size, "nothing was stored");

    let mut buyer = Signer::founder(&scene, 2, 1);
    node.client.submit(&[buyer.accept(&offer, lot, "500")]).await;
    node.has_entries(size + 1).await;
    let lot = node.client.get(&format!("/api/v1/produces/{lot}")).await;
    assert_eq!((&lot["state"], &lot["holder"]["id"]), (&json!("held"), &json!(buyer.actor())));
}

/// What a resource offers to do.
fn actions(resource: &Value) -> Vec<&str> {
    let templates = resource["_templates"].as_object();
    templates.map(|templates| templates.keys().map(String::as_str).collect()).unwrap_or_default()
}
