//! A seller with a copied key gives the same lots away twice. Nodes that learn of it in different
//! orders show the same, to the byte.

use end_to_end::node::Node;
use end_to_end::peer::{Claims, Peer};
use end_to_end::program;
use end_to_end::scene::Scene;
use end_to_end::signer::{self, Signer};
use end_to_end::views;
use end_to_end::wait::until;
use provenance::conflict::CONTENT_TYPE;
use provenance::event::SignedEvent;
use provenance::id::SubjectId;
use serde_json::{Value, json};
use std::path::Path;

/// What was signed, in groups that know of each other only where one rests on another.
struct Story {
    common: Vec<SignedEvent>,
    seller: Vec<SignedEvent>,
    /// With a copy of the seller's key.
    rival: Vec<SignedEvent>,
    first_buyer: Vec<SignedEvent>,
    second_buyer: Vec<SignedEvent>,
    /// Both buyers accepted.
    sold_twice: SubjectId,
    /// Offered to both, and neither has answered.
    offered_twice: SubjectId,
    /// Offered to both, and only the first accepted.
    settled: SubjectId,
    /// Parts went to both, and together they fit.
    shared: SubjectId,
    first: SubjectId,
}

impl Story {
    fn new(scene: &Scene) -> Self {
        let mut seller = Signer::founder(scene, 1, 0);
        let mut buyers = [Signer::founder(scene, 2, 1), Signer::founder(scene, 3, 2)];
        let [first, second] = [buyers[0].actor(), buyers[1].actor()];
        let farm = seller.farm("Tramin");
        let lots: Vec<SignedEvent> = (0..4).map(|_| seller.lot(&farm, "100")).collect();
        let mut rival = seller.clone();
        let lot = |index: usize| (lots[index].id().subject(0), [lots[index].id()]);
        let offers = |signer: &mut Signer, to: SubjectId, part: &str| -> Vec<SignedEvent> {
            let whole = (0..3).map(|index| signer.offer(lot(index).0, &lot(index).1, "100", to));
            let mut offers: Vec<SignedEvent> = whole.collect();
            offers.push(signer.offer_part(lot(3).0, &lot(3).1, part, to));
            offers
        };
        let (mut to_first, to_second) = (offers(&mut seller, first, "40"), offers(&mut rival, second, "50.5"));
        let first_buyer = vec![
            buyers[0].accept(&to_first[0], lot(0).0, "100"),
            buyers[0].accept(&to_first[2], lot(2).0, "100"),
            buyers[0].accept(&to_first[3], to_first[3].id().subject(1), "40"),
        ];
        let second_buyer = vec![
            buyers[1].accept(&to_second[0], lot(0).0, "100"),
            buyers[1].accept(&to_second[3], to_second[3].id().subject(1), "50.5"),
        ];
        to_first.push(seller.grade(lot(3).0, &[to_first[3].id()], "B"));
        Self {
            first,
            sold_twice: lot(0).0,
            offered_twice: lot(1).0,
            settled: lot(2).0,
            shared: lot(3).0,
            common: [vec![farm], lots.clone()].concat(),
            seller: to_first,
            rival: to_second,
            first_buyer,
            second_buyer,
        }
    }

