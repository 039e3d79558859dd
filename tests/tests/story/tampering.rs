//! An event that was changed in any of its parts is refused on every way in: over HTTP, alone and
//! among others; in gossip; in the log of a peer, and in place of an event of that log.

use end_to_end::client::CBOR_SEQUENCE;
use end_to_end::forgery::{Forgery, of_every_part};
use end_to_end::node::Node;
use end_to_end::peer::{Claims, Peer};
use end_to_end::scene::Scene;
use end_to_end::signer::{self, Signer, text};
use end_to_end::wait::until;
use futures::future::join_all;
use p2p::Misbehaviour;
use provenance::body::Body;
use provenance::cbor::Any;
use provenance::event::SignedEvent;
use provenance::id::{EventId, NetworkId, SubjectId};
use provenance::payload::{After, Reference};
use provenance::value::{Occurred, TextMap};
use serde_json::json;

/// Forgeries of one hostile peer: one less than a node takes before it cuts the peer off.
const AT_ONCE: usize = 3;

/// Points fade; so many are gone only after half a minute.
const FADED: u32 = 5;

/// Two nodes, and an honest offer of a founder with a key of its own, which neither has yet.
struct Story {
    scene: Scene,
    north: Node,
    south: Node,
    signer: Signer,
    farm: SignedEvent,
    offer: SignedEvent,
}

impl Story {
    async fn begin() -> Self {
        let mut scene = Scene::new(&["north", "south"], &[signer::public(1), signer::public(2)]).await;
        let north = scene.start("north").await;
        // What strangers can do who were let in.
        scene.site("south").set("p2p.admission", "anyone");
        let south = scene.start_with("south", &[&north]).await;
        let mut signer = Signer::founder(&scene, 1, 0);
        let farm = signer.farm("Tramin");
        let registered = signer.lot(&farm, "500");
        north.client.submit(&[farm.clone(), registered.clone()]).await;
        let offer = full_offer(&mut signer.clone(), &registered, scene.founder(1));
        south.has_entries(3).await;
        Self { scene, north, south, signer, farm, offer }
    }

    fn network(&self) -> NetworkId {
        self.scene.network()
    }

    fn forgeries(&self) -> Vec<Forgery> {
        let forgeries = of_every_part(&self.offer, &signer::public(2));
        let different = |a: &Forgery| forgeries.iter().filter(|b| b.bytes == a.bytes).count() == 1;
        assert!(forgeries.iter().all(different), "each is another one");
        forgeries
    }

    /// An event that is in order, so that it can be seen that the way is open.
    fn honest(&mut self) -> SignedEvent {
        self.signer.lot(&self.farm, "1")
    }

    /// Demands that neither node has any trace of them, and that both serve on.
    async fn ends_well(mut self, forgeries: &[Forgery], entries: u64) {
        for node in [&self.north, &self.south] {
            node.has_entries(entries).await;
            for forgery in forgeries {
                let found = node.client.read(&format!("/api/v1/events/{}", forgery.id())).await;
                assert_eq!(found.status, 404, "{}", forgery.what);
            }
            let status = node.client.get("/api/v1/status").await;
            assert_eq!((&status["held"], &status["faults"]), (&json!(0), &json!([])));
        }
        // South heard of nothing that it would hold against north.
        self.south.connected(self.north.peer_id()).await;
        let shown = self.south.peers().await;
        let north = shown.iter().find(|peer| peer["id"] == self.north.peer_id()).expect("they stay connected");
        assert_eq!(north["points"], 0, "north passed on nothing bad");
        // The authentic event is not spoilt by its forgeries, and news still travel both ways.
        let honest = self.honest();
        self.north.client.submit(std::slice::from_ref(&honest)).await;
        self.south.has_entries(entries + 1).await;
        self.south.client.submit(&[full_offer_again(&self.offer)]).await;
        self.north.has_entries(entries + 2).await;
    }
}

/// An offer that uses every field of an event but one, which only a member's cooperative may use.
fn full_offer(signer: &mut Signer, registered: &SignedEvent, to: SubjectId) -> SignedEvent {
    let lot = registered.id().subject(0);
    let plain = signer.clone().offer_part(lot, &[registered.id()], "200", to);
    let mut payload = plain.payload().clone();
    assert!(matches!(payload.body, Body::TransferOffered(_)));
    payload.occurred = Some(Occurred::new(payload.time, None, 120).unwrap());
    payload.captured_by = Some(signer.actor());
    payload.refs = Some(vec![Reference { document_type: text("purchase order"), number: text("4711") }]);
    payload.after = Some(After { chain_id: 31337, commitment: [7; 32] });
    payload.extensions = Some(TextMap::new([("urn:example:tray".to_owned(), Any::Integer(12))]).unwrap());
    signer.sign(payload)
}

