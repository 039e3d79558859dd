//! How long an event takes from one node to the API of another. Measures, and asserts no time.

use end_to_end::scene::Scene;
use end_to_end::signer::{self, Signer};
use end_to_end::wait::soon;
use provenance::event::SignedEvent;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What is offered.
const EVENTS_PER_S: u32 = 500;

/// For how long.
const SECONDS: u32 = 20;

/// How often the second node is asked for news: the resolution of the measure.
const LOOK_EVERY: Duration = Duration::from_millis(10);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures; run it alone, on a machine that does nothing else"]
async fn from_one_node_to_the_api_of_another() {
    let mut scene = Scene::new(&["north", "south"], &[signer::public(1)]).await;
    let north = scene.start("north").await;
    let south = scene.start_with("south", &[&north]).await;
    south.connected(north.peer_id()).await;
    let mut signer = Signer::founder(&scene, 1, 0);
    let farm = signer.farm("Tramin");
    north.client.submit(std::slice::from_ref(&farm)).await;
    south.has_entries(2).await;
    let lots: Vec<SignedEvent> = (0..EVENTS_PER_S * SECONDS).map(|_| signer.lot(&farm, "10")).collect();

    let client = north.client.clone();
    let (tell, mut admitted) = tokio::sync::mpsc::unbounded_channel();
    let offered = lots.clone();
    // Ten at a time: a device that was out of reach for a moment sends a handful.
    let writer = tokio::spawn(async move {
        let mut next = tokio::time::interval(Duration::from_secs(10) / EVENTS_PER_S);
        for some in offered.chunks(10) {
            next.tick().await;
            client.submit(some).await;
            let now = Instant::now();
            for event in some {
                tell.send((event.id().to_string(), now)).unwrap();
            }
        }
    });
    let watch = async {
        let (mut seen, mut next) = (HashMap::new(), 2);
        while seen.len() < lots.len() {
            let page = south.client.get(&format!("/api/v1/events?from={next}&limit=1000")).await;
            let now = Instant::now();
            next = page["next_from"].as_u64().unwrap();
            let items = page.pointer("/_embedded/item").and_then(|items| items.as_array()).cloned().unwrap_or_default();
            seen.extend(items.iter().map(|event| (event["id"].as_str().unwrap().to_owned(), now)));
            tokio::time::sleep(LOOK_EVERY).await;
        }
        seen
    };
    let seen = soon("all events are visible", watch).await;
    writer.await.unwrap();
    let mut took: Vec<Duration> = Vec::new();
    while let Ok((id, at)) = admitted.try_recv() {
        took.push(seen[&id].saturating_duration_since(at));
    }
    took.sort_unstable();
    let percentile = |percent: usize| took[(took.len() - 1) * percent / 100];
    println!(
        "{} events at {EVENTS_PER_S}/s, admitted on one node and visible through another's API after: \
         p50 {:?}, p95 {:?}, p99 {:?}, at most {:?}",
        took.len(),
        percentile(50),
        percentile(95),
        percentile(99),
        took[took.len() - 1]
    );
}
