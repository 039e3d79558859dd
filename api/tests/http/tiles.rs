//! The log as static files, read as any tlog-tiles client reads them, and as nobody should.

use crate::events::Client;
use crate::support::{Answer, Node, key, public};
use axum::body::Body;
use axum::http::{HeaderName, Method, Request, StatusCode, header};
use provenance::checkpoint::Checkpoint;
use provenance::event::SignedEvent;
use provenance::merkle::{Frontier, complete_root, leaf_hash};

/// A node whose log has this many entries.
async fn log_of(entries: u64) -> (Node, Vec<SignedEvent>) {
    let node = Node::start();
    let mut client = Client::enrol(&node, 20).await;
    let events: Vec<_> = (node.ledger.size()..entries)
        .map(|_| {
            let payload = client.registration(&node);
            client.sign(payload)
        })
        .collect();
    let sequence = events.iter().flat_map(|event| event.bytes().iter().copied()).collect();
    assert_eq!(node.submit("application/cbor-seq", sequence).await.status, StatusCode::OK);
    assert_eq!(node.ledger.size(), entries);
    node.ledger.cut().await.unwrap();
    (node, events)
}

impl Node {
    async fn head(&self, path: &str) -> Answer {
        let request = Request::builder().method(Method::HEAD).uri(path).header(header::ORIGIN, "https://a.example");
        self.call(request.body(Body::empty()).unwrap()).await
    }
}

/// The entries of a bundle: each behind its length in two bytes, big-endian.
fn entries(bundle: &[u8]) -> Vec<&[u8]> {
    let (mut entries, mut rest) = (Vec::new(), bundle);
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (entry, after) = after.split_at(u16::from_be_bytes(*length).into());
        entries.push(entry);
        rest = after;
    }
    entries
}

#[tokio::test]
async fn a_stranger_builds_the_whole_tree_from_the_files() {
    let (node, events) = log_of(600).await;
    let note = node.get("/log/checkpoint").await;
    let checkpoint = Checkpoint::open(&note.text(), &public(&key(9))).unwrap();
    assert_eq!(checkpoint.size, 600);
    let (mut frontier, mut ids) = (Frontier::default(), Vec::new());
    let mut roots = Vec::new();
    for (name, width) in [("000", 256), ("001", 256), ("002.p/88", 88)] {
        let bundle = node.get(&format!("/log/tile/entries/{name}")).await;
        let tile = node.get(&format!("/log/tile/0/{name}")).await;
        let (bundle, hashes) = (entries(&bundle.bytes), tile.bytes.chunks(32));
        assert_eq!((bundle.len(), hashes.len()), (width, width));
        let mut leaves = Vec::new();
        for (entry, hash) in bundle.into_iter().zip(hashes) {
            assert_eq!(leaf_hash(entry), hash);
            frontier.append(leaf_hash(entry), |_, _, _| ());
            leaves.push(leaf_hash(entry));
            ids.push(entry.to_vec());
        }
        if width == 256 {
            roots.extend_from_slice(&complete_root(&leaves));
        }
    }
    assert_eq!(frontier.root(), checkpoint.root);
    assert_eq!(ids[0], node.network.id().as_event().as_bytes(), "leaf 0 is the network's id");
    for (event, entry) in events.iter().rev().zip(ids.iter().rev()) {
        assert_eq!(event.id().as_bytes().as_slice(), entry);
    }
    assert_eq!(node.get("/log/tile/1/000.p/2").await.bytes, roots, "the row above has the roots of full tiles");
}

#[tokio::test]
async fn caches_keep_what_never_changes_and_ask_again_for_the_rest() {
    let (node, _) = log_of(300).await;
    let kept = |answer: &Answer| answer.header(header::CACHE_CONTROL).to_owned();
    for full in ["0/000", "entries/000"] {
        let answer = node.get(&format!("/log/tile/{full}")).await;
        assert_eq!(kept(&answer), "public, max-age=31536000, immutable");
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/octet-stream");
    }
    for partial in ["0/001.p/44", "entries/001.p/44", "1/000.p/1", "0/000.p/7"] {
        assert_eq!(kept(&node.get(&format!("/log/tile/{partial}")).await), "public, max-age=3600");
    }
    let note = node.get("/log/checkpoint").await;
    assert_eq!((kept(&note).as_str(), note.header(header::CONTENT_TYPE)), ("no-cache", "text/plain; charset=utf-8"));
    for url in ["/log/checkpoint", "/log/tile/0/000", "/log/tile/entries/001.p/44"] {
        let first = node.get(url).await;
        let again = node.get_with(url, &[(header::IF_NONE_MATCH, first.header(header::ETAG))]).await;
        assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0), "{url}");
        assert_eq!(kept(&again), kept(&first), "{url}");
        let other = node.get_with(url, &[(header::IF_NONE_MATCH, "\"another\"")]).await;
        assert_eq!((other.status, &other.bytes), (StatusCode::OK, &first.bytes), "{url}");
        let head = node.head(url).await;
        assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0), "{url}");
        assert_eq!(head.header(header::CONTENT_LENGTH), first.bytes.len().to_string(), "{url}");
        assert_eq!(head.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*", "{url}");
        assert_eq!(head.header(header::ETAG), first.header(header::ETAG), "{url}");
    }
}

