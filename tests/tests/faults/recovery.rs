//! Nodes that were restored from a backup: their logs and journals go on where they had been, or under new keys.

use data_encoding::HEXLOWER;
use ed25519_dalek::{Signer as _, SigningKey};
use end_to_end::node::Node;
use end_to_end::scene::Scene;
use end_to_end::signer::{self, Signer};
use end_to_end::wait::until;
use end_to_end::{trade, views};
use provenance::body::{ActorEnrolled, Body, Custody, Cut, KeyReplaced, Role};
use provenance::checkpoint::Checkpoint;
use provenance::event::SignedEvent;
use provenance::id::{EventId, PublicKey};
use provenance::merkle::{Frontier, Hash, leaf_hash, verify_consistency};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The network, two nodes, a farm and a lot.
const BEFORE: u64 = 5;

/// Entries that are lost with the disk: several pages of ids, and many writes.
const LOTS: usize = 1_500;

/// Two enrolled nodes that know each other; a backup of the first with little in it.
async fn two_nodes(scene: &mut Scene) -> (Node, Node, String, PathBuf) {
    let north = scene.start("north").await;
    let south = scene.start_with("south", &[&north]).await;
    scene.site("north").json(&["actor", "enrol", "--name", "Node of Jork", "--this-node"]).await;
    scene.site("south").json(&["actor", "enrol", "--name", "Node of Tramin", "--this-node"]).await;
    let farm = trade::farm(&north.client, "Jork").await;
    trade::lot(&north.client, &farm, "100").await;
    south.has_entries(BEFORE).await;
    north.has_entries(BEFORE).await;
    let backup = scene.folder().join("backup");
    scene.site("north").json(&["backup", backup.to_str().unwrap(), "--keys"]).await;
    (north, south, farm, backup)
}

/// What both nodes did since the backup.
async fn go_on(scene: &Scene, north: &Node, south: &Node, farm: &str) {
    let mut signer = Signer::founder(scene, 1, 0);
    let orchard = signer.farm("Vinschgau");
    let lots: Vec<_> = (0..LOTS).map(|_| signer.lot(&orchard, "10")).collect();
    let (some, others) = lots.split_at(LOTS / 2);
    north.client.submit(&[vec![orchard], some.to_vec()].concat()).await;
    trade::lot(&north.client, farm, "200").await;
    let own = trade::farm(&south.client, "Tramin").await;
    trade::lot(&south.client, &own, "300").await;
    north.client.submit(others).await;
    trade::lot(&north.client, farm, "400").await;
    let size = BEFORE + 1 + LOTS as u64 + 4;
    north.has_entries(size).await;
    south.has_entries(size).await;
}

async fn restore(scene: &mut Scene, backup: &Path, folder: &str) {
    let folder = scene.folder().join(folder);
    let args = ["restore", backup.to_str().unwrap(), "--dir", folder.to_str().unwrap()];
    scene.site("north").json(&args).await;
    scene.site("north").move_to(folder);
}

/// Has a founder that is no node enrol a farmer whose key this node keeps under the name `member`; the actor and its key.
async fn enrol_member(scene: &mut Scene, founder: &mut Signer) -> (EventId, PublicKey) {
    let made = scene.site("north").json(&["key", "new", "member"]).await;
    let key: PublicKey = made["public_key"].as_str().unwrap().parse().unwrap();
    let file = scene.folder().join("enrolment.json");
    let prepared = json!({
        "network": scene.network(), "enroller": founder.actor(), "key": key, "roles": ["farmer"], "may_give": [],
        "display_name": "Member",
    });
    std::fs::write(&file, prepared.to_string()).unwrap();
    let args = ["key", "countersign", "--enrolment", file.to_str().unwrap(), "--key", "member"];
    let signed = scene.site("north").json(&args).await;
    let countersignature = HEXLOWER.decode(signed["countersignature"].as_str().unwrap().as_bytes()).unwrap();
    let body = ActorEnrolled {
        key,
        custody: Custody::Own,
        roles: vec![Role::Farmer],
        may_give: Vec::new(),
        display_name: signer::text("Member"),
        personal_name: None,
        gln: None,
        gs1_prefixes: None,
        node: None,
        countersignature: <[u8; 64]>::try_from(countersignature).unwrap().into(),
    };
    let payload = founder.payload(vec![signer::new_subject()], &[], Body::ActorEnrolled(body));
    let enrolment = founder.sign(payload);
    let north = scene.start("north").await;
    north.client.submit(std::slice::from_ref(&enrolment)).await;
    assert_eq!(north.stop().await.code(), Some(0));
    (enrolment.id(), key)
}

