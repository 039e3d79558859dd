//! Apples of two members are collected, pressed and packed; the pallet goes to another node, where it is unpacked and sold.

use end_to_end::anvil::Anvil;
use end_to_end::program;
use end_to_end::scene::Scene;
use end_to_end::trade;
use end_to_end::wait::until;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_pallet_of_juice_is_made_of_what_members_brought_and_sold_elsewhere() {
    let mut scene = Scene::new(&["press", "shop"], &[]).await;
    let mut anvil = Anvil::start(scene.folder()).await;
    for name in ["press", "shop"] {
        scene.site(name).anchor_in(&anvil).await;
    }
    let press = scene.start("press").await;
    let shop = scene.start_with("shop", &[&press]).await;
    for name in ["press", "shop"] {
        scene.site(name).json(&["actor", "enrol", "--name", &format!("Node of the {name}"), "--this-node"]).await;
    }
    let (site, other) = (scene.site("press").clone(), scene.site("shop").clone());
    for member in ["Anna", "Bruno"] {
        trade::enrol(&press.client, member, "farmer").await;
    }
    trade::farm(&press.client, "Jork").await;
    site.json(&["place", "update", "Jork", "--name", "Upper Jork", "--area", "12000"]).await;

    // Collected, cooled, labelled and pressed.
    let collect = ["produce", "collect", "--name", "Apples", "--commodity", "HS:0808.10"];
    let deliveries = ["--delivery", "Anna=60.5 KGM@Upper Jork", "--delivery", "Bruno=40 KGM"];
    let lot = trade::id(&site.json(&[&collect[..], &deliveries].concat()).await);
    let cooled = ["produce", "handle", &lot, "cooled", "--place", "Upper Jork", "--temperature", "1..4"];
    assert_eq!(site.json(&cooled).await["steps"][0]["step"], "cooled");
    let labelled = site.json(&["produce", "codes", &lot, "--lot-number", "L-9"]).await;
    assert_eq!((&labelled["codes"]["lot"], &labelled["balance"]["value"]), (&json!("L-9"), &json!("100.5")));
    let press_it = ["produce", "transform", &format!("{lot}=100 KGM"), "--process", "press"];
    let outputs = ["--output", "60 LTR Apple juice HS:2009.71", "--output", "20 KGM Pomace HS:2308.00"];
    let made = site.json(&[&press_it[..], &outputs].concat()).await;
    let juice = made["outputs"][0]["lot"].as_str().unwrap().to_owned();

    // A part of the juice is packed in a carton, the carton on a pallet, and the pomace beside it.
    let packed = ["unit", "pack", &format!("{juice}=36 LTR"), "--sscc", "106141411234567897"];
    let carton = trade::id(&site.json(&packed).await);
    let shown = site.json(&["unit", "show", &carton]).await;
    let part = trade::id(&shown["inside"][0]);
    let pallet = trade::id(&site.json(&["unit", "pack", &carton]).await);
    let pomace = made["outputs"][1]["lot"].as_str().unwrap();
    assert_eq!(site.json(&["unit", "add", &pallet, pomace]).await["contents"], 2);
    let refused = site.run(&["produce", "retire", &part, "sold"]).await;
    assert_ne!(refused.code, Some(0), "{refused:?}");

    // The pallet is handed over, and everything in it goes with it.
    let buyer = shop.cooperative().await.to_string();
    let offer = trade::id(&site.json(&["transfer", "offer", &pallet, "--to", &buyer, "--moves", "both"]).await);
    shop.has_entries(press.log_size().await).await;
    other.json(&["transfer", "accept", &offer]).await;
    press.has_entries(shop.log_size().await).await;
    for node in [&press, &shop] {
        let shown = node.client.get(&format!("/api/v1/produces/{part}")).await;
        assert_eq!((&shown["holder"]["id"], &shown["state"]), (&json!(buyer), &json!("packed")), "{shown}");
    }
    assert_eq!(other.json(&["unit", "unpack", &pallet]).await["contents"], 0);
    assert_eq!(other.json(&["unit", "unpack", &carton, &part]).await["contents"], 0);
    assert_eq!(
        other.json(&["produce", "retire", &part, "sold", "--quantity", "6 LTR"]).await["balance"]["value"],
        "30"
    );
    assert_eq!(other.json(&["unit", "list", "--holder", &buyer]).await.as_array().unwrap().len(), 2);
    press.has_entries(shop.log_size().await).await;
    // Both nodes show the same; what differs is how far each has anchored it.
    for path in [&lot, &juice, &part].map(|lot| format!("produces/{lot}")).iter().chain(&[format!("units/{pallet}")]) {
        let (here, there) =
            (press.client.get(&format!("/api/v1/{path}")).await, shop.client.get(&format!("/api/v1/{path}")).await);
        for field in ["state", "holder", "owner", "balance", "contents", "parents", "place", "steps", "tips"] {
            assert_eq!(here[field], there[field], "{path} {field}");
        }
    }

    // What was sold is proven where there is neither node nor network.
    let file = scene.folder().join("juice.bundle");
    let file = file.to_str().unwrap();
    let (verdict, hashes) = until("all events are anchored", async || {
        let made = other.run(&["bundle", "make", &part, "--out", file]).await;
        if made.code != Some(0) {
            return None;
        }
        let verdict = program::run(program::command(&["verify", file, "--json"])).await.json();
        let anchored = verdict["events"].as_array()?.iter().all(|event| event["before"].is_object());
        let mut hashes = Vec::new();
        for block in verdict["blocks"].as_array()? {
            hashes.push(anvil.block_hash(block["number"].as_u64()?).await);
        }
        (anchored && !hashes.is_empty()).then_some((verdict, hashes))
    })
    .await;
    assert_ne!(verdict["verdict"], "invalid", "{verdict}");
    anvil.go_away().await;
    let known: Vec<&str> = hashes.iter().flat_map(|hash| ["--block-hash", hash]).collect();
    let ended = program::run(program::command(&[&["verify", file, "--json"], &known[..]].concat())).await;
    let verdict: Value = ended.json();
    assert_eq!((ended.code, &verdict["verdict"]), (Some(0), &json!("valid")), "{verdict}");
    assert_eq!(verdict["lot"]["balance"]["value"], "30", "{verdict}");
}
