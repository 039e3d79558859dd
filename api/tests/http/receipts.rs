//! Receipts and statements that a stranger verifies, and statements that come in with the receipts of others.

use crate::events::Client;
use crate::support::{Node, key, public};
use axum::http::{StatusCode, header};
use data_encoding::HEXLOWER;
use provenance::checkpoint::Checkpoint;
use provenance::event::SignedEvent;
use provenance::id::{EventId, SubjectId};
use provenance::merkle::Hash;
use provenance::payload::Lane;
use provenance::receipt::{ConsistencyReceipt, InclusionReceipt};
use provenance::state_map::{Place, Proof, digest};
use provenance::transparent::{strip_unprotected, with_receipts};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A node with an event that its newest checkpoint covers.
async fn with_an_event() -> (Node, Client, SignedEvent, Checkpoint) {
    let node = Node::start();
    let mut client = Client::enrol(&node, 20).await;
    let payload = client.registration(&node);
    let event = client.sign(payload);
    assert_eq!(node.submit("application/cose", event.bytes().to_vec()).await.status, StatusCode::OK);
    node.ledger.cut().await.unwrap();
    let note = node.get("/log/checkpoint").await.text();
    let checkpoint = Checkpoint::open(&note, &public(&key(9))).unwrap();
    (node, client, event, checkpoint)
}

#[tokio::test]
async fn a_receipt_is_of_the_newest_checkpoint() {
    let (node, mut client, event, checkpoint) = with_an_event().await;
    let log = public(&key(9));
    let told = node.read(&format!("/api/v1/events/{}", event.id())).await;
    let url = told["_links"]["receipt"]["href"].as_str().unwrap().to_owned();
    let answer = node.get(&url).await;
    assert_eq!(answer.header(header::CONTENT_TYPE), "application/cose; cose-type=\"cose-sign1\"");
    let included = InclusionReceipt::decode(&answer.bytes).unwrap().verify(&event.id(), &log).unwrap();
    assert_eq!((included.size, included.root), (checkpoint.size, checkpoint.root));
    assert_eq!(included.index, told["log_index"].as_u64().unwrap());

    // Of another size it is another one, and for ever the same.
    let payload = client.registration(&node);
    let next = client.sign(payload);
    node.submit("application/cose", next.bytes().to_vec()).await;
    // What no checkpoint has is not signed either; unless the timer came in between and made one.
    let early = node.ledger.inclusion_receipt(&event.id(), checkpoint.size + 1);
    if node.ledger.newest_cut().unwrap().size == checkpoint.size {
        assert!(early.is_err());
    }
    let sized = node.get(&format!("{url}?size={}", checkpoint.size)).await;
    assert_eq!(sized.bytes, answer.bytes);
    assert!(sized.header(header::CACHE_CONTROL).contains("immutable"));
    let known = node.get_with(&url, &[(header::IF_NONE_MATCH, sized.header(header::ETAG))]).await;
    assert!(matches!(known.status, StatusCode::NOT_MODIFIED | StatusCode::OK));
    node.ledger.cut().await.unwrap();
    let later = node.get(&format!("{url}?size={}", checkpoint.size + 1)).await;
    let included = InclusionReceipt::decode(&later.bytes).unwrap().verify(&event.id(), &log).unwrap();
    assert_eq!(included.root, node.ledger.root_at(checkpoint.size + 1).unwrap());

    let refused = async |path: &str| node.get(path).await.problem();
    assert_eq!(refused(&format!("{url}?size=1")).await, ("not-found".into(), String::new(), "not_covered".into()));
    assert_eq!(refused(&format!("{url}?size=99")).await.2, "range");
    assert_eq!(refused(&format!("{url}?size=x")).await.1, "size");
    let unknown = EventId::from_bytes([7; 32]);
    assert_eq!(refused(&format!("/api/v1/events/{unknown}/receipt")).await.2, "entry");
    assert_eq!(refused(&format!("/api/v1/events/{unknown}/statement")).await.0, "not-found");
}

#[tokio::test]
async fn a_transparent_statement_is_the_event_with_its_receipt() {
    let (node, _, event, _) = with_an_event().await;
    let url = format!("/api/v1/events/{}", event.id());
    let linked = node.get(&format!("{url}/statement")).await;
    let asked = node.get_with(&url, &[(header::ACCEPT, "application/scitt-statement+cose")]).await;
    let receipt = node.get(&format!("{url}/receipt")).await;
    for answer in [linked, asked] {
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/scitt-statement+cose");
        assert_eq!(answer.bytes, with_receipts(event.bytes(), &[receipt.bytes.to_vec()]).unwrap());
        assert_eq!(strip_unprotected(&answer.bytes).unwrap(), event.bytes());
    }
}

