//! What bad input gets: a problem that names field and rule, and nothing stored, here or elsewhere.

use end_to_end::client::{Answer, CBOR_SEQUENCE, COSE, answer};
use end_to_end::node::Node;
use end_to_end::scene::Scene;
use end_to_end::signer::{self, Signer};
use end_to_end::trade;
use provenance::id::NetworkId;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

/// What an answer must be: the status, the code of the problem, and the field and rule that it names.
type Expected = (u16, &'static str, Option<&'static str>, Option<&'static str>);

fn assert_refused(what: &str, answer: &Answer, (status, code, field, rule): Expected) {
    let problem = answer.json();
    assert_eq!(answer.status, status, "{what}: {problem}");
    assert_eq!(answer.headers["content-type"], "application/problem+json", "{what}");
    assert_eq!(problem["type"], format!("urn:furrow:problem:{code}"), "{what}: {problem}");
    assert_eq!(problem["status"], status, "{what}: {problem}");
    if let Some(field) = field {
        assert_eq!(problem["field"], field, "{what}: {problem}");
    }
    if let Some(rule) = rule {
        assert_eq!(problem["rule"], rule, "{what}: {problem}");
    }
    // A sentence of what was wrong and what to do.
    let detail = problem["detail"].as_str().unwrap_or_default();
    assert!(detail.len() > 20 && detail.ends_with('.'), "{what}: '{detail}'");
}

/// Two connected nodes; the number of entries that both have.
async fn two_nodes(scene: &mut Scene) -> (Node, Node) {
    let north = scene.start("north").await;
    let south = scene.start_with("south", &[&north]).await;
    south.connected(north.peer_id()).await;
    (north, south)
}

/// Demands that nothing was stored, and that an honest event is still the next one on both nodes.
async fn nothing_happened(north: &Node, south: &Node, entries: u64) {
    assert_eq!(north.log_size().await, entries, "nothing is stored");
    trade::farm(&north.client, "Honest farm").await;
    north.has_entries(entries + 1).await;
    south.has_entries(entries + 1).await;
    let status = north.client.get("/api/v1/status").await;
    assert_eq!((&status["held"], &status["faults"]), (&json!(0), &json!([])));
}

/// A value that its field does not allow.
fn invalid(field: &'static str, rule: &'static str) -> Expected {
    (422, "invalid-value", Some(field), Some(rule))
}

/// A rule of admission that the command breaks.
fn broken(rule: &'static str) -> Expected {
    (422, "rule-broken", None, Some(rule))
}

/// JSON that is not what the endpoint reads.
fn malformed(field: &'static str) -> Expected {
    (400, "malformed-json", Some(field), None)
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_places_and_lots() {
    let mut scene = Scene::new(&["north", "south"], &[]).await;
    let (north, south) = two_nodes(&mut scene).await;
    let farm = trade::farm(&north.client, "Jork").await;
    let entries = north.log_size().await;

    let nobody = "a".repeat(52);
    let points = [
        ("latitude 91", json!({ "latitude": 91, "longitude": 9 }), invalid("point.latitude", "latitude")),
        ("longitude -181", json!({ "latitude": 9, "longitude": -181 }), invalid("point.longitude", "longitude")),
        ("a pole without a meridian", json!({ "latitude": 90 }), malformed("point.longitude")),
        ("no point at all", json!("here"), malformed("point")),
    ];
    for (what, point, expected) in points {
        let place = json!({ "place_type": "farm", "name": "Nowhere", "point": point });
        assert_refused(what, &north.client.command(Method::POST, "/api/v1/places", &place).await, expected);
    }
    let lots = [
        (
            "price",
            json!({ "amount_minor": "-250", "currency": "EUR" }),
            invalid("price.amount_minor", "negative_amount"),
        ),
        ("price", json!({ "amount_minor": 1, "currency": "euro" }), invalid("price.currency", "currency")),
        ("quantity", trade::kg("many"), invalid("quantity.value", "decimal")),
        ("quantity", trade::kg("-5"), invalid("quantity.value", "decimal")),
        ("quantity", trade::kg("0.0000000001"), invalid("quantity.value", "decimal_places")),
        ("quantity", json!({ "value": "1", "unit": "kilo" }), invalid("quantity.unit", "unit_code")),
        ("quantity", trade::kg("0"), broken("zero_quantity")),
        ("grade", json!("Z"), invalid("grade", "grade")),
        ("codes", json!({ "gtin": "4000001000006" }), invalid("codes.gtin", "gs1_check_digit")),
        ("harvested", json!({ "first": "2026-02-30" }), invalid("harvested.first", "date")),
        ("harvested", json!({ "first": "2026-09-30", "last": "2026-09-01" }), invalid("harvested", "end_before_start")),
        ("places", json!([nobody]), invalid("places", "unknown_place")),
        ("weight", json!(10), malformed("weight")),
        ("name", Value::Null, malformed("name")),
    ];
    for (field, value, expected) in lots {
        let what = format!("a lot with the {field} {value}");
        let mut lot = trade::apples(&farm, "10");
        lot[field] = value;
        assert_refused(&what, &north.client.command(Method::POST, "/api/v1/produces", &lot).await, expected);
    }
    nothing_happened(&north, &south, entries).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_against_the_rules() {
    let mut scene = Scene::new(&["north", "south"], &[]).await;
    let (north, south) = two_nodes(&mut scene).await;
    let client = &north.client;
    let farm = trade::farm(client, "Jork").await;
    let lot = format!("/api/v1/produces/{}", trade::lot(client, &farm, "1000").await);
    let stranger = trade::enrol(client, "Stranger", "trader").await;
    let to = json!({ "actor": south.cooperative().await });
    let entries = north.log_size().await;

    let offers = [
        ("more than the balance", json!({ "to": to, "quantity": trade::kg("1000.001") }), broken("balance")),
        ("nothing", json!({ "to": to, "quantity": trade::kg("0") }), broken("zero_quantity")),
        ("in another unit", json!({ "to": to, "quantity": { "value": "1", "unit": "TNE" } }), broken("unit")),
        ("to oneself", json!({ "to": { "actor": north.cooperative().await } }), broken("to_self")),
        ("by somebody who does not hold it", json!({ "to": to, "actor": stranger }), broken("not_holder")),
        (
            "to two at once",
            json!({ "to": { "actor": stranger, "name": "Market" } }),
            (422, "invalid-value", Some("to"), None),
        ),
    ];
    for (what, offer, expected) in offers {
        let answer = client.command(Method::POST, &format!("{lot}/transfers"), &offer).await;
        assert_refused(&format!("an offer: {what}"), &answer, expected);
    }
    let negative = json!({ "price": { "amount_minor": -1, "currency": "EUR" } });
    let (retirement, nobodys) = (format!("{lot}/retirement"), format!("/api/v1/produces/{}", "a".repeat(52)));
    let mut by_a_trader = trade::apples(&farm, "10");
    by_a_trader["actor"] = json!(stranger);
    let mut by_the_other_node = trade::apples(&farm, "10");
    by_the_other_node["actor"] = to["actor"].clone();
    let king = json!({ "key": { "kept": true }, "display_name": "King", "roles": ["king"] });
    let (post, patch, produces) = (Method::POST, Method::PATCH, "/api/v1/produces");
    let others: [(&Method, &str, Value, Expected); 10] = [
        (&patch, &lot, negative, invalid("price.amount_minor", "negative_amount")),
        (&patch, &lot, json!({}), (422, "invalid-value", None, Some("empty"))),
        (&patch, &lot, json!({ "grade": "A", "actor": stranger }), broken("not_holder")),
        (&post, &retirement, json!({ "outcome": "sold", "actor": stranger }), broken("not_holder")),
        (&post, produces, by_a_trader, broken("role")),
        (&post, produces, by_the_other_node, (403, "key-not-kept", None, None)),
        (&post, "/api/v1/actors", king, malformed("roles[0]")),
        (&patch, &nobodys, json!({ "grade": "A" }), (404, "not-found", None, None)),
        (&patch, "/api/v1/produces/42", json!({ "grade": "A" }), (400, "malformed-path", Some("id"), None)),
        (&post, "/api/v1/prices", json!({}), (404, "not-found", None, None)),
    ];
    for (method, path, command, expected) in others {
        let answer = client.command(method.clone(), path, &command).await;
        assert_refused(&format!("{method} {path} {command}"), &answer, expected);
    }
    let deleted = client.command(Method::DELETE, &lot, &json!({})).await;
    assert_refused("what was signed cannot be deleted", &deleted, (405, "method-not-allowed", None, None));
    nothing_happened(&north, &south, entries).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests() {
    let mut scene = Scene::new(&["north", "south"], &[]).await;
    let (north, south) = two_nodes(&mut scene).await;
    let client = &north.client;
    let entries = north.log_size().await;
    let places = "/api/v1/places";
    let farm = json!({ "place_type": "farm", "name": "Jork" });

    let anonymous = answer(client.anonymous(Method::POST, places).json(&farm)).await;
    assert_refused("no token", &anonymous, (401, "unauthorized", None, None));
    assert!(anonymous.headers.contains_key("www-authenticate"));
    let wrong = client
        .anonymous(Method::POST, places)
        .header(AUTHORIZATION, "Bearer 0123456789abcdef0123456789abcdef")
        .json(&farm);
    assert_refused("wrong token", &answer(wrong).await, (401, "unauthorized", None, None));

    let json_of =
        |body: Vec<u8>| client.request(Method::POST, places).header(CONTENT_TYPE, "application/json").body(body);
    assert_refused("half a JSON", &answer(json_of(b"{\"name\": ".to_vec())).await, (400, "malformed-json", None, None));
    let nested = "[".repeat(100_000).into_bytes();
    assert_refused("deeply nested JSON", &answer(json_of(nested)).await, (400, "malformed-json", None, None));
    let text = client.request(Method::POST, places).header(CONTENT_TYPE, "text/plain").body("Jork");
    assert_refused("another media type", &answer(text).await, (415, "unsupported-media-type", None, None));
    let long = serde_json::to_vec(&json!({ "place_type": "farm", "name": "x".repeat(1024 * 1024) })).unwrap();
    assert_refused("oversize JSON", &answer(json_of(long)).await, (413, "too-large", None, None));
    let oversize = client.submit_bytes(CBOR_SEQUENCE, vec![0x00; 16 * 1024 * 1024 + 1]).await;
    assert_refused("oversize sequence", &oversize, (413, "too-large", None, None));

    for (path, expected) in [
        ("/api/v1/produces?limit=0", (400, "malformed-query", Some("limit"), None)),
        ("/api/v1/produces?limit=many", (400, "malformed-query", Some("limit"), None)),
        ("/api/v1/produces?colour=red", (400, "malformed-query", Some("colour"), None)),
        ("/api/v1/produces?cursor=x", (400, "malformed-query", Some("cursor"), None)),
        ("/api/v1/produces/42", (400, "malformed-path", Some("id"), None)),
        ("/api/v1/log/consistency?old=0", (404, "not-found", None, Some("range"))),
        ("/api/v1/log/inclusion?index=1&size=4000000", (404, "not-found", None, Some("range"))),
        ("/api/v1/anchors/99", (404, "not-found", None, None)),
    ] {
        assert_refused(path, &client.read(path).await, expected);
    }
    nothing_happened(&north, &south, entries).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events() {
    let mut scene = Scene::new(&["north", "south"], &[signer::public(1)]).await;
    let (north, south) = two_nodes(&mut scene).await;
    let client = &north.client;
    let mut signer = Signer::founder(&scene, 1, 0);
    let farm = signer.farm("Tramin");
    let registered = signer.lot(&farm, "500");
    let lot = registered.id().subject(0);
    client.submit(&[farm.clone(), registered.clone()]).await;
    let coops_farm = trade::farm(client, "Jork").await;
    let coops_lot = trade::lot(client, &coops_farm, "10").await;
    let created = client.get(&format!("/api/v1/produces/{coops_lot}")).await;
    let (coops_lot, coops_tip) = (coops_lot.parse().unwrap(), created["tips"][0].as_str().unwrap().parse().unwrap());
    let to = north.cooperative().await;
    let entries = north.log_size().await;

    let after = [registered.id()];
    let honest = signer.clone().grade(lot, &after, "A");
    let mut bad_signature = honest.bytes().to_vec();
    *bad_signature.last_mut().unwrap() ^= 1;
    let mut elsewhere = signer.payload(honest.payload().touches.clone(), &[], honest.payload().body.clone());
    elsewhere.network = NetworkId::from_bytes([3; 32]);
    let elsewhere = signer.clone().sign(elsewhere);
    // The key of seed 9 belongs to nobody: its journal begins nowhere.
    let stranger = Signer::founder(&scene, 9, 0).grade(lot, &after, "A");
    let after_unknown = {
        let mut ahead = signer.clone();
        let unknown = ahead.lot(&farm, "1");
        ahead.grade(unknown.id().subject(0), &[unknown.id()], "A")
    };
    // A string of bytes, so that it is one item of a sequence.
    let oversize = [vec![0x59, 0x40, 0x00], vec![0; 16 * 1024]].concat();
    let cases: [(&str, Vec<u8>, Expected); 11] = [
        ("text", b"GET / HTTP/1.1\r\n\r\n".to_vec(), (400, "malformed-event", Some("envelope"), None)),
        ("CBOR that is no event", vec![0x82, 0x01, 0x02], (400, "malformed-event", Some("envelope"), None)),
        ("CBOR without end", vec![0x9f; 64], (400, "malformed-event", Some("envelope"), None)),
        (
            "length beyond all bytes",
            vec![0xd2, 0x84, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            (400, "malformed-event", Some("envelope"), None),
        ),
        ("oversize event", oversize, (413, "too-large", Some("event"), Some("event_size"))),
        ("wrong signature", bad_signature, (422, "invalid-signature", Some("signature"), Some("signature"))),
        ("wrong network", elsewhere.bytes().to_vec(), (422, "wrong-network", Some("network"), Some("network"))),
        ("unknown signer", stranger.bytes().to_vec(), (422, "rule-broken", Some("journal"), Some("journal_link"))),
        (
            "unknown ancestors",
            after_unknown.bytes().to_vec(),
            (422, "missing-ancestors", Some("journal"), Some("known_ancestors")),
        ),
        (
            "more than the balance",
            signer.clone().offer_part(lot, &after, "500.5", to).bytes().to_vec(),
            (422, "rule-broken", None, Some("balance")),
        ),
        (
            "somebody else's lot",
            signer.clone().offer(coops_lot, &[coops_tip], "10", to).bytes().to_vec(),
            (422, "rule-broken", None, Some("not_holder")),
        ),
    ];
    for (what, bytes, expected) in &cases {
        assert_refused(what, &client.submit_one(bytes).await, *expected);
        let submission = client.submit_bytes(CBOR_SEQUENCE, bytes.clone()).await;
        assert!((400..500).contains(&submission.status), "{what}, as a sequence: {}", submission.text());
    }
    assert_refused(
        "no event at all",
        &client.submit_bytes(CBOR_SEQUENCE, Vec::new()).await,
        (400, "malformed-event", None, Some("cbor_sequence")),
    );
    let as_json = client.submit_bytes("application/json", honest.bytes().to_vec()).await;
    assert_refused("another media type", &as_json, (415, "unsupported-media-type", None, None));
    let anonymous = answer(
        client.anonymous(Method::POST, "/api/v1/events").header(CONTENT_TYPE, COSE).body(honest.bytes().to_vec()),
    )
    .await;
    assert_refused("no token", &anonymous, (401, "unauthorized", None, None));
    for (_, bytes, _) in cases {
        let id = provenance::id::EventId::of(&bytes);
        assert_eq!(client.read(&format!("/api/v1/events/{id}")).await.status, 404);
    }
    nothing_happened(&north, &south, entries).await;
}
