//! Goods that are collected, worked on, made into others, packed in units and owned by others than hold them.

use crate::support::{Node, id};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

fn kilos(value: &str) -> Value {
    json!({"value": value, "unit": "KGM"})
}

async fn collected(node: &Node, members: &[(&str, &str, &str)]) -> String {
    let deliveries: Vec<_> = members
        .iter()
        .map(|(member, place, value)| json!({"member": member, "place": place, "quantity": kilos(value), "slip": "17"}))
        .collect();
    let body = json!({"commodity": {"scheme": "HS", "code": "0808.10"}, "name": "Apples", "deliveries": deliveries});
    id(&node.post("/api/v1/collections", body).await).clone()
}

#[tokio::test]
async fn goods_go_from_members_into_a_unit_and_out_of_it_again() {
    let node = Node::start();
    let (anna, bruno) = (node.enrol("Anna", "farmer").await, node.enrol("Bruno", "farmer").await);
    let shop = node.enrol("Corner Shop", "retailer").await;
    let hill = node.place(&anna, "Hill", 45.12, 5.98).await;
    let store = node.place(&shop, "Shop", 48.85, 2.35).await;
    let lot = collected(&node, &[(&anna, &hill, "60"), (&bruno, &hill, "40")]).await;
    let url = format!("/api/v1/produces/{lot}");
    let shown = node.read(&url).await;
    assert_eq!((&shown["origin"], &shown["balance"]["value"]), (&json!("collected"), &json!("100")));
    assert!(shown["_templates"]["handle"].is_object() && shown["_templates"]["assign-codes"].is_object());

    let cooled = json!({"step": "cooled", "temperature": {"min_centicelsius": 100, "max_centicelsius": 400}});
    assert_eq!(node.post(&format!("{url}/handlings"), cooled).await["steps"][0]["step"], "cooled");
    assert_eq!(node.post(&format!("{url}/codes"), json!({"lot": "L-9"})).await["codes"]["lot"], "L-9");
    let nothing = node.send(Method::POST, &format!("{url}/codes"), json!({})).await;
    assert_eq!((nothing.status, &nothing.json()["rule"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("empty")));

    let body = json!({"process": "press", "inputs": [{"lot": lot, "quantity": kilos("90")}], "loss": kilos("20"),
        "outputs": [{"name": "Juice", "commodity": {"scheme": "HS", "code": "2009.71"}, "quantity": kilos("60")},
            {"quantity": kilos("10")}]});
    let made = node.post("/api/v1/transformations", body).await;
    let outputs: Vec<String> =
        made["outputs"].as_array().unwrap().iter().map(|output| output["lot"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        made["outputs"][1]["name"]["en"].as_str().or(made["outputs"][1]["name"]["und"].as_str()),
        Some("Apples")
    );
    let again = node.read(&format!("/api/v1/transformations/{}", id(&made))).await;
    assert_eq!(again["run"], made["run"]);
    let juice = node.read(&format!("/api/v1/produces/{}", outputs[0])).await;
    assert_eq!((&juice["parents"], &juice["origin"]), (&json!([lot]), &json!("transformed")));
    assert_eq!(node.read(&format!("/api/v1/produces?parent={lot}")).await["count"], 2);
    let not = node.get(&format!("/api/v1/transformations/{lot}")).await;
    assert_eq!(not.status, StatusCode::NOT_FOUND);

    // Thirty of sixty go into a carton on a pallet; the other output is added.
    let body = json!({"contents": [{"lot": outputs[0], "quantity": kilos("30")}], "sscc": "106141411234567897"});
    let carton = node.post("/api/v1/units", body).await;
    assert_eq!((&carton["contents"], &carton["sscc"]), (&json!(1), &json!("106141411234567897")));
    let carton = id(&carton).clone();
    let inside = node.read(&format!("/api/v1/produces?unit={carton}")).await;
    let part = inside["_embedded"]["item"][0]["id"].as_str().unwrap().to_owned();
    let pallet = node.post("/api/v1/units", json!({"contents": [{"lot": carton}]})).await;
    let pallet = id(&pallet).clone();
    let more = node.post(&format!("/api/v1/units/{pallet}/contents"), json!({"contents": [{"lot": outputs[1]}]})).await;
    assert_eq!(more["contents"], 2);
    let packed =
        node.send(Method::POST, &format!("/api/v1/produces/{part}/retirement"), json!({"outcome": "sold"})).await;
    assert_eq!((packed.status, &packed.json()["rule"]), (StatusCode::CONFLICT, &json!("packed")));
    assert!(node.read(&format!("/api/v1/produces/{part}")).await["_templates"].is_null());

    let offer = json!({"lines": [{"lot": pallet}], "to": {"actor": shop}, "to_place": store});
    let offer = node.post("/api/v1/transfers", offer).await;
    node.post(&format!("/api/v1/transfers/{}/acceptance", id(&offer)), json!({})).await;
    assert_eq!(node.read(&format!("/api/v1/transfers?lot={pallet}")).await["count"], 1);
    let shown = node.read(&format!("/api/v1/produces/{part}")).await;
    assert_eq!(
        (&shown["state"], &shown["unit"], &shown["holder"]["id"]),
        (&json!("packed"), &json!(carton), &json!(shop))
    );
    assert_eq!(node.read(&format!("/api/v1/units?holder={shop}&sscc=106141411234567897")).await["count"], 1);

    let emptied = node.post(&format!("/api/v1/units/{pallet}/unpackings"), json!({"actor": shop})).await;
    assert_eq!((&emptied["contents"], &emptied["_templates"]["unpack"]), (&json!(0), &Value::Null));
    let unpack = json!({"actor": shop, "contents": [part]});
    node.post(&format!("/api/v1/units/{carton}/unpackings"), unpack.clone()).await;
    let twice = node.send(Method::POST, &format!("/api/v1/units/{carton}/unpackings"), unpack).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", twice.text());
    let sold = json!({"actor": shop, "outcome": "sold"});
    assert_eq!(node.post(&format!("/api/v1/produces/{part}/retirement"), sold).await["closed"], "retired");
    let history = node.read(&format!("/api/v1/produces/{part}/history")).await;
    let kinds: Vec<_> =
        history["_embedded"]["item"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    let told = ["produce.transformed", "unit.packed", "unit.packed", "transfer.offered", "transfer.accepted"];
    assert!(
        kinds.starts_with(&told[..2])
            && kinds.contains(&told[4])
            && kinds.ends_with(&["unit.unpacked", "produce.retired"]),
        "{kinds:?}"
    );
    let page = node.get(&format!("/p/{part}")).await.text();
    for sentence in [
        "Made by Founder 1 of Test valley: press",
        "From 90 kg of Apples",
        "Packed by",
        "Handed over from",
        "Unpacked by Corner Shop",
    ] {
        assert!(page.contains(sentence), "{sentence}: {page}");
    }
    let page = node.get(&format!("/p/{lot}")).await.text();
    for sentence in ["60 kg from Anna", "Cooled by", "1 to 4 °C", "Labelled by"] {
        assert!(page.contains(sentence), "{sentence}: {page}");
    }
}

#[tokio::test]
async fn possession_and_title_go_different_ways() {
    let node = Node::start();
    let farm = node.enrol("Hillside Farm", "farmer").await;
    let (carrier, shop) = (node.enrol("Carrier", "carrier").await, node.enrol("Corner Shop", "retailer").await);
    let field = node.place(&farm, "Hillside", 45.12, 5.98).await;
    let lot = node.apples(&farm, &field).await;
    let url = format!("/api/v1/produces/{lot}");
    let offer = |actor: &str, to: &str, moves: &str| json!({"actor": actor, "to": {"actor": to}, "moves": moves});
    let part = json!({"actor": farm, "to": {"actor": carrier}, "moves": "possession", "quantity": kilos("1")});
    let refused = node.send(Method::POST, &format!("{url}/transfers"), part).await;
    assert_eq!((refused.status, &refused.json()["rule"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("divided")));
    let lent = node.post(&format!("{url}/transfers"), offer(&farm, &carrier, "possession")).await;
    assert_eq!(lent["moves"], "possession");
    node.post(&format!("/api/v1/transfers/{}/acceptance", id(&lent)), json!({})).await;
    let shown = node.read(&url).await;
    assert_eq!((&shown["holder"]["id"], &shown["owner"]["id"]), (&json!(carrier), &json!(farm)));
    assert!(shown["_templates"]["retire"].is_null());

    let sale = node.post(&format!("{url}/transfers"), offer(&farm, &shop, "title")).await;
    let shown = node.read(&url).await;
    assert_eq!((&shown["state"], &shown["title_offer"]["transfer"]), (&json!("held"), &sale["id"]));
    assert!(shown["_templates"]["accept"].is_object());
    node.post(&format!("/api/v1/transfers/{}/acceptance", id(&sale)), json!({})).await;
    assert_eq!(node.read(&url).await["owner"]["id"], json!(shop));
    assert_eq!(node.read(&format!("/api/v1/produces?owner={shop}&holder={carrier}")).await["count"], 1);
    let page = node.get(&format!("/p/{lot}")).await.text();
    assert!(page.contains("who owns it did not change") && page.contains("who holds it did not change"), "{page}");
}

#[tokio::test]
async fn places_change_and_quantities_are_corrected() {
    let node = Node::start();
    let farm = node.enrol("Hillside Farm", "farmer").await;
    let field = node.place(&farm, "Hillside", 45.12, 5.98).await;
    let url = format!("/api/v1/places/{field}");
    assert_eq!(node.read(&url).await["_templates"]["change"]["method"], "PATCH");
    let changed = node.write(Method::PATCH, &url, json!({"actor": farm, "name": "Upper field", "area_m2": 900})).await;
    assert_eq!((&changed["area_m2"], &changed["place_type"]), (&json!(900), &json!("farm")));
    let nothing = node.send(Method::PATCH, &url, json!({"actor": farm})).await;
    assert_eq!((nothing.status, &nothing.json()["rule"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("empty")));

    let lot = node.apples(&farm, &field).await;
    let history = node.read(&format!("/api/v1/produces/{lot}/history")).await;
    let registration = history["_embedded"]["item"][0]["id"].as_str().unwrap().to_owned();
    let correction = json!({"actor": farm, "reason": "typing error", "replacement": {"quantity": kilos("100")}});
    node.post(&format!("/api/v1/events/{registration}/corrections"), correction).await;
    let shown = node.read(&format!("/api/v1/produces/{lot}")).await;
    assert_eq!((&shown["quantity"]["value"], &shown["unconfirmed_quantity"]), (&json!("100"), &Value::Null));
}