    fn seller_first(&self) -> Vec<SignedEvent> {
        [&self.common, &self.seller, &self.first_buyer, &self.rival, &self.second_buyer]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    fn rival_first(&self) -> Vec<SignedEvent> {
        [&self.common, &self.rival, &self.second_buyer, &self.seller, &self.first_buyer]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_order_nodes_show_the_same() {
    let founders = [signer::public(1), signer::public(2), signer::public(3)];
    let mut scene = Scene::new(&["north", "south", "east"], &founders).await;
    let story = Story::new(&scene);
    // They must not learn of it from each other, and only their names may tell them apart.
    let mut nodes = Vec::new();
    for name in ["north", "south", "east"] {
        scene.site(name).set("node.name", "a node");
        nodes.push(scene.start(name).await);
    }
    let [north, south, east] = &nodes[..] else { unreachable!("there are three") };

    north.client.submit(&story.seller_first()).await;
    for event in story.rival_first() {
        south.client.submit(&[event]).await;
    }
    let backwards: Vec<SignedEvent> = story.seller_first().into_iter().rev().collect();
    gossip(&scene, east, &backwards).await;
    let size = north.log_size().await;
    assert_eq!(size, 1 + backwards.len() as u64);

    north.has_entries(size).await;
    let shown = views::all(&north.client).await;
    assert_ne!(views::event_ids(&north.client).await, views::event_ids(&south.client).await, "the orders differ");
    for node in [south, east] {
        node.has_entries(size).await;
        views::assert_same(&shown, &views::all(&node.client).await);
    }
    for node in &nodes {
        tells_of_the_conflicts(node, &story).await;
    }
    proves_the_conflicts(&mut scene, &nodes, &story).await;
    // To the consumer they show the same page.
    for lot in [story.sold_twice, story.offered_twice, story.settled, story.shared] {
        let page = north.client.read(&format!("/p/{lot}")).await;
        assert_eq!(page.status, 200);
        for node in [south, east] {
            assert_eq!(node.client.read(&format!("/p/{lot}")).await.text(), page.text());
        }
    }
}

async fn tells_of_the_conflicts(node: &Node, story: &Story) {
    let lot = async |lot: SubjectId| node.client.get(&format!("/api/v1/produces/{lot}")).await;
    let cited = |lot: &Value| lot["in_conflict"].as_array().map_or(0, Vec::len);
    for disputed in [story.sold_twice, story.offered_twice] {
        let shown = lot(disputed).await;
        assert_eq!(shown["state"], "disputed", "{shown}");
        assert!(cited(&shown) >= 2, "all sides are evidence: {shown}");
        let history = node.client.get(&format!("/api/v1/produces/{disputed}/history")).await;
        let findings = history["findings"].as_array().unwrap();
        assert!(findings.iter().any(|finding| finding["kind"] == "conflict"), "{findings:?}");
        assert!(node.client.read(&format!("/p/{disputed}")).await.text().contains("disputed"));
    }
    let settled = lot(story.settled).await;
    assert_eq!((&settled["state"], &settled["holder"]["id"]), (&"held".into(), &story.first.to_string().into()));
    assert!(cited(&settled) >= 2, "what was not followed is not forgotten: {settled}");
    let shared = lot(story.shared).await;
    assert_eq!((&shared["state"], &shared["balance"]["value"]), (&"held".into(), &"9.5".into()), "{shared}");
    assert_eq!(cited(&shared), 0, "what fits is no conflict: {shared}");
}

/// Each node gives away the same evidence, which both verifiers take without any node.
async fn proves_the_conflicts(scene: &mut Scene, nodes: &[Node], story: &Story) {
    let seller = nodes[0].client.get(&format!("/api/v1/produces/{}", story.shared)).await["originator"]["id"].clone();
    let seller = seller.as_str().expect("somebody registered it").to_owned();
    for lot in [story.sold_twice, story.offered_twice, story.settled] {
        let shown = nodes[0].client.get(&format!("/api/v1/produces/{lot}")).await;
        let link = &shown["_links"]["conflict"];
        assert_eq!(link["type"], CONTENT_TYPE, "{shown}");
        let proof = nodes[0].client.read(link["href"].as_str().expect("a link")).await;
        assert_eq!((proof.status, &proof.headers["content-type"]), (200, &CONTENT_TYPE.parse().unwrap()));
        for node in &nodes[1..] {
            let other = node.client.read(&format!("/api/v1/produces/{lot}/conflict")).await;
            assert_eq!(other.body, proof.body, "every node has the same evidence");
        }
        let verdict = verified(&scene.folder().join("lot.conflict"), &proof.body, scene).await;
        assert_eq!(
            (&verdict["verdict"], &verdict["conflict"]),
            (&json!("valid"), &json!("lane_conflict")),
            "{verdict}"
        );
        assert_eq!((&verdict["subject"], &verdict["actor"]), (&json!(lot), &json!(seller)), "{verdict}");
        assert_eq!(verdict["events"].as_array().map(Vec::len), Some(2), "two offers: {verdict}");
    }
    let history = nodes[0].client.get(&format!("/api/v1/produces/{}/history", story.sold_twice)).await;
    let proofs: Vec<&str> =
        history["findings"].as_array().unwrap().iter().filter_map(|it| it["proof"].as_str()).collect();
    assert!(proofs.contains(&&format!("/api/v1/produces/{}/conflict", story.sold_twice)[..]), "{history}");
    assert!(proofs.contains(&&format!("/api/v1/actors/{seller}/forks")[..]), "{history}");
    let shared = nodes[0].client.read(&format!("/api/v1/produces/{}/conflict", story.shared)).await;
    assert_eq!(shared.status, 404, "what fits proves nothing");

    // The journal's fork is another proof, and needs no rules.
    let forks = nodes[0].client.get(&format!("/api/v1/actors/{seller}/forks")).await;
    let forks = forks["_embedded"]["item"].as_array().expect("a page");
    assert_eq!(forks.len(), 1, "the copy went its own way once: {forks:?}");
    let path = forks[0]["_links"]["proof"]["href"].as_str().expect("a link");
    let proof = nodes[0].client.read(path).await;
    assert_eq!(nodes[1].client.read(path).await.body, proof.body);
    let verdict = verified(&scene.folder().join("key.conflict"), &proof.body, scene).await;
    assert_eq!((&verdict["conflict"], &verdict["actor"]), (&json!("journal_fork"), &json!(seller)), "{verdict}");
    assert_eq!(verdict["link"], forks[0]["link"]);
    let nobody = nodes[0].client.get(&format!("/api/v1/actors/{}/forks", story.first)).await;
    assert_eq!(nobody["count"], 0);
    by_commands(scene, story, &seller).await;
}

/// What both verifiers say of a file, which must be the same; and that neither takes it once a byte is changed.
async fn verified(file: &Path, proof: &[u8], scene: &Scene) -> Value {
    std::fs::write(file, proof).unwrap();
    let name = file.to_str().expect("temporary folders have plain names");
    let network = scene.network().to_string();
    let rust = program::run(program::command(&["verify", name, "--json", "--network", &network])).await;
    let typescript = program::by_typescript(file, &["--network", &network]).await;
    assert_eq!((rust.code, typescript.code), (Some(0), Some(0)), "{rust:?} {typescript:?}");
    assert_eq!(rust.json(), typescript.json());
    let told = program::run(program::command(&["verify", name])).await;
    assert!(told.out.starts_with("VALID: it is proven that"), "{told:?}");

    let mut changed = proof.to_vec();
    changed[proof.len() / 2] ^= 1;
    std::fs::write(file, changed).unwrap();
    let (refused, also) =
        (program::run(program::command(&["verify", name, "--json"])).await, program::by_typescript(file, &[]).await);
    assert_eq!((refused.code, also.code), (Some(4), Some(1)), "{refused:?}");
    assert_eq!(refused.json()["failed"]["reason"], also.json()["failed"]["reason"]);
    rust.json()
}

async fn by_commands(scene: &mut Scene, story: &Story, seller: &str) {
    let [lot, key] = ["by-lot.conflict", "by-key.conflict"].map(|name| scene.folder().join(name));
    let [lot_file, key_file] = [&lot, &key].map(|file| file.to_str().expect("temporary folders have plain names"));
    let site = scene.site("south");
    let saved = site.json(&["dispute", "proof", &story.sold_twice.to_string(), "--out", lot_file]).await;
    assert_eq!(saved["conflict"], "lane_conflict", "{saved}");
    let saved = site.json(&["actor", "forks", seller, "--out", key_file]).await;
    assert_eq!(saved["conflict"], "journal_fork", "{saved}");
    for file in [lot_file, key_file] {
        assert_eq!(program::run(program::command(&["verify", file])).await.code, Some(0));
    }
    let wrong = program::run(program::command(&["verify", lot_file, "--cosigners", "1"])).await;
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}

/// Has a peer gossip these events to a node one by one, in exactly this order.
async fn gossip(scene: &Scene, node: &Node, events: &[SignedEvent]) {
    let peer = Peer::start([7; 32], scene.network(), node.peer_address(), Claims::default()).await;
    let bytes = |event: &SignedEvent| vec![event.bytes().to_vec()];
    // The first one rests on others and waits; once it does, the way is known to be open.
    until("the first event waits", async || {
        peer.publish(&bytes(&events[0])).await;
        (node.client.get("/api/v1/status").await["held"] == 1).then_some(())
    })
    .await;
    for event in &events[1..] {
        peer.publish(&bytes(event)).await;
    }
    node.has_entries(1 + events.len() as u64).await;
}