/// The same bytes as any client would post them.
fn full_offer_again(offer: &SignedEvent) -> SignedEvent {
    SignedEvent::decode(offer.bytes().to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http() {
    let mut story = Story::begin().await;
    let mut forgeries = story.forgeries();
    // Clients hand in statements as other logs gave them out; what is not signed is taken off there.
    forgeries.retain(|forgery| forgery.what != "unprotected header added");
    for Forgery { what, bytes } in &forgeries {
        let answer = story.north.client.submit_one(bytes).await;
        let problem = answer.json();
        assert!(matches!(answer.status, 400 | 422), "{what}: {problem}");
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{what}");
        let named = |name: &str| problem[name].as_str().is_some_and(|text| !text.is_empty());
        assert!(["type", "title", "detail", "field", "rule"].into_iter().all(named), "{what}: {problem}");
    }

    // Among good ones: the good ones are taken, and each bad one is named.
    let (before, after) = (story.honest(), story.honest());
    let items: Vec<&Forgery> = forgeries.iter().filter(|forgery| forgery.is_one_item()).collect();
    let middle = items.iter().map(|forgery| forgery.bytes.as_slice());
    let sequence: Vec<&[u8]> = [before.bytes()].into_iter().chain(middle).chain([after.bytes()]).collect();
    let answer = story.north.client.submit_bytes(CBOR_SEQUENCE, sequence.concat()).await;
    assert_eq!(answer.status, 207, "{}", answer.text());
    let submission = answer.json();
    assert_eq!((&submission["admitted"], &submission["refused"]), (&2.into(), &items.len().into()));
    let results = submission["results"].as_array().unwrap();
    for (result, forgery) in results[1..].iter().zip(items) {
        let outcome = if forgery.looks_newer() { "held" } else { "rejected" };
        assert_eq!(result["outcome"], outcome, "{}: {result}", forgery.what);
        assert!(result["problem"]["rule"].is_string(), "{}: {result}", forgery.what);
    }
    // What ends in the middle of an item is no sequence at all.
    let honest = story.honest();
    let torn = [honest.bytes(), &honest.bytes()[..100]].concat();
    let answer = story.north.client.submit_bytes(CBOR_SEQUENCE, torn).await;
    assert_eq!((answer.status, &answer.json()["rule"]), (400, &"cbor_sequence".into()), "{}", answer.text());
    assert_eq!(story.north.client.read(&format!("/api/v1/events/{}", honest.id())).await.status, 404);
    story.north.client.submit(&[honest]).await;
    story.ends_well(&forgeries, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_gossip() {
    let mut story = Story::begin().await;
    let forgeries = story.forgeries();
    let address = story.north.peer_address().to_owned();
    let witness = Peer::start([99; 32], story.network(), &address, Claims::default()).await;
    let far = Peer::start([98; 32], story.network(), story.south.peer_address(), Claims::default()).await;
    let mut liars = Vec::new();
    let groups: Vec<&[Forgery]> = forgeries.chunks(AT_ONCE).collect();
    for (group, seed) in groups.iter().zip(1..) {
        let (group, honest, network) = (group.to_vec(), story.honest(), story.network());
        let (address, client) = (address.clone(), story.north.client.clone());
        liars.push(async move {
            let liar = Peer::start([seed; 32], network, &address, Claims::default()).await;
            // Gossip reaches whom is known to listen, and that is known only some time after the
            // connection: an honest event shows that the way is open.
            until("an honest event arrives", async || {
                liar.publish(&[honest.bytes().to_vec()]).await;
                (client.read(&format!("/api/v1/events/{}", honest.id())).await.status == 200).then_some(())
            })
            .await;
            let invalid = group.iter().filter(|forgery| !forgery.looks_newer()).count();
            for forgery in group {
                liar.publish(&[forgery.bytes]).await;
            }
            let points = u32::try_from(invalid).unwrap() * Misbehaviour::InvalidEvent.points() - FADED;
            until("each forgery is held against the peer", async || {
                let shown = client.all("/api/v1/peers").await;
                let liar = shown.iter().find(|peer| peer["id"] == liar.id())?;
                (liar["points"].as_u64()? >= points.into()).then_some(())
            })
            .await;
            liar.babble_until_cut_off().await;
            liar
        });
    }
    let liars = join_all(liars).await;
    remain_cut_off(&story.north, &liars).await;
    for Forgery { what, bytes } in &forgeries {
        assert!(!witness.was_told(bytes) && !far.was_told(bytes), "{what} was passed on");
    }
    assert!(witness.is_connected(), "who did nothing wrong is served on");
    let entries = 3 + groups.len() as u64;
    drop(liars);
    story.ends_well(&forgeries, entries).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_log_of_a_peer() {
    let story = Story::begin().await;
    let forgeries = story.forgeries();
    let network = story.network();
    let beginning = || vec![network.as_event()];
    // One has the forgeries in its log; the other has a good id there, and forgeries in its place.
    let honest_about_ids = Claims {
        log: beginning().into_iter().chain(forgeries.iter().map(Forgery::id)).collect(),
        bodies: forgeries.iter().map(|forgery| (forgery.id(), forgery.bytes.clone())).collect(),
    };
    let exchanged = Claims {
        log: beginning().into_iter().chain([story.offer.id()]).collect(),
        bodies: [(story.offer.id(), forgeries[0].bytes.clone())].into(),
    };
    let without_a_body = Claims { log: vec![network.as_event(), EventId::from_bytes([5; 32])], bodies: [].into() };
    let of_another_network = Claims { log: vec![EventId::from_bytes([6; 32])], bodies: [].into() };
    let claims = [honest_about_ids, exchanged, without_a_body, of_another_network];
    let address = story.north.peer_address();
    let until_cut_off = async |(claims, seed): (Claims, u8)| {
        let liar = Peer::start([seed; 32], network, address, claims).await;
        liar.cut_off().await;
        liar
    };
    let liars = join_all(claims.into_iter().zip(1..).map(until_cut_off)).await;
    remain_cut_off(&story.north, &liars).await;
    drop(liars);
    story.ends_well(&forgeries, 3).await;
}

/// They go on dialling, and the node does not take them back.
async fn remain_cut_off(node: &Node, liars: &[Peer]) {
    for _ in 0..20 {
        let shown = node.peers().await;
        for liar in liars {
            assert!(shown.iter().all(|peer| peer["id"] != liar.id()) || !liar.is_connected(), "{shown:?}");
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(liars.iter().all(|liar| !liar.is_connected()));
}
