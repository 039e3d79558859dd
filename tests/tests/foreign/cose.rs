//! Signed events and receipts, before libraries that know COSE and nothing of Furrow.

use crate::judge::Judge;
use crate::whole_checkpoint;
use data_encoding::{BASE64, HEXLOWER};
use end_to_end::client::COSE;
use end_to_end::node::Node;
use end_to_end::scene::Scene;
use end_to_end::{trade, views};
use provenance::event::SignedEvent;
use provenance::id::EventId;

const PYCOSE: Judge = Judge::Python("cose_pycose.py");
const AUTH0: Judge = Judge::Node("cose_auth0.mjs");

/// Bytes of the signature at the end of a `COSE_Sign1`.
const SIGNATURE: usize = 64;

/// Bytes between the last hash of a receipt's path and the signature: null for the payload, and the signature's head.
const AFTER_PATH: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn events_and_receipts_are_cose() {
    let mut scene = Scene::new(&["node"], &[]).await;
    let node = scene.start("node").await;
    let farm = trade::farm(&node.client, "Jork").await;
    for kilograms in ["100", "200", "300", "400"] {
        trade::lot(&node.client, &farm, kilograms).await;
    }
    let note = whole_checkpoint(&node).await;
    let ids = views::event_ids(&node.client).await;
    let id = &ids[1];
    statement(&views::bytes(&node.client, id).await).await;
    receipt(&node, &note, id).await;
    consistency(&node, &note).await;
}

async fn statement(bytes: &[u8]) {
    let payload = SignedEvent::decode(bytes.to_vec()).unwrap().payload().to_vec();
    let payload_at = bytes.windows(payload.len()).position(|window| window == payload).unwrap();
    for judge in [PYCOSE, AUTH0] {
        let args = ["statement", "FILE"];
        judge.accepts("an event", &args, bytes).await;
        let changed = [
            ("another signature", bytes.len() - 1),
            ("another payload", payload_at + payload.len() - 1),
            ("another protected header", payload_at - 20),
        ];
        for (what, position) in changed {
            judge.refuses(what, &args, &flipped(bytes, position)).await;
        }
    }
}

async fn receipt(node: &Node, note: &str, id: &str) {
    let size = note.lines().nth(1).unwrap();
    let receipt = read(node, &format!("/api/v1/events/{id}/receipt?size={size}")).await;
    let entry = HEXLOWER.encode(id.parse::<EventId>().unwrap().as_bytes());
    // The one computes the root from the entry, the other is given the checkpoint's.
    let root = HEXLOWER.encode(&BASE64.decode(note.lines().nth(2).unwrap().as_bytes()).unwrap());
    let (from_entry, from_root) = (["receipt", "FILE", &entry], ["receipt", "FILE", &root]);
    PYCOSE.accepts("a receipt", &from_entry, &receipt).await;
    AUTH0.accepts("a receipt", &from_root, &receipt).await;

    let other_signature = flipped(&receipt, receipt.len() - 1);
    PYCOSE.refuses("another signature", &from_entry, &other_signature).await;
    AUTH0.refuses("another signature", &from_root, &other_signature).await;
    let other_path = flipped(&receipt, receipt.len() - SIGNATURE - AFTER_PATH - 1);
    PYCOSE.refuses("another path", &from_entry, &other_path).await;
    PYCOSE.refuses("another entry", &["receipt", "FILE", &root], &receipt).await;
    AUTH0.refuses("another root", &["receipt", "FILE", &entry], &receipt).await;
}

async fn consistency(node: &Node, note: &str) {
    let size = note.lines().nth(1).unwrap();
    let receipt = read(node, &format!("/api/v1/log/consistency-receipt?from=3&to={size}")).await;
    let proof = node.client.get(&format!("/api/v1/log/consistency?old=3&new={size}")).await;
    let args = ["consistency", "FILE", proof["old_root"].as_str().unwrap()];
    PYCOSE.accepts("a receipt of consistency", &args, &receipt).await;
    PYCOSE.refuses("another signature", &args, &flipped(&receipt, receipt.len() - 1)).await;
    let other_path = flipped(&receipt, receipt.len() - SIGNATURE - AFTER_PATH - 1);
    PYCOSE.refuses("another path", &args, &other_path).await;
    let other_root = ["consistency", "FILE", proof["new_root"].as_str().unwrap()];
    PYCOSE.refuses("another old root", &other_root, &receipt).await;
}

async fn read(node: &Node, path: &str) -> Vec<u8> {
    let answer = node.client.read(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with(COSE), "{:?}", answer.headers);
    answer.body
}

fn flipped(bytes: &[u8], position: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[position] ^= 1;
    bytes
}
