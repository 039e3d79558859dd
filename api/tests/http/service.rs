//! What operators and browsers need: health, numbers, CORS, HEAD, the document, and a clean stop.

use crate::support::{Node, key, public};
use api::Fault;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use ed25519_dalek::Signer;
use provenance::checkpoint::Checkpoint;
use provenance::contradiction::Contradiction;
use provenance::origin::LogOrigin;
use serde_json::json;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn readiness_tells_what_is_wrong() {
    let node = Node::start();
    assert_eq!(node.get("/health/live").await.status, StatusCode::OK);
    assert_eq!(node.get("/health/ready").await.json(), json!({"status": "ready", "faults": []}));
    *node.anchors.problem.lock().unwrap() = Some("no endpoint answers; check the network".into());
    let degraded = node.get("/health/ready").await;
    assert_eq!((degraded.status, &degraded.json()["status"]), (StatusCode::OK, &json!("degraded")));
    assert_eq!(degraded.json()["faults"][0]["component"], "anchoring");
    let full =
        Fault { component: "disk".into(), detail: "the disk is full; free some space".into(), stops_writes: true };
    node.faults.lock().unwrap().push(full);
    let unready = node.get("/health/ready").await;
    assert_eq!((unready.status, &unready.json()["status"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("unready")));
    assert_eq!(unready.json()["faults"].as_array().unwrap().len(), 2);
    let status = node.read("/api/v1/status").await;
    assert_eq!(status["faults"].as_array().unwrap().len(), 2);
    assert_eq!((&status["log"]["size"], &status["log"]["origin"]), (&json!(1), &json!("furrow.example/test/north")));
    assert_eq!(status["network"]["name"], "Test valley");
}

#[tokio::test]
async fn logs_that_contradict_themselves_are_listed_with_the_proof() {
    let node = Node::start();
    let list = "/api/v1/log/contradictions";
    assert_eq!(node.read(list).await["count"], 0);
    let (secret, log) = (key(8), public(&key(8)));
    let origin = LogOrigin { network: node.network.id(), key: log }.to_string();
    let note = |root| {
        let checkpoint = Checkpoint { origin: origin.clone(), size: 7, root: [root; 32], state_root: [0; 32] };
        checkpoint.to_note(&log, |text| secret.sign(text).to_bytes())
    };
    let proof = Contradiction::of_one_size(&note(1), &note(2), &log).unwrap().unwrap();
    assert!(node.ledger.witness().keep_contradiction(&log, &proof).unwrap());
    let shown = &node.read(list).await["_embedded"]["item"][0];
    assert_eq!((&shown["log"], &shown["node"]), (&json!(log), &json!(null)));
    assert_eq!((&shown["first"], &shown["second"]), (&json!(proof.first), &json!(proof.second)));
    assert_eq!((&shown["before"], &shown["between"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn numbers_are_printed_for_prometheus() {
    let node = Node::start();
    node.enrol("Hillside Farm", "farmer").await;
    node.get("/api/v1/produces/short").await;
    let page = node.get("/metrics").await;
    assert!(page.header(header::CONTENT_TYPE).starts_with("application/openmetrics-text"));
    let page = page.text();
    for line in [
        "furrow_log_entries 2",
        "furrow_held_events 0",
        "furrow_follower_lag_entries{follower=\"views\"} 0",
        "furrow_http_requests_total{method=\"POST\",route=\"/api/v1/actors\",status=\"201\"} 1",
        "furrow_http_requests_total{method=\"GET\",route=\"/api/v1/produces/{id}\",status=\"400\"} 1",
        "furrow_http_request_duration_seconds_count",
    ] {
        assert!(page.contains(line), "'{line}' is missing in\n{page}");
    }
}

#[tokio::test]
async fn reads_are_open_to_other_origins_and_writes_are_not() {
    let node = Node::start();
    let answer = node.get_with("/api/v1", &[(header::ORIGIN, "https://elsewhere.example")]).await;
    assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    let preflight = Request::builder()
        .method(Method::OPTIONS)
        .uri("/api/v1/produces")
        .header(header::ORIGIN, "https://elsewhere.example")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization");
    let answer = node.call(preflight.body(Body::empty()).unwrap()).await;
    assert!(!answer.header(header::ACCESS_CONTROL_ALLOW_METHODS).contains("POST"));
    assert!(!answer.header(header::ACCESS_CONTROL_ALLOW_HEADERS).contains("authorization"));
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let node = Node::start();
    for path in ["/api/v1", "/log/checkpoint", "/health/ready", "/api/v1/openapi.json"] {
        let head = Request::builder().method(Method::HEAD).uri(path).body(Body::empty()).unwrap();
        let answer = node.call(head).await;
        assert_eq!((answer.status, answer.bytes.len()), (StatusCode::OK, 0), "{path}");
    }
}

#[tokio::test]
async fn the_document_is_served_as_it_is_committed() {
    let node = Node::start();
    let served = node.get("/api/v1/openapi.json").await;
    assert_eq!(served.text(), api::openapi());
    assert_eq!(served.json()["openapi"], "3.1.0");
}

#[tokio::test]
async fn the_service_stops_when_it_is_told_to() {
    let node = Node::start();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(api::serve(listener, node.state.clone(), stop.clone()));
    // A connection that is open and says nothing must not hold the node up.
    let mut idle = tokio::net::TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), serving).await.unwrap().unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_network_and_the_peers_are_told() {
    let node = Node::start();
    let network = node.read("/api/v1/network").await;
    assert_eq!(network["founders"][0]["actor"], json!(node.founder));
    assert_eq!(node.read("/api/v1/peers").await["count"], 0);
}

#[tokio::test]
async fn a_copy_of_the_store_needs_the_token() {
    let node = Node::start();
    let taken = node.send(Method::POST, "/api/v1/snapshots", json!({})).await;
    assert_eq!((taken.status, taken.json()), (StatusCode::CREATED, json!({"folder": "/node/snapshots/store"})));
    let request = Request::post("/api/v1/snapshots").body(Body::empty()).unwrap();
    assert_eq!(node.call(request).await.status, StatusCode::UNAUTHORIZED);
}
