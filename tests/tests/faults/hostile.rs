//! A peer with a script: it sends what is malformed, too long, a duplicate, or replayed from elsewhere. What breaks the
//! protocol below events is tested in the crate `p2p`, with a bare swarm.

use end_to_end::node::Node;
use end_to_end::peer::{Claims, Peer};
use end_to_end::scene::Scene;
use end_to_end::signer::{self, Signer};
use end_to_end::wait::until;
use end_to_end::{trade, views};
use provenance::event::SignedEvent;
use provenance::id::{EventId, NetworkId};
use std::collections::HashMap;
use std::time::Duration;

/// One byte more than an event may have.
const TOO_LONG: usize = 16 * 1024 + 1;

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_peer_changes_nothing() {
    let mut scene = Scene::new(&["north", "south"], &[signer::public(1), signer::public(2)]).await;
    let elsewhere = Scene::new(&["other"], &[signer::public(1)]).await;
    let network = scene.network();
    let north = scene.start("north").await;
    let south = scene.start_with("south", &[&north]).await;
    south.connected(north.peer_id()).await;
    let mut signer = Signer::founder(&scene, 1, 0);
    let farm = signer.farm("Tramin");
    let lots: Vec<SignedEvent> = (0..20).map(|_| signer.lot(&farm, "10")).collect();
    north.client.submit(&[vec![farm.clone()], lots.clone()].concat()).await;
    let size = north.log_size().await;
    south.has_entries(size).await;
    let before = views::all(&south.client).await;

    // Duplicates and replays of what is known, in ever new parcels: no harm, and no reason to be cut off.
    let parrot = Peer::start([50; 32], network, north.peer_address(), Claims::default()).await;
    for round in 0..lots.len() {
        let some: Vec<Vec<u8>> = lots.iter().cycle().skip(round).take(5).map(|lot| lot.bytes().to_vec()).collect();
        parrot.publish(&some).await;
        parrot.publish(&[lots[round].bytes().to_vec(), lots[round].bytes().to_vec()]).await;
    }
    // A log that names one entry again and again.
    let ids: Vec<EventId> = std::iter::once(network.as_event()).chain(std::iter::repeat_n(lots[0].id(), 500)).collect();
    let bodies = HashMap::from([(lots[0].id(), lots[0].bytes().to_vec())]);
    let repeating = Peer::start([51; 32], network, north.peer_address(), Claims { log: ids, bodies }).await;

    // What no honest node passes on: each of these peers is cut off.
    let foreign = Signer::founder(&elsewhere, 1, 0).farm("Elsewhere").bytes().to_vec();
    let mut forged = signer.lot(&farm, "10").bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    for (seed, body) in [(60, foreign), (61, forged), (62, vec![0xa5; 700]), (63, vec![0; TOO_LONG])] {
        let id = EventId::of(&body);
        let claims = Claims { log: vec![network.as_event(), id], bodies: HashMap::from([(id, body.clone())]) };
        let liar = Peer::start([seed; 32], network, north.peer_address(), claims).await;
        if body.len() < TOO_LONG {
            let mut copies = 0;
            until("the liar is cut off", async || {
                // Again and again in ever new parcels, since a parcel that is known is not looked at twice.
                copies = copies % 16 + 1;
                let parcel = vec![body.clone(); copies];
                let _ = tokio::time::timeout(Duration::from_secs(1), liar.publish(&parcel)).await;
                (!liar.is_connected()).then_some(())
            })
            .await;
        }
        assert!(!liar.was_told(&body), "nobody passes it on");
    }

    assert!(parrot.is_connected() && repeating.is_connected(), "repeating what is true is no crime");
    assert_eq!((north.log_size().await, south.log_size().await), (size, size), "nothing was stored");
    views::assert_same(&before, &views::all(&south.client).await);
    serves(&north, &south, network).await;
}

/// Both nodes are as they were before, and take what is honest.
async fn serves(north: &Node, south: &Node, network: NetworkId) {
    let farm = trade::farm(&north.client, "Honest farm").await;
    let place = format!("/api/v1/places/{farm}");
    until("the farm is known", async || (south.client.read(&place).await.status == 200).then_some(())).await;
    let status = north.client.get("/api/v1/status").await;
    assert_eq!((&status["network"]["id"], &status["held"]), (&network.to_string().into(), &0.into()));
}
