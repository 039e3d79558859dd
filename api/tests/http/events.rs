//! Events that clients sign with keys of their own, and the log that they end in.

use crate::support::{Node, TOKEN, key, public};
use axum::http::{StatusCode, header};
use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signer, SigningKey};
use minicbor::bytes::ByteArray;
use provenance::body::{ActorEnrolled, Body, Codes, Commodity, Custody, ProduceRegistered, QualityUpdated, Role};
use provenance::checkpoint::Checkpoint;
use provenance::event::SignedEvent;
use provenance::id::{EventId, SubjectId, sha256};
use provenance::merkle::{leaf_hash, verify_consistency, verify_inclusion};
use provenance::payload::{Lane, Payload, Touch};
use provenance::seal::Sealable;
use provenance::value::{Currency, Grade, LangText, Money, Price, Quantity, Text, Timestamp, Unit};
use serde_json::{Value, json};

/// A farmer with a key of its own, and the end of its journal.
pub struct Client {
    pub key: SigningKey,
    pub enrolment: EventId,
    pub journal: EventId,
}

impl Client {
    /// Has itself enrolled by the node's founder, with a countersignature.
    pub async fn enrol(node: &Node, seed: u8) -> Self {
        let key = key(seed);
        let mut body = ActorEnrolled {
            key: public(&key),
            custody: Custody::Own,
            roles: vec![Role::Farmer],
            may_give: vec![],
            display_name: Text::new("Own Key Farm").unwrap(),
            personal_name: None,
            gln: None,
            gs1_prefixes: None,
            node: None,
            countersignature: ByteArray::from([0; 64]),
        };
        let signature = key.sign(&body.countersigned_bytes(&node.network.id(), &node.founder)).to_bytes();
        body.countersignature = ByteArray::from(signature);
        let actor = node
            .post(
                "/api/v1/actors",
                json!({"key": body.key, "roles": ["farmer"], "display_name": "Own Key Farm", "countersignature": HEXLOWER.encode(&signature)}),
            )
            .await;
        assert_eq!((&actor["kept_here"], &actor["custody"]), (&json!(false), &json!("own")));
        let enrolment: EventId = actor["enrolment"].as_str().unwrap().parse().unwrap();
        Self { key, enrolment, journal: enrolment }
    }

    pub fn payload(&self, node: &Node, touches: Vec<Touch>, body: Body) -> Payload {
        Payload {
            network: node.network.id(),
            time: Timestamp::new(1_790_000_900_000).unwrap(),
            occurred: None,
            journal: self.journal,
            touches,
            basis: vec![self.enrolment],
            body,
            on_behalf_of: None,
            captured_by: None,
            refs: None,
            after: None,
            extensions: None,
        }
    }

    pub fn sign(&mut self, payload: Payload) -> SignedEvent {
        let event = SignedEvent::sign(payload, &self.key).unwrap();
        self.journal = event.id();
        event
    }

    pub fn registration(&self, node: &Node) -> Payload {
        let touch = Touch { subject: None, lane: Lane::Main, prev: vec![] };
        self.payload(node, vec![touch], pears())
    }

    pub fn grading(&self, node: &Node, lot: SubjectId, prev: EventId, grade: &str) -> Payload {
        let touch = Touch { subject: Some(lot), lane: Lane::Main, prev: vec![prev] };
        self.payload(
            node,
            vec![touch],
            Body::ProduceQualityUpdated(QualityUpdated { grade: Grade::standard(grade).unwrap(), reason: None }),
        )
    }
}

pub fn pears() -> Body {
    let price = Price { money: Money::new(1, Currency::new("EUR").unwrap()).unwrap(), per: None };
    Body::ProduceRegistered(Box::new(ProduceRegistered {
        commodity: Commodity { scheme: Text::new("HS").unwrap(), code: Text::new("0808.30").unwrap() },
        name: LangText::single("en", "Pears").unwrap(),
        variety: None,
        places: vec![],
        harvested: None,
        quantity: Quantity::parse("500", Unit::new("KGM").unwrap(), None).unwrap(),
        grade: None,
        codes: Some(Codes::default()),
        claims: None,
        harvester: None,
        price: Some(Sealable::Open(price)),
    }))
}