#[tokio::test]
async fn what_is_not_there_yet_is_not_found() {
    let (node, _) = log_of(300).await;
    for path in [
        "0/001",
        "0/001.p/45",
        "0/002.p/1",
        "entries/001",
        "entries/001.p/45",
        "entries/x001/000",
        "1/000",
        "1/000.p/2",
        "2/000.p/1",
        "7/000",
        "entries/x018/x446/x744/x073/x709/551/615",
        "0/x072/x057/x594/x037/x927/935",
    ] {
        let answer = node.get(&format!("/log/tile/{path}")).await;
        let code = answer.problem().0;
        assert!(["not-found", "malformed-path"].contains(&code.as_str()), "{path}: {code}");
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-store", "it may be there soon: {path}");
        assert_eq!(node.head(&format!("/log/tile/{path}")).await.status, answer.status);
    }
}

#[tokio::test]
async fn names_that_are_none_are_refused_as_such() {
    let (node, _) = log_of(300).await;
    for path in [
        "0/0",
        "0/000/",
        "0//000",
        "/0/000",
        "0/000.p/256",
        "0/000.p/0",
        "0/000.p/007",
        "0/000.p/+7",
        "0/000.p",
        "0/000.P/7",
        "0/x000/000",
        "0/%30%30%30",
        "0/000%2Ep/7",
        "0/000/../000",
        "0/..%2f..%2fcheckpoint",
        "%2e%2e/%2e%2e/etc/passwd",
        "entries",
        "Entries/000",
        "entries/000.p/",
        "8/000",
        "-1/000",
        "0/%FF%FE%FD",
        "0/000%00",
        "0/x99999999999999999999/000",
        "0/x999/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        let answer = node.get(&format!("/log/tile/{path}")).await;
        let (code, field, rule) = answer.problem();
        assert_eq!((code.as_str(), field.as_str(), rule.as_str()), ("malformed-path", "path", "tile_path"), "{path}");
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
    }
    let long = format!("/log/tile/0/{}000", "x001/".repeat(1000));
    assert_eq!(node.get(&long).await.status, StatusCode::BAD_REQUEST);
    let written = Request::builder().method(Method::PUT).uri("/log/tile/0/000").body(Body::from("x")).unwrap();
    assert_eq!(node.call(written).await.problem().0, "method-not-allowed");
}

#[tokio::test]
async fn the_feed_is_read_in_bulk_as_bytes() {
    let (node, events) = log_of(300).await;
    let sequence = |from: u64, limit: usize| format!("/api/v1/events?from={from}&limit={limit}");
    let read = async |url: &str| node.get_with(url, &[(header::ACCEPT, "application/cbor-seq")]).await;
    let bytes = |some: &[SignedEvent]| some.iter().flat_map(|event| event.bytes().iter().copied()).collect::<Vec<u8>>();

    // The first event is the client's enrolment.
    let first = read(&sequence(2, 100)).await;
    assert_eq!(first.header(header::CONTENT_TYPE), "application/cbor-seq");
    assert_eq!(first.header(header::VARY).split(',').filter(|name| name.trim() == "accept").count(), 1);
    assert_eq!(first.bytes, bytes(&events[..100]));
    assert_eq!(first.header(header::LINK), "</api/v1/events?from=102&limit=100>; rel=\"next\"");
    let rest = read("/api/v1/events?from=102").await;
    assert_eq!(rest.bytes, bytes(&events[100..]));
    assert!(!rest.headers.contains_key(header::LINK), "there is no more");
    let none = read("/api/v1/events?from=300").await;
    assert_eq!((none.status, none.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(read(&sequence(u64::MAX, 4096)).await.bytes.len(), 0);
    for limit in [0, 4097] {
        assert_eq!(read(&sequence(1, limit)).await.problem().1, "limit");
    }
    // The same bytes can be handed to another node.
    let told: [(HeaderName, &str); 1] = [(header::ACCEPT, "*/*")];
    assert!(node.get_with(&sequence(1, 2), &told).await.json()["count"] == 2, "by default it is JSON");
}
