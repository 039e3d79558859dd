//! A node that was off comes back, and nobody writes anything to wake it.

use end_to_end::scene::Scene;
use end_to_end::signer::{self, Signer};
use end_to_end::{trade, views};

/// Two pages of a list, and several of the sync's batches of writes.
const LOTS: usize = 250;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_off_catches_up_without_a_new_write() {
    let mut scene = Scene::new(&["north", "south"], &[signer::public(1)]).await;
    let north = scene.start("north").await;
    let south = scene.start_with("south", &[&north]).await;
    let farm = trade::farm(&north.client, "Jork").await;
    let before = trade::lot(&north.client, &farm, "100").await;
    south.has_entries(north.log_size().await).await;
    assert_eq!(south.stop().await.code(), Some(0));

    let mut signer = Signer::founder(&scene, 1, 0);
    let orchard = signer.farm("Tramin");
    let mut events = vec![orchard.clone()];
    events.extend((0..LOTS).map(|_| signer.lot(&orchard, "10")));
    north.client.submit(&events).await;
    let meanwhile = trade::lot(&north.client, &farm, "200").await;
    let buyer = signer.actor().to_string();
    let transfer = trade::offer(&north.client, &before, Some("40"), &buyer).await;
    let size = north.log_size().await;

    // From here on nobody writes.
    let south = scene.start_with("south", &[&north]).await;
    south.has_entries(size).await;
    assert_eq!(north.log_size().await, size, "nothing was written to wake it");
    let lot = south.client.get(&format!("/api/v1/produces/{meanwhile}")).await;
    assert_eq!(lot["balance"]["value"], "200");
    let transfer = south.client.get(&format!("/api/v1/transfers/{}", trade::id(&transfer))).await;
    assert_eq!(transfer["state"], "open");
    views::assert_same(&views::all(&north.client).await, &views::all(&south.client).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_knows_one_neighbour_learns_of_all() {
    let mut scene = Scene::new(&["north", "middle", "south"], &[]).await;
    let north = scene.start("north").await;
    let farm = trade::farm(&north.client, "Jork").await;
    // The one between them lets in whoever knows the network, as nobody has enrolled the third.
    scene.site("middle").set("p2p.admission", "anyone");
    // They never meet: what one writes reaches the other through the node between them.
    let middle = scene.start_with("middle", &[&north]).await;
    let south = scene.start_with("south", &[&middle]).await;
    south.connected(middle.peer_id()).await;
    let lot = trade::lot(&north.client, &farm, "100").await;
    south.has_entries(north.log_size().await).await;
    assert_eq!(trade::id(&south.client.get(&format!("/api/v1/produces/{lot}")).await), lot);
    assert!(south.peers().await.iter().all(|peer| peer["id"] != north.peer_id()));
}