#[tokio::test]
async fn what_is_not_signed_is_taken_off_before_anything_is_hashed() {
    let node = Node::start();
    let mut client = Client::enrol(&node, 20).await;
    let events: Vec<_> = (0..3)
        .map(|_| {
            let payload = client.registration(&node);
            client.sign(payload)
        })
        .collect();
    let with = |event: &SignedEvent| with_receipts(event.bytes(), &[vec![7; 300]]).unwrap();
    let answer = node.submit("application/scitt-statement+cose", with(&events[0])).await;
    assert_eq!(
        (answer.status, &answer.json()["results"][0]["id"]),
        (StatusCode::OK, &events[0].id().to_string().into())
    );
    // Also among others, of which some have nothing to take off.
    let sequence = [with(&events[0]), events[1].bytes().to_vec(), with(&events[2])].concat();
    let answer = node.submit("application/cbor-seq", sequence).await.json();
    let results = answer["results"].as_array().unwrap();
    for (result, event) in results.iter().zip(&events) {
        assert_eq!(result["id"], event.id().to_string());
        assert_eq!(node.get(&format!("/api/v1/events/{}/cose", event.id())).await.bytes, event.bytes());
    }
    assert_eq!((&answer["known"], &answer["admitted"]), (&1.into(), &2.into()));

    // It may hold anything, but not of any size, and it makes no event of what is none.
    let payload = client.registration(&node);
    let event = client.sign(payload);
    let huge = [&event.bytes()[..1], &vec![0xff; 70_000]].concat();
    assert_eq!(node.submit("application/cose", huge).await.problem().0, "too-large");
    let mut forged = with(&event);
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(node.submit("application/cose", forged).await.problem().0, "invalid-signature");
    assert_eq!(node.get(&format!("/api/v1/events/{}", event.id())).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_receipt_says_that_the_log_only_grew() {
    let (node, _, _, checkpoint) = with_an_event().await;
    let grown = node.read(&format!("/api/v1/log/consistency?old=1&new={}", checkpoint.size)).await;
    let url = grown["_links"]["receipt"]["href"].as_str().unwrap();
    let newest = node.get("/api/v1/log/consistency-receipt?from=1").await;
    let answer = node.get(url).await;
    assert_eq!(newest.bytes, answer.bytes, "the newest checkpoint's is the default");
    let receipt = ConsistencyReceipt::decode(&answer.bytes).unwrap();
    assert_eq!(receipt.sizes(), [1, checkpoint.size]);
    let before = node.ledger.root_at(1).unwrap();
    let log = provenance::origin::LogOrigin { network: node.network.id(), key: public(&key(9)) };
    assert_eq!(receipt.verify(&log, &before).unwrap(), checkpoint.root);
    for (query, code) in [
        ("from=0", "not-found"),
        ("from=9&to=9", "not-found"),
        ("from=2&to=1", "not-found"),
        ("from=2&to=2", "malformed-query"),
        ("", "malformed-query"),
        ("from=-1", "malformed-query"),
    ] {
        let answer = node.get(&format!("/api/v1/log/consistency-receipt?{query}")).await;
        assert_eq!(answer.problem().0, code, "{query}");
    }
    assert!(node.read("/api/v1/log/consistency?old=2&new=2").await["_links"]["receipt"].is_null());
}

#[tokio::test]
async fn the_state_of_a_subject_is_proved_present_and_absent() {
    let (node, _, event, checkpoint) = with_an_event().await;
    let hash =
        |value: &Value| -> Hash { HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap().try_into().unwrap() };
    let verify = |told: &Value, subject: &SubjectId| {
        let tips: BTreeMap<Lane, BTreeSet<EventId>> = told["tips"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(lane, tips)| {
                assert_eq!(lane, "main");
                let tips = tips.as_array().unwrap().iter().map(|id| id.as_str().unwrap().parse().unwrap());
                (Lane::Main, tips.collect())
            })
            .collect();
        let value = digest(&tips);
        let place = match (&told["other"], value) {
            (Value::Null, Some(_)) => Place::Leaf,
            (Value::Null, None) => Place::Empty,
            (other, _) => {
                Place::Other { key: other["subject"].as_str().unwrap().parse().unwrap(), value: hash(&other["value"]) }
            }
        };
        let siblings = told["siblings"].as_array().unwrap().iter().map(hash).collect();
        Proof { siblings, place }.verify(&checkpoint.state_root, subject, value.as_ref()).unwrap();
        assert_eq!(hash(&told["state_root"]), checkpoint.state_root);
    };
    let lot = event.id().subject(0);
    let present = node.read(&format!("/api/v1/log/map/{lot}")).await;
    assert_eq!((&present["present"], &present["tips"]["main"][0]), (&true.into(), &event.id().to_string().into()));
    verify(&present, &lot);
    for byte in [0, 77, 255] {
        let nobody = SubjectId::from_bytes([byte; 32]);
        let absent = node.read(&format!("/api/v1/log/map/{nobody}?size={}", checkpoint.size)).await;
        assert_eq!((&absent["present"], &absent["value"]), (&false.into(), &Value::Null));
        verify(&absent, &nobody);
    }
    assert_eq!(node.get(&format!("/api/v1/log/map/{lot}?size=99")).await.problem().2, "kept");
    assert_eq!(node.get("/api/v1/log/map/nonsense").await.problem().0, "malformed-path");
}