/// The founder gives the member another key, and ends the first one's journal after these events.
fn replace_key(scene: &Scene, founder: &mut Signer, enrolment: EventId, journal: &[EventId]) -> SignedEvent {
    let (member, key) = (enrolment.subject(0), SigningKey::from_bytes(&[77; 32]));
    let mut frontier = Frontier::default();
    for id in journal {
        frontier.append(leaf_hash(id.as_bytes()), |_, _, _| {});
    }
    let cut = Cut {
        key_event: enrolment,
        last: *journal.last().unwrap(),
        count: journal.len() as u64,
        root: frontier.root(),
        stands: Vec::new(),
    };
    let mut body = KeyReplaced {
        key: PublicKey::from_bytes(key.verifying_key().to_bytes()),
        custody: Custody::Own,
        cuts: vec![cut],
        reason: None,
        countersignature: [0; 64].into(),
    };
    body.countersignature = key.sign(&body.countersigned_bytes(&scene.network(), &member)).to_bytes().into();
    let payload = founder.payload(vec![signer::on(member, &[enrolment])], &[enrolment], Body::ActorKeyReplaced(body));
    founder.sign(payload)
}

/// What the member says; the event.
async fn says(node: &Node, path: &str, mut command: Value, member: EventId) -> (String, EventId) {
    command["actor"] = member.subject(0).to_string().into();
    let made = node.client.post(path, &command).await;
    let events = views::event_ids(&node.client).await;
    (trade::id(&made), events.last().unwrap().parse().unwrap())
}

/// Waits until the node's log is settled and its own key signs; the lot that it registered.
async fn signs_again(node: &Node, farm: &str) -> String {
    node.takes_writes().await;
    let created = until("the node signs again", async || {
        let answer = node.client.command(Method::POST, "/api/v1/produces", &trade::apples(farm, "500")).await;
        (answer.status == 201).then(|| answer.json())
    })
    .await;
    trade::id(&created)
}

/// Demands that the log of now began as the checkpoint says.
async fn goes_on_from(node: &Node, earlier: &Checkpoint) {
    let now = node.checkpoint().await;
    assert_eq!(now.origin, earlier.origin);
    assert!(now.size >= earlier.size, "{} entries of {}", now.size, earlier.size);
    let path = format!("/api/v1/log/consistency?old={}&new={}", earlier.size, now.size);
    let proof = node.client.get(&path).await["proof"].as_array().unwrap().iter().map(hash).collect::<Vec<_>>();
    verify_consistency(earlier.size, now.size, &earlier.root, &now.root, &proof).unwrap();
}

