//! A lot's proof bundle: made by a node, and verified where there is neither node, nor chain, nor network.

use end_to_end::anvil::Anvil;
use end_to_end::client::{Client, answer};
use end_to_end::node::Node;
use end_to_end::program;
use end_to_end::scene::{Scene, Site};
use end_to_end::trade;
use end_to_end::wait::until;
use provenance::bundle::{Bundle, CONTENT_TYPE};
use provenance::id::NetworkId;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE as CONTENT_TYPE_HEADER;
use serde_json::{Value, json};
use std::path::Path;

/// Exit codes of 'furrow verify' for a bundle, each beside that of 'furrow-verify' and the verdict.
const VALID: (i32, i32, &str) = (0, 0, "valid");
const INVALID: (i32, i32, &str) = (4, 1, "invalid");
const INCOMPLETE: (i32, i32, &str) = (7, 3, "incomplete");

/// In how many places of a bundle a byte is flipped.
const FLIPS: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_verifies_where_there_is_nothing_else() {
    let mut scene = Scene::new(&["north", "south"], &[]).await;
    let mut anvil = Anvil::start(scene.folder()).await;
    for name in ["north", "south"] {
        scene.site(name).anchor_in(&anvil).await;
    }
    let north = scene.start("north").await;
    let south = scene.start_with("south", &[&north]).await;
    enrol(scene.site("north"), "Node of the north").await;
    enrol(scene.site("south"), "Node of the south").await;
    let lot = sold_in_part(&north, &south).await;

    // The south makes a bundle that another node has cosigned, with each event of it in a block.
    let bundle_path = format!("/api/v1/produces/{lot}/bundle");
    until("the lot is anchored and cosigned", async || {
        let made = south.client.read(&bundle_path).await;
        let verdict = if made.status == 200 { posted(&south.client, "", made.body).await } else { return None };
        let anchored = verdict["events"].as_array()?.iter().all(|event| event["before"].is_object());
        (anchored && is_cosigned(&verdict)).then_some(())
    })
    .await;
    until("the nodes show that they cosign each other", async || {
        let peers = [north.peers().await, south.peers().await].concat();
        let both_ways =
            |peer: &Value| peer["cosigning"]["cosigned_by"].is_u64() && peer["cosigning"]["cosigned_for"].is_u64();
        (peers.len() == 2 && peers.iter().all(both_ways)).then_some(())
    })
    .await;
    let sealed = scene.folder().join("sealed.bundle");
    let made = scene.site("south").json(&["bundle", "make", &lot, "--out", text(&sealed)]).await;
    assert_eq!((&made["lot"], &made["opened"]), (&json!(lot), &json!(0)), "{made}");

    // A price is opened on request of who may write, by the node that sealed it.
    let opened = scene.folder().join("opened.bundle");
    let price = ["bundle", "make", &lot, "--out", text(&opened), "--disclose", "price"];
    assert_eq!(scene.site("north").json(&price).await["opened"], 1);
    assert_eq!(north.client.read(&format!("{bundle_path}?disclose=price")).await.status, 401);

    // The chain tells the blocks' hashes, and the node computes a verdict for who asks.
    let bytes = std::fs::read(&sealed).unwrap();
    let online = posted(&south.client, "", bytes.clone()).await;
    assert_eq!(online["verdict"], "incomplete", "{online}");
    let hashes = hashes_of(&anvil, &online).await;
    let known: Vec<&str> = hashes.iter().flat_map(|hash| ["--block-hash", hash]).collect();
    let online_known = posted(&south.client, &format!("?block_hash={}", hashes.join(",")), bytes.clone()).await;
    let opened_hashes = hashes_of(&anvil, &posted(&south.client, "", std::fs::read(&opened).unwrap()).await).await;
    refuses_other_requests(&south.client, &bytes).await;

    // From here on there is neither node nor chain.
    assert_eq!(north.stop().await.code(), Some(0));
    assert_eq!(south.stop().await.code(), Some(0));
    anvil.go_away().await;

    assert_eq!(verdict(&sealed, &[], INCOMPLETE).await, stripped(online));
    let valid = verdict(&sealed, &known, VALID).await;
    assert_eq!(valid, stripped(online_known));
    assert_eq!(valid["subject"], lot.as_str());
    assert_eq!(valid["lot"]["balance"]["value"], "300", "{valid}");
    assert_eq!(verdict(&sealed, &[&known[..], &["--cosigners", "1"]].concat(), VALID).await, valid);
    let refused = verdict(&sealed, &[&known[..], &["--cosigners", "2"]].concat(), INVALID).await;
    assert_eq!(reason(&refused), "too_few_cosigners");

    let bundle = Bundle::decode(&bytes).unwrap();
    assert!(bundle.openings.is_empty(), "nothing is opened unasked");
    let with_price = Bundle::decode(&std::fs::read(&opened).unwrap()).unwrap();
    assert_eq!(with_price.openings.len(), 1);
    let known_to_north: Vec<&str> = opened_hashes.iter().flat_map(|hash| ["--block-hash", hash]).collect();
    verdict(&opened, &known_to_north, VALID).await;

    let other_block = format!("0x{}", "5a".repeat(32));
    assert_eq!(reason(&verdict(&sealed, &["--block-hash", &other_block], INVALID).await), "unknown_block");
    let other_network = NetworkId::from_bytes([7; 32]).to_string();
    assert_eq!(reason(&verdict(&sealed, &["--network", &other_network], INVALID).await), "other_network");
    let network = scene.network().to_string();
    assert_eq!(verdict(&sealed, &[&known[..], &["--network", &network]].concat(), VALID).await, valid);
    for flip in 0..FLIPS {
        let mut flipped = bytes.clone();
        let position = (bytes.len() - 1) * flip / (FLIPS - 1);
        flipped[position] ^= 1;
        let file = scene.folder().join("flipped.bundle");
        std::fs::write(&file, flipped).unwrap();
        verdict(&file, &known, INVALID).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_with_the_same_events_have_the_same_state_root() {
    let mut scene = Scene::new(&["north", "south"], &[]).await;
    let north = scene.start("north").await;
    let south = scene.start_with("south", &[&north]).await;
    south.connected(north.peer_id()).await;
    // Both sign at the same time, so that the order differs from log to log.
    let (one, other) = tokio::join!(trade::farm(&north.client, "Jork"), trade::farm(&south.client, "Tramin"));
    for kilograms in ["100", "200", "300"] {
        tokio::join!(trade::lot(&north.client, &one, kilograms), trade::lot(&south.client, &other, kilograms));
    }
    let size = 9.to_string();
    let mut roots = Vec::new();
    for node in [&north, &south] {
        let root = until("the checkpoint covers all events", async || {
            let note = node.client.read("/log/checkpoint").await.text();
            let lines: Vec<&str> = note.lines().collect();
            (lines[1] == size).then(|| lines[3].to_owned())
        })
        .await;
        roots.push(root);
    }
    assert!(roots[0].starts_with("furrow/state/1 "), "{roots:?}");
    assert_eq!(roots[0], roots[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_is_disclosed_no_more() {
    let mut scene = Scene::new(&["node"], &[]).await;
    let node = scene.start("node").await;
    let site = scene.site("node").clone();
    enrol(&site, "Node of Jork").await;
    let lot = with_sealed_price(&node.client).await;
    let history = node.client.all(&format!("/api/v1/produces/{lot}/history")).await;
    let event = trade::id(&history[0]);
    let file = scene.folder().join("lot.bundle");
    let make = ["bundle", "make", &lot, "--out", text(&file), "--disclose", "all"];
    until("the checkpoint covers the lot", async || (site.run(&make).await.code == Some(0)).then_some(())).await;
    assert_eq!(Bundle::decode(&std::fs::read(&file).unwrap()).unwrap().openings.len(), 1);

    let field = site.json(&["opening", "list", &event]).await["fields"][0].clone();
    assert_eq!((&field["name"], &field["state"]), (&json!("price"), &json!("opened")), "{field}");
    assert_eq!(field["value"]["amount_minor"], "9500", "{field}");
    let field = site.json(&["opening", "erase", &event, "--field", "price"]).await["fields"][0].clone();
    assert_eq!((&field["state"], &field["value"]), (&json!("erased"), &Value::Null), "{field}");
    assert_eq!(site.json(&["opening", "list", &event]).await["fields"][0], field);

    site.json(&make).await;
    assert!(Bundle::decode(&std::fs::read(&file).unwrap()).unwrap().openings.is_empty());
    // The history is proven as before: only the chain is missing here.
    assert_eq!(reason(&verdict(&file, &[], INCOMPLETE).await), "not_anchored");
    let shown = node.client.read(&format!("/api/v1/produces/{lot}")).await.text();
    assert!(!shown.contains("9500"), "{shown}");
}

async fn enrol(site: &Site, name: &str) {
    site.json(&["actor", "enrol", "--name", name, "--this-node"]).await;
}

/// A lot of 500 kg whose price only its node can tell.
async fn with_sealed_price(client: &Client) -> String {
    let farm = trade::farm(client, "Jork").await;
    let mut apples = trade::apples(&farm, "500");
    apples["price"] = json!({ "amount_minor": "9500", "currency": "EUR" });
    apples["seal_price"] = true.into();
    trade::id(&client.post("/api/v1/produces", &apples).await)
}

/// The north sells 200 kg of a lot to the south; the lot.
async fn sold_in_part(north: &Node, south: &Node) -> String {
    let lot = with_sealed_price(&north.client).await;
    let buyer = south.cooperative().await.to_string();
    let transfer = trade::id(&trade::offer(&north.client, &lot, Some("200"), &buyer).await);
    south.has_entries(north.log_size().await).await;
    trade::accept(&south.client, &transfer).await;
    north.has_entries(south.log_size().await).await;
    lot
}

fn is_cosigned(verdict: &Value) -> bool {
    verdict["as_of"]["cosigned_by"].as_array().is_some_and(|cosigners| !cosigners.is_empty())
}

/// The verdict that a node computes.
async fn posted(client: &Client, query: &str, bundle: Vec<u8>) -> Value {
    let request = client.anonymous(Method::POST, &format!("/api/v1/verifications{query}"));
    let told = answer(request.header(CONTENT_TYPE_HEADER, CONTENT_TYPE).body(bundle)).await;
    assert_eq!(told.status, 200, "{}", told.text());
    told.json()
}

async fn refuses_other_requests(client: &Client, bundle: &[u8]) {
    let path = "/api/v1/verifications";
    let cases = [
        (path.to_owned(), "application/cbor", 415),
        (format!("{path}?network=nowhere"), CONTENT_TYPE, 400),
        (format!("{path}?cosigners=-1"), CONTENT_TYPE, 400),
        (format!("{path}?cosigner=nobody"), CONTENT_TYPE, 400),
        (format!("{path}?block_hash=0x12"), CONTENT_TYPE, 400),
        (format!("{path}?trust=me"), CONTENT_TYPE, 400),
    ];
    for (path, media_type, status) in cases {
        let request = client.anonymous(Method::POST, &path).header(CONTENT_TYPE_HEADER, media_type);
        let refused = answer(request.body(bundle.to_vec())).await;
        assert_eq!(refused.status, status, "{path} {media_type}: {}", refused.text());
        assert_eq!(refused.headers[CONTENT_TYPE_HEADER], "application/problem+json");
    }
}

/// What the chain itself says of the blocks that a verdict lists.
async fn hashes_of(anvil: &Anvil, verdict: &Value) -> Vec<String> {
    let mut hashes = Vec::new();
    for block in verdict["blocks"].as_array().expect("a list") {
        let hash = anvil.block_hash(block["number"].as_u64().expect("a number")).await;
        assert_eq!(block["hash"], hash.as_str(), "{block}");
        hashes.push(hash);
    }
    assert!(!hashes.is_empty(), "{verdict}");
    hashes
}

/// The verdict of both verifiers, which must be this one, without what may differ.
async fn verdict(file: &Path, policy: &[&str], expected: (i32, i32, &str)) -> Value {
    let rust = program::run(program::command(&[&["verify", text(file), "--json"], policy].concat())).await;
    let typescript = program::by_typescript(file, policy).await;
    let (one, other) = (stripped(rust.json()), stripped(typescript.json()));
    assert_eq!(one, other, "the verifiers differ");
    assert_eq!(one["verdict"], expected.2, "{one}");
    assert_eq!((rust.code, typescript.code), (Some(expected.0), Some(expected.1)), "{rust:?}");
    one
}

/// A verdict without its sentences, which each verifier words by itself.
fn stripped(mut verdict: Value) -> Value {
    for check in verdict["checks"].as_array_mut().expect("a list") {
        check
            .as_object_mut()
            .expect("a check")
            .retain(|name, _| !["proves", "rests_on", "detail"].contains(&&name[..]));
    }
    verdict
}

/// The reason of the first check that has one.
fn reason(verdict: &Value) -> String {
    let checks = verdict["checks"].as_array().expect("a list");
    let reason = checks.iter().find_map(|check| check["reason"].as_str());
    reason.unwrap_or_else(|| panic!("no check gives a reason: {verdict}")).to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}
