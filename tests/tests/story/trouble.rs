//! Trouble that is not the node's fault: taken ports, a wrong passphrase, a chain that went away.

use end_to_end::anvil::Anvil;
use end_to_end::node::Node;
use end_to_end::program;
use end_to_end::scene::{Scene, Site};
use end_to_end::trade;
use end_to_end::wait::until;
use rustix::process::Signal;
use serde_json::Value;
use std::net::TcpListener;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// The exit codes that 'furrow --help' promises.
const BAD_INPUT: i32 = 2;
const UNREACHABLE: i32 = 3;
const KEYSTORE: i32 = 5;
const CANNOT_START: i32 = 6;

#[tokio::test(flavor = "multi_thread")]
async fn occupied_ports() {
    let mut scene = Scene::new(&["node"], &[]).await;
    let occupant = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = occupant.local_addr().unwrap().port();
    let site = scene.site("node");
    site.set("http.listen", &format!("127.0.0.1:{port}"));
    fails(site, CANNOT_START, &[&port.to_string(), "listen"]).await;
    site.set("http.listen", "127.0.0.1:0");
    site.set("p2p.listen", &format!("/ip4/127.0.0.1/tcp/{port}"));
    fails(site, CANNOT_START, &[&port.to_string(), "another program"]).await;

    // Nothing is broken by that.
    site.set("p2p.listen", "/ip4/127.0.0.1/tcp/0");
    let node = site.start().await;
    fails(&scene.site("node").clone(), KEYSTORE, &["in use"]).await;
    assert_eq!(node.stop().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_secrets_and_settings() {
    let mut scene = Scene::new(&["node"], &[]).await;
    let wrong = scene.folder().join("wrong");
    std::fs::write(&wrong, "incorrect horse battery staple\n").unwrap();
    let site = scene.site("node");
    let mut run = site.command(&["run"]);
    run.env("FURROW_PASSPHRASE_FILE", &wrong);
    let ended = program::run(run).await;
    assert_eq!(ended.code, Some(KEYSTORE), "{ended:?}");
    assert!(ended.err.contains("passphrase"), "{ended:?}");
    assert!(!ended.err.contains("incorrect horse"), "secrets are not repeated");

    site.set("http.listen", "everywhere");
    fails(site, BAD_INPUT, &["FURROW_HTTP_LISTEN", "everywhere"]).await;
    site.set("http.listen", "127.0.0.1:0");
    site.set("anchoring.rpc_urls", "http://127.0.0.1:9");
    fails(site, BAD_INPUT, &["anchoring.chain_id"]).await;

    let ended = site.run(&["status", "--node", "http://127.0.0.1:9"]).await;
    assert_eq!(ended.code, Some(UNREACHABLE), "{ended:?}");
}

/// Demands that the node does not start, and that it says why.
async fn fails(site: &Site, code: i32, words: &[&str]) {
    let ended = site.run(&["run"]).await;
    assert_eq!(ended.code, Some(code), "{ended:?}");
    for word in words {
        assert!(ended.err.contains(word), "'{word}' is not in {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_stops_cleanly_however_slow_its_clients_are() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut scene = Scene::new(&["node"], &[]).await;
        let mut node = scene.start("node").await;
        trade::farm(&node.client, "Jork").await;
        // One says nothing, one half of a request, and one never reads its answer to the end.
        let mut clients = Vec::new();
        for said in [
            "",
            "POST /api/v1/places HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
            "GET /api/v1 HTTP/1.1\r\nHost: x\r\n\r\n",
        ] {
            let mut client = TcpStream::connect(node.client.address()).await.unwrap();
            client.write_all(said.as_bytes()).await.unwrap();
            clients.push(client);
        }
        node.signal(signal);
        // Five seconds are promised; as many again are for a machine that does other things too.
        let status = tokio::time::timeout(Duration::from_secs(10), node.ended()).await.expect("the node stops in time");
        assert_eq!(status.code(), Some(0), "{signal:?}");
        drop(clients);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_goes_away_and_comes_back() {
    let mut scene = Scene::new(&["node"], &[]).await;
    let mut anvil = Anvil::start(scene.folder()).await;
    let site = scene.site("node");
    site.anchor_in(&anvil).await;
    let node = scene.start("node").await;
    scene.site("node").json(&["actor", "enrol", "--name", "Node of Jork", "--this-node"]).await;
    let farm = trade::farm(&node.client, "Jork").await;
    let before = trade::lot(&node.client, &farm, "10").await;
    anchored(&node, &before).await;
    ready(&node, "ready").await;

    anvil.go_away().await;
    let faults = ready(&node, "degraded").await;
    assert_eq!((&faults[0]["component"], &faults[0]["stops_writes"]), (&"anchoring".into(), &false.into()), "{faults}");
    assert!(faults[0]["detail"].as_str().unwrap().len() > 20, "{faults}");
    // Nothing else suffers: it takes writes, and says how it is.
    let meanwhile = trade::lot(&node.client, &farm, "20").await;
    let status = scene.site("node").run(&["status"]).await;
    assert_eq!(status.code, Some(0), "{status:?}");
    assert!(status.out.contains("anchoring"), "{status:?}");

    anvil.come_back().await;
    anchored(&node, &meanwhile).await;
    assert_eq!(ready(&node, "ready").await, Value::Array(vec![]));
    // Both can be verified in one line of anchors, the one that the node's enrolment names.
    for lot in [before, meanwhile] {
        let history = node.client.all(&format!("/api/v1/produces/{lot}/history")).await;
        let verified =
            scene.site("node").json(&["verify", history[0]["id"].as_str().unwrap(), "--rpc", &anvil.url()]).await;
        assert_eq!(verified["verified"], true, "{verified}");
    }
    assert_eq!(node.stop().await.code(), Some(0));
}

/// Waits until all of a lot's history is anchored.
async fn anchored(node: &Node, lot: &str) {
    until("the lot is anchored", async || {
        let history = node.client.all(&format!("/api/v1/produces/{lot}/history")).await;
        history.iter().all(|event| event["proof"]["state"] != "accepted").then_some(())
    })
    .await;
}

/// Waits until the node says that it is in this state; what is wrong then.
async fn ready(node: &Node, state: &str) -> Value {
    until(&format!("the node is {state}"), async || {
        let answer = node.client.read("/health/ready").await;
        assert_eq!(answer.status, 200, "it takes writes all the time: {}", answer.text());
        let readiness = answer.json();
        (readiness["status"] == state).then(|| readiness["faults"].clone())
    })
    .await
}
