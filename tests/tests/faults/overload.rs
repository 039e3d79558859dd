//! A node that is offered three times what it lets in at once: it says so, and keeps what it took, also when it is killed.

use end_to_end::client::{CBOR_SEQUENCE, Client};
use end_to_end::scene::Scene;
use end_to_end::signer::{self, Signer};
use provenance::event::SignedEvent;
use provenance::id::PublicKey;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Who posts at the same time, and how many events each: three times the 32,768 that may wait.
const SIGNERS: u8 = 24;
const EVENTS: usize = 4_096;

/// What became of a request.
enum Told {
    /// All of its events are durable.
    Acknowledged,
    /// None was taken, and the client is to come back after so long.
    ComeBack(Duration),
    /// The node was gone before it answered.
    Nothing,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_sheds_what_is_too_much_and_loses_nothing_that_it_took() {
    let founders: Vec<PublicKey> = (1..=SIGNERS).map(signer::public).collect();
    let mut scene = Scene::new(&["north"], &founders).await;
    let sequences: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let sign = |seed| Signer::founder(&scene, seed, u32::from(seed) - 1);
        let threads: Vec<_> = (1..=SIGNERS).map(sign).map(|signer| scope.spawn(|| season(signer))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let north = scene.start("north").await;

    // All at once, and whoever is sent away comes again, until the node is killed.
    let (refusals, mut refused) = mpsc::unbounded_channel();
    let (acknowledgements, mut acknowledged) = mpsc::unbounded_channel();
    let mut clients = JoinSet::new();
    for (number, sequence) in sequences.iter().cloned().enumerate() {
        let (client, refusals, acknowledgements) = (north.client.clone(), refusals.clone(), acknowledgements.clone());
        clients.spawn(async move {
            loop {
                match post(&client, sequence.clone()).await {
                    Told::Acknowledged => return acknowledgements.send(number).unwrap(),
                    Told::ComeBack(after) => {
                        refusals.send(()).unwrap();
                        tokio::time::sleep(after).await;
                    }
                    Told::Nothing => return,
                }
            }
        });
    }
    refused.recv().await.expect("some are sent away");
    let mut kept = vec![acknowledged.recv().await.expect("some are taken")];
    // Whoever asks how a busy node is gets an answer.
    assert_eq!(north.client.read("/health/live").await.status, 200);
    north.kill();
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    acknowledged.close();
    while let Some(number) = acknowledged.recv().await {
        kept.push(number);
    }
    assert!(kept.len() < sequences.len(), "it was killed in the middle of it");

    let north = scene.start("north").await;
    for number in kept {
        let answer = north.client.submit_bytes(CBOR_SEQUENCE, sequences[number].clone()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["known"], EVENTS, "what was acknowledged is in the log");
    }
    // Nothing but load kept the others out.
    let answer = north.client.submit_bytes(CBOR_SEQUENCE, sequences[0].clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(north.stop().await.code(), Some(0));
}

/// A farm and its lots, as one sequence.
fn season(mut signer: Signer) -> Vec<u8> {
    let farm = signer.farm("Tramin");
    let lots: Vec<SignedEvent> = (1..EVENTS).map(|_| signer.lot(&farm, "10")).collect();
    std::iter::once(&farm).chain(&lots).flat_map(SignedEvent::bytes).copied().collect()
}

async fn post(client: &Client, sequence: Vec<u8>) -> Told {
    let request = client.request(Method::POST, "/api/v1/events").header(CONTENT_TYPE, CBOR_SEQUENCE);
    let Ok(response) = request.body(sequence).send().await else { return Told::Nothing };
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    // The head alone is no acknowledgement.
    let Ok(body) = response.bytes().await else { return Told::Nothing };
    if status == 200 {
        return Told::Acknowledged;
    }
    assert!(matches!(status, 429 | 503), "{status}: {}", String::from_utf8_lossy(&body));
    let after = headers.get(RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
    Told::ComeBack(Duration::from_secs(after.expect("whoever is sent away is told when to come back")))
}
