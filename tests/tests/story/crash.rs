//! A node that is killed in the middle of writing, again and again, loses nothing that it acknowledged.

use data_encoding::HEXLOWER;
use end_to_end::client::{COSE, Client};
use end_to_end::node::Node;
use end_to_end::scene::Scene;
use end_to_end::signer::{self, Signer};
use end_to_end::wait::until;
use end_to_end::{trade, views};
use provenance::checkpoint::Checkpoint;
use provenance::event::SignedEvent;
use provenance::id::PublicKey;
use provenance::merkle::{Hash, verify_consistency, verify_inclusion};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;

/// How often it is killed.
const CRASHES: u8 = 3;

/// How many events are acknowledged before a checkpoint is taken, and again until it is killed; the writers go on
/// all the time.
const ACKNOWLEDGED: usize = 50;

/// What was acknowledged: the ids of events, with their bytes where the client has them.
type Acknowledged = Arc<Mutex<Vec<(String, Option<Vec<u8>>)>>>;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_loses_nothing_that_it_acknowledged() {
    let founders: Vec<PublicKey> = (1..=CRASHES).map(signer::public).collect();
    let mut scene = Scene::new(&["north", "south"], &founders).await;
    let acknowledged = Acknowledged::default();
    let mut north = scene.start("north").await;
    let farm = trade::farm(&north.client, "Jork").await;
    let mut checkpoints = vec![north.checkpoint().await];
    let count = || acknowledged.lock().unwrap().len();
    for crash in 1..=CRASHES {
        let signer = Signer::founder(&scene, crash, u32::from(crash) - 1);
        let writers = [
            write(north.client.clone(), signer, acknowledged.clone()),
            command(north.client.clone(), farm.clone(), acknowledged.clone()),
        ];
        let before = count();
        until("writes are acknowledged", async || (count() >= before + ACKNOWLEDGED).then_some(())).await;
        checkpoints.push(north.checkpoint().await);
        until("more are", async || (count() >= before + 2 * ACKNOWLEDGED).then_some(())).await;
        north.kill();
        for writer in writers {
            writer.await.unwrap();
        }
        north = scene.start("north").await;
        everything_is_there(&north, &acknowledged).await;
        for earlier in &checkpoints {
            goes_on_from(&north, earlier).await;
        }
    }

    let signed = acknowledged.lock().unwrap().iter().filter(|(_, bytes)| bytes.is_some()).count();
    assert!(signed > 0 && signed < count(), "both writers were at work");

    // Its views are what a node computes that never crashed.
    let south = scene.start_with("south", &[&north]).await;
    south.has_entries(north.log_size().await).await;
    views::assert_same(&views::all(&north.client).await, &views::all(&south.client).await);
    assert_eq!(north.stop().await.code(), Some(0));
    assert_eq!(south.stop().await.code(), Some(0));
}

/// Posts signed events, some at a time, until the node is gone.
fn write(client: Client, mut signer: Signer, acknowledged: Acknowledged) -> JoinHandle<()> {
    tokio::spawn(async move {
        let farm = signer.farm("Tramin");
        let mut next = vec![farm.clone()];
        loop {
            let sequence: Vec<u8> = next.iter().flat_map(SignedEvent::bytes).copied().collect();
            let request = client.request(Method::POST, "/api/v1/events").header(CONTENT_TYPE, "application/cbor-seq");
            let Ok(response) = request.body(sequence).send().await else { return };
            assert_eq!(response.status(), 200, "{:?}", response.text().await);
            acknowledged
                .lock()
                .unwrap()
                .extend(next.iter().map(|event| (event.id().to_string(), Some(event.bytes().to_vec()))));
            next = (0..3).map(|_| signer.lot(&farm, "10")).collect();
        }
    })
}

/// Commands one lot after the other until the node is gone.
fn command(client: Client, farm: String, acknowledged: Acknowledged) -> JoinHandle<()> {
    tokio::spawn(async move {
        let lot = trade::apples(&farm, "100");
        loop {
            let Ok(response) = client.request(Method::POST, "/api/v1/produces").json(&lot).send().await else { return };
            assert_eq!(response.status(), 201);
            // The head of the answer is the acknowledgement only once the id is read with it.
            let Ok(created) = response.json::<Value>().await else { return };
            let event = created["event"]["id"].as_str().expect("the event").to_owned();
            acknowledged.lock().unwrap().push((event, None));
        }
    })
}

async fn everything_is_there(node: &Node, acknowledged: &Acknowledged) {
    let acknowledged = acknowledged.lock().unwrap().clone();
    for (id, bytes) in acknowledged {
        let stored = views::bytes(&node.client, &id).await;
        if let Some(bytes) = bytes {
            assert_eq!(stored, bytes);
        }
        let proof = node.client.get(&format!("/api/v1/log/inclusion?event={id}")).await;
        let (leaf, root) = (hash(&proof["leaf_hash"]), hash(&proof["root"]));
        let (index, size) = (proof["index"].as_u64().unwrap(), proof["size"].as_u64().unwrap());
        verify_inclusion(&leaf, index, size, &hashes(&proof["proof"]), &root).unwrap();
    }
}

/// Demands that the log of now began as the checkpoint says.
async fn goes_on_from(node: &Node, earlier: &Checkpoint) {
    let now = node.checkpoint().await;
    assert_eq!(now.origin, earlier.origin);
    let path = format!("/api/v1/log/consistency?old={}&new={}", earlier.size, now.size);
    let proof = hashes(&node.client.get(&path).await["proof"]);
    verify_consistency(earlier.size, now.size, &earlier.root, &now.root, &proof).unwrap();
}

fn hashes(list: &Value) -> Vec<Hash> {
    list.as_array().unwrap().iter().map(hash).collect()
}

fn hash(text: &Value) -> Hash {
    HEXLOWER.decode(text.as_str().unwrap().as_bytes()).unwrap().try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_node_refuses_nothing_that_it_took() {
    let mut scene = Scene::new(&["north"], &[signer::public(1)]).await;
    let north = scene.start("north").await;
    let mut signer = Signer::founder(&scene, 1, 0);
    let farm = signer.farm("Tramin");
    let lots: Vec<SignedEvent> = (0..20).map(|_| signer.lot(&farm, "10")).collect();
    north.client.submit(&[vec![farm], lots.clone()].concat()).await;
    let size = north.log_size().await;
    assert_eq!(north.stop().await.code(), Some(0));
    let north = scene.start("north").await;
    assert_eq!(north.log_size().await, size);
    let again = north.client.submit_bytes(COSE, lots[0].bytes().to_vec()).await;
    assert_eq!(again.status, 200);
    assert_eq!(again.json()["known"], 1, "posting once more changes nothing: {}", again.text());
    assert_eq!(north.log_size().await, size);
}