fn hash(text: &Value) -> Hash {
    HEXLOWER.decode(text.as_str().unwrap().as_bytes()).unwrap().try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_log_goes_on_without_a_fork() {
    let mut scene = Scene::new(&["north", "south"], &[signer::public(1)]).await;
    let (north, south, farm, backup) = two_nodes(&mut scene).await;
    go_on(&scene, &north, &south, &farm).await;
    north.cosigned_by(south.peer_id()).await;
    let published = north.checkpoint().await;
    let entries = views::event_ids(&north.client).await;
    north.kill();

    restore(&mut scene, &backup, "restored").await;
    // It is killed while it recovers, again and again.
    for delay_ms in [100, 400, 900, 1_600] {
        let mut command = scene.site("north").command(&["run"]);
        let mut child =
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        child.kill().await.unwrap();
    }
    let north = scene.start("north").await;
    let lot = signs_again(&north, &farm).await;
    goes_on_from(&north, &published).await;
    let recovered = views::event_ids(&north.client).await;
    assert_eq!(entries, recovered[..entries.len()], "the log has what it had, in the order that it had");
    // The peer has witnessed the log before and after, and finds nothing wrong with it.
    let path = format!("/api/v1/produces/{lot}");
    until("the peer has the lot", async || (south.client.read(&path).await.status == 200).then_some(())).await;
    until("both have the same", async || (south.log_size().await == north.log_size().await).then_some(())).await;
    north.cosigned_by(south.peer_id()).await;
    goes_on_from(&north, &published).await;
    views::assert_same(&views::all(&north.client).await, &views::all(&south.client).await);
    assert_eq!(north.client.get("/health/ready").await["faults"], Value::Array(vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_peers_it_waits_and_says_so() {
    let mut scene = Scene::new(&["north", "south"], &[signer::public(1)]).await;
    let (north, south, farm, backup) = two_nodes(&mut scene).await;
    let published = north.checkpoint().await;
    north.kill();
    assert_eq!(south.stop().await.code(), Some(0));
    restore(&mut scene, &backup, "restored").await;

    let north = scene.start("north").await;
    let ready = north.client.read("/health/ready").await;
    assert_eq!((ready.status, &ready.json()["faults"][0]["component"]), (503, &"recovery".into()), "{}", ready.text());
    let refused = north.client.command(Method::POST, "/api/v1/produces", &trade::apples(&farm, "1")).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.json()["type"], "urn:furrow:problem:recovering");
    let signed = Signer::founder(&scene, 1, 0).farm("Vinschgau");
    assert_eq!(north.client.submit_one(signed.bytes()).await.status, 503);
    // It shows what it has, and signs nothing new.
    assert_eq!(north.client.all("/api/v1/produces").await.len(), 1);
    assert_eq!(north.checkpoint().await, published);
    let status = scene.site("north").run(&["status"]).await;
    assert!(status.code == Some(1) && status.out.contains("recovery"), "{status:?}");
    assert_eq!(north.stop().await.code(), Some(0));

    // Its operator gives the old log up.
    let made = scene.site("north").json(&["log", "new-key"]).await;
    let again = scene.site("north").run(&["log", "new-key"]).await;
    assert_eq!(again.code, Some(2), "{again:?}");
    let north = scene.start("north").await;
    north.takes_writes().await;
    assert_eq!(north.client.get("/api/v1/status").await["log"]["key"], made["new_key"]);
    let checkpoint = north.checkpoint().await;
    assert_ne!(checkpoint.origin, published.origin);
    // Nobody has confirmed where its journals end.
    let refused = north.client.command(Method::POST, "/api/v1/produces", &trade::apples(&farm, "1")).await;
    assert_eq!((refused.status, &refused.json()["rule"]), (409, &"journal_unconfirmed".into()), "{}", refused.text());
    north.client.submit(&[signed]).await;
    assert_eq!(north.stop().await.code(), Some(0));
    scene.site("north").json(&["key", "trust-journal", "cooperative"]).await;
    let north = scene.start("north").await;
    trade::lot(&north.client, &farm, "500").await;
    assert_eq!(north.stop().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_completed_gets_a_new_key() {
    let mut scene = Scene::new(&["north", "south"], &[signer::public(1)]).await;
    // It knows what was published, and has not kept the entries.
    scene.site("south").set("recovery.keep_entries", "0");
    let (north, south, farm, backup) = two_nodes(&mut scene).await;
    go_on(&scene, &north, &south, &farm).await;
    north.cosigned_by(south.peer_id()).await;
    let old = north.checkpoint().await;
    north.kill();
    restore(&mut scene, &backup, "restored").await;
    let north = scene.start("north").await;
    until("it says what is missing", async || {
        let ready = north.client.read("/health/ready").await;
        let detail = ready.json()["faults"][0]["detail"].to_string();
        (ready.status == 503 && detail.contains("new-key")).then_some(())
    })
    .await;
    assert_eq!(north.stop().await.code(), Some(0));

    // The operator has decided beforehand.
    scene.site("north").set("recovery.new_log_key_after_s", "1");
    let north = scene.start("north").await;
    north.takes_writes().await;
    let key = north.client.get("/api/v1/status").await["log"]["key"].as_str().unwrap().to_owned();
    assert!(!old.origin.ends_with(&key), "the old log is never signed again");
    signs_again(&north, &farm).await;
    // The network learns of the key, follows the new log, and has never seen the old one signed again.
    until("the peer knows the new key", async || {
        let actors = south.client.all("/api/v1/actors").await;
        actors.iter().any(|actor| actor["node"]["log_key"] == key).then_some(())
    })
    .await;
    until("both have the same", async || (south.log_size().await == north.log_size().await).then_some(())).await;
    north.cosigned_by(south.peer_id()).await;
    views::assert_same(&views::all(&north.client).await, &views::all(&south.client).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_cut_since_the_backup_is_cut_after_it() {
    let mut scene = Scene::new(&["north", "south"], &[signer::public(1)]).await;
    let mut founder = Signer::founder(&scene, 1, 0);
    let (member, key) = enrol_member(&mut scene, &mut founder).await;
    let north = scene.start("north").await;
    let south = scene.start_with("south", &[&north]).await;
    scene.site("north").json(&["actor", "enrol", "--name", "Node of Jork", "--this-node"]).await;
    scene.site("south").json(&["actor", "enrol", "--name", "Node of Tramin", "--this-node"]).await;
    let farm = trade::farm(&north.client, "Jork").await;
    let place = json!({ "place_type": "farm", "name": "Own farm", "country": "DE" });
    let (own, first) = says(&north, "/api/v1/places", place, member).await;
    let (kept, second) = says(&north, "/api/v1/produces", trade::apples(&own, "10"), member).await;
    south.has_entries(north.log_size().await).await;
    let backup = scene.folder().join("backup");
    scene.site("north").json(&["backup", backup.to_str().unwrap(), "--keys"]).await;

    // Whoever had the key used it once more; then it was cut, and the node's disk fails.
    let (cut_off, _) = says(&north, "/api/v1/produces", trade::apples(&own, "9999"), member).await;
    north.client.submit(&[replace_key(&scene, &mut founder, member, &[first, second])]).await;
    let size = north.log_size().await;
    south.has_entries(size).await;
    north.has_entries(size).await;
    north.cosigned_by(south.peer_id()).await;
    let (published, shown) = (north.checkpoint().await, views::all(&north.client).await);
    let path = |lot: &str| format!("/api/v1/produces/{lot}");
    assert_eq!(north.client.read(&path(&cut_off)).await.status, 404, "what lies beyond the cut does not count");
    north.kill();

    restore(&mut scene, &backup, "restored").await;
    let north = scene.start("north").await;
    north.takes_writes().await;
    north.has_entries(size).await;
    views::assert_same(&shown, &views::all(&north.client).await);
    assert_eq!(north.client.read(&path(&cut_off)).await.status, 404);
    assert_eq!(north.client.read(&path(&kept)).await.status, 200);
    goes_on_from(&north, &published).await;
    // The node's own key goes on, and with the one that was cut it signs nothing.
    signs_again(&north, &farm).await;
    let mut more = trade::apples(&own, "7");
    more["actor"] = member.subject(0).to_string().into();
    let refused = north.client.command(Method::POST, "/api/v1/produces", &more).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.text().contains("was replaced from above"), "{}", refused.text());
    until("both have the same", async || (south.log_size().await == north.log_size().await).then_some(())).await;
    north.cosigned_by(south.peer_id()).await;
    let lots = north.client.all("/api/v1/produces").await;
    assert!(lots.iter().all(|lot| lot["quantity"]["value"] != "7" && lot["quantity"]["value"] != "9999"), "{lots:?}");
    views::assert_same(&views::all(&north.client).await, &views::all(&south.client).await);
    assert!(!north.log().contains("forked"), "the journal of {key} goes on from one end");
}