#[tokio::test]
async fn a_signed_event_is_taken_and_given_back_to_the_byte() {
    let node = Node::start();
    let mut client = Client::enrol(&node, 20).await;
    let event = client.sign(client.registration(&node));
    let answer = node.submit("application/cose", event.bytes().to_vec()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.json()["results"][0]["outcome"], "admitted");
    let again = node.submit("application/cose; cose-type=\"cose-sign1\"", event.bytes().to_vec()).await.json();
    assert_eq!((&again["results"][0]["outcome"], &again["known"]), (&json!("known"), &json!(1)));

    let url = format!("/api/v1/events/{}", event.id());
    for answer in
        [node.get_with(&url, &[(header::ACCEPT, "application/cose")]).await, node.get(&format!("{url}/cose")).await]
    {
        assert_eq!(answer.bytes, event.bytes());
        assert_eq!(provenance::id::base32(&sha256(&[&answer.bytes])), event.id().to_string());
        assert!(answer.header(header::CACHE_CONTROL).contains("immutable"));
        let tag = answer.header(header::ETAG).to_owned();
        let known = node.get_with(&format!("{url}/cose"), &[(header::IF_NONE_MATCH, &tag)]).await;
        assert_eq!((known.status, known.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
    }
    let told = node.read(&url).await;
    assert_eq!(told["created"], json!([event.id().subject(0)]));
    assert_eq!(told["signer"]["name"], "Own Key Farm");
    assert_eq!(told["body"]["price"], json!({"amount_minor": "1", "currency": "EUR"}));
}

#[tokio::test]
async fn a_sequence_is_judged_in_its_order_and_each_event_gets_its_answer() {
    let node = Node::start();
    let mut client = Client::enrol(&node, 20).await;
    let registration = client.sign(client.registration(&node));
    let lot = registration.id().subject(0);
    let good = client.sign(client.grading(&node, lot, registration.id(), "A"));
    // Extends an event that its own journal has extended already.
    let fork = client.sign(client.grading(&node, lot, registration.id(), "B"));
    let bytes = [registration.bytes(), good.bytes(), fork.bytes()].concat();
    let before = node.ledger.size();
    let answer = node.submit("application/cbor-seq", bytes).await;
    assert_eq!(answer.status, StatusCode::MULTI_STATUS, "{}", answer.text());
    let told = answer.json();
    let outcomes: Vec<_> = told["results"].as_array().unwrap().iter().map(|result| result["outcome"].clone()).collect();
    assert_eq!(outcomes, ["admitted", "admitted", "void"]);
    let problem = &told["results"][2]["problem"];
    assert_eq!((&problem["type"], &problem["rule"]), (&json!("urn:furrow:problem:stale"), &json!("lane_fork")));
    assert_eq!(problem["present"], json!([good.id()]));
    assert_eq!(node.ledger.size(), before + 2);
    assert_eq!(node.get(&format!("/api/v1/events/{}", fork.id())).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_feed_is_followed_by_log_index() {
    let node = Node::start();
    let mut client = Client::enrol(&node, 20).await;
    for _ in 0..4 {
        let event = client.sign(client.registration(&node));
        assert_eq!(node.submit("application/cose", event.bytes().to_vec()).await.status, StatusCode::OK);
    }
    let first = node.read("/api/v1/events?limit=3").await;
    assert_eq!((&first["count"], &first["next_from"]), (&json!(3), &json!(4)));
    let rest = node.read(first["_links"]["next"]["href"].as_str().unwrap()).await;
    assert_eq!((&rest["count"], &rest["next_from"], &rest["log_size"]), (&json!(2), &json!(6), &json!(6)));
    assert!(rest["_links"]["next"].is_null());
    assert_eq!(node.read("/api/v1/events?from=6").await["count"], 0);
}

#[tokio::test]
async fn the_log_proves_itself_to_a_stranger() {
    let node = Node::start();
    let mut client = Client::enrol(&node, 20).await;
    let mut events = Vec::new();
    for _ in 0..5 {
        let event = client.sign(client.registration(&node));
        node.submit("application/cose", event.bytes().to_vec()).await;
        events.push(event);
    }
    node.ledger.cut().await.unwrap();
    let signed = node.get("/log/checkpoint").await;
    assert!(signed.header(header::CONTENT_TYPE).starts_with("text/plain"));
    let checkpoint = Checkpoint::open(&signed.text(), &public(&key(9))).unwrap();
    assert_eq!(checkpoint.size, node.ledger.size());

    let hash = |value: &Value| -> [u8; 32] {
        HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap().try_into().unwrap()
    };
    let hashes = |value: &Value| value.as_array().unwrap().iter().map(hash).collect::<Vec<_>>();
    let proof = node.read(&format!("/api/v1/log/inclusion?event={}", events[2].id())).await;
    let (index, size) = (proof["index"].as_u64().unwrap(), proof["size"].as_u64().unwrap());
    assert_eq!(hash(&proof["leaf_hash"]), leaf_hash(events[2].id().as_bytes()));
    verify_inclusion(&hash(&proof["leaf_hash"]), index, size, &hashes(&proof["proof"]), &checkpoint.root).unwrap();
    let grown = node.read("/api/v1/log/consistency?old=3").await;
    let (old, new) = (hash(&grown["old_root"]), hash(&grown["new_root"]));
    assert_eq!(new, checkpoint.root);
    verify_consistency(3, size, &old, &new, &hashes(&grown["proof"])).unwrap();

    let tile = node.get(&format!("/log/tile/0/000.p/{size}")).await;
    assert_eq!(tile.bytes.len() as u64, size * 32);
    assert!(tile.header(header::CACHE_CONTROL).contains("max-age=3600"));
    let entries = node.get(&format!("/log/tile/entries/000.p/{size}")).await;
    for (entry, leaf) in entries.bytes.chunks(34).zip(tile.bytes.chunks(32)) {
        assert_eq!(entry[..2], [0, 32]);
        assert_eq!(leaf_hash(&entry[2..]), leaf);
    }
    assert_eq!(node.get("/log/tile/0/000.p/200").await.problem().0, "not-found");
    assert_eq!(node.get("/log/tile/0/000").await.problem().0, "not-found");
    assert_eq!(node.get("/log/tile/0/0").await.problem(), ("malformed-path".into(), "path".into(), "tile_path".into()));
    assert_eq!(node.get("/api/v1/log/inclusion?index=99").await.problem().0, "not-found");
    assert_eq!(node.get("/api/v1/log/inclusion").await.problem().2, "one_of");
    assert!(BASE64.decode(signed.text().lines().nth(2).unwrap().as_bytes()).is_ok());
}

#[tokio::test]
async fn writing_takes_the_token() {
    let node = Node::start();
    let request = |token: Option<&str>| {
        let mut request = axum::http::Request::builder()
            .method("POST")
            .uri("/api/v1/places")
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        request.body(axum::body::Body::from(json!({"place_type": "farm", "name": "x"}).to_string())).unwrap()
    };
    for wrong in [None, Some("another-token-of-enough-characters"), Some("")] {
        let answer = node.call(request(wrong)).await;
        assert_eq!(answer.problem().0, "unauthorized");
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.header(header::WWW_AUTHENTICATE).starts_with("Bearer"));
    }
    assert_eq!(node.call(request(Some(TOKEN))).await.status, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread")]
async fn sealed_values_are_shown_with_the_token_and_erased_by_command() {
    let node = Node::start();
    let farmer = node.enrol("Farmer", "farmer").await;
    let body = json!({
        "actor": farmer, "commodity": {"scheme": "HS", "code": "0808.10"}, "name": {"en": "Apples"},
        "quantity": {"value": "5", "unit": "KGM"}, "places": [], "harvester": "Bruno Rossi",
    });
    let lot = node.post("/api/v1/produces", body).await;
    let event = lot["tips"][0].as_str().unwrap();
    let path = format!("/api/v1/events/{event}");
    let openings = format!("{path}/openings");

    assert_eq!(node.get(&path).await.json().get("opened"), None, "a reader without the token");
    for path in [openings.clone(), format!("{openings}/harvester")] {
        assert_eq!(node.get(&path).await.status, StatusCode::UNAUTHORIZED);
    }
    let token = format!("Bearer {TOKEN}");
    let headers = [(header::AUTHORIZATION, token.as_str())];
    let shown = node.get_with(&path, &headers).await.json();
    assert_eq!(shown["opened"], json!({"harvester": "Bruno Rossi"}));
    assert_eq!(shown["_links"]["openings"]["href"], json!(openings));
    let field = |openings: &Value| openings["fields"][0].clone();
    let listed = field(&node.get_with(&openings, &headers).await.json());
    assert_eq!((&listed["path"], &listed["state"], &listed["passed"]), (&json!("10"), &json!("opened"), &json!([])));
    assert_eq!(node.get_with(&format!("{openings}/price"), &headers).await.status, StatusCode::NOT_FOUND);

    let erased = node.write(axum::http::Method::DELETE, &format!("{openings}/10"), Value::Null).await;
    assert_eq!((&field(&erased)["state"], &field(&erased)["value"]), (&json!("erased"), &Value::Null));
    assert_eq!(node.get_with(&path, &headers).await.json().get("opened"), None);
    let again = node.write(axum::http::Method::DELETE, &openings, Value::Null).await;
    assert_eq!(field(&again)["erased"], field(&erased)["erased"]);
}
