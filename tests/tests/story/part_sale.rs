//! One lot is sold to two buyers in parts, and they answer in the other order.

use end_to_end::client::Client;
use end_to_end::scene::Scene;
use end_to_end::{trade, views};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn quantities_add_up_whoever_answers_first() {
    let mut scene = Scene::new(&["seller", "first", "second"], &[]).await;
    let seller = scene.start("seller").await;
    let first = scene.start_with("first", &[&seller]).await;
    let second = scene.start_with("second", &[&seller]).await;
    let farm = trade::farm(&seller.client, "Jork").await;
    let lot = trade::lot(&seller.client, &farm, "1000").await;
    let offered_first = trade::offer(&seller.client, &lot, Some("300.5"), &first.cooperative().await.to_string()).await;
    let offered_second = trade::offer(&seller.client, &lot, Some("400"), &second.cooperative().await.to_string()).await;
    // The rest is free all the time.
    let rest = seller.client.get(&format!("/api/v1/produces/{lot}")).await;
    assert_eq!((&rest["state"], &rest["balance"]["value"]), (&json!("held"), &json!("299.5")));
    seller.client.patch(&format!("/api/v1/produces/{lot}"), &json!({ "grade": "B" })).await;

    let size = seller.log_size().await;
    first.has_entries(size).await;
    second.has_entries(size).await;
    trade::accept(&second.client, &trade::id(&offered_second)).await;
    first.has_entries(size + 1).await;
    let line = json!({
        "received": trade::kg("240"),
        "rejected": trade::kg("50"),
        "lost": trade::kg("10.5"),
        "reason": "bruised; some fell off the lorry",
    });
    let acceptance = format!("/api/v1/transfers/{}/acceptance", trade::id(&offered_first));
    let accepted = first.client.post(&acceptance, &json!({ "lines": [line] })).await;
    assert_eq!(accepted["state"], "accepted");

    for node in [&seller, &first, &second] {
        node.has_entries(size + 2).await;
        let item = |transfer: &Value| transfer["lines"][0]["item"].as_str().unwrap().to_owned();
        let returned = accepted["lines"][0]["returned"].as_str().unwrap();
        let held = [
            (lot.clone(), &seller, "299.5"),
            (returned.to_owned(), &seller, "50"),
            (item(&offered_first), &first, "240"),
            (item(&offered_second), &second, "400"),
        ];
        for (lot, holder, kilograms) in held {
            let lot = node.client.get(&format!("/api/v1/produces/{lot}")).await;
            assert_eq!(lot["balance"], json!({ "value": kilograms, "unit": "KGM", "packages": null }), "{lot}");
            assert_eq!((&lot["holder"]["id"], &lot["state"]), (&json!(holder.cooperative().await), &json!("held")));
        }
        // 299.5 + 50 + 240 + 400 are held, and 10.5 were lost.
        assert_eq!(held_tenths(&node.client).await, 10_000 - 105);
    }
    let shown = views::all(&seller.client).await;
    views::assert_same(&shown, &views::all(&first.client).await);
    views::assert_same(&shown, &views::all(&second.client).await);
}

/// The balance of all lots together, in tenths of a kilogram.
async fn held_tenths(client: &Client) -> u64 {
    let lots = client.all("/api/v1/produces").await;
    let tenths = |lot: &Value| {
        let (whole, tenths) = {
            let text = lot["balance"]["value"].as_str().unwrap();
            text.split_once('.').unwrap_or((text, "0"))
        };
        whole.parse::<u64>().unwrap() * 10 + tenths.parse::<u64>().unwrap()
    };
    lots.iter().map(tenths).sum()
}
