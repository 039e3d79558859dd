//! An auditor goes over a whole log: an honest one holds, and whoever changes anything on the way is found out.

use ed25519_dalek::{Signer as _, SigningKey};
use end_to_end::anvil::Anvil;
use end_to_end::program::{self, Ended};
use end_to_end::proxy::Proxy;
use end_to_end::scene::Scene;
use end_to_end::signer::{self, Signer};
use end_to_end::trade;
use end_to_end::wait::until;
use minicbor::Decoder;
use provenance::checkpoint::Checkpoint;
use provenance::event::SignedEvent;
use provenance::id::{EventId, PublicKey};
use provenance::merkle::{Frontier, leaf_hash};

/// The exit code for what does not hold, as 'furrow --help' promises.
const UNVERIFIED: i32 = 4;

/// Bytes of an entry behind its length.
const ENTRY: usize = 34;

async fn audit(url: &str, more: &[&str]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let scratch = folder.path().to_str().unwrap();
    let args = ["log", "audit", "--peer", url, "--json", "--scratch", scratch, "--data", scratch];
    let ended = program::run(program::command(&[&args, more].concat())).await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the auditor's copy is removed");
    ended
}

fn items(sequence: &[u8]) -> Vec<Vec<u8>> {
    let (mut decoder, mut items) = (Decoder::new(sequence), Vec::new());
    while decoder.position() < sequence.len() {
        let start = decoder.position();
        decoder.skip().unwrap();
        items.push(sequence[start..decoder.position()].to_vec());
    }
    items
}

/// What a proxy makes of the body under a path.
type Tampering = Box<dyn Fn(&str, Vec<u8>) -> Vec<u8> + Send + Sync>;

#[allow(clippy::too_many_lines)] // One list of all ways to tamper.
#[tokio::test(flavor = "multi_thread")]
async fn an_honest_log_holds_and_a_tampered_one_is_refused() {
    let mut scene = Scene::new(&["node"], &[]).await;
    let anvil = Anvil::start(scene.folder()).await;
    scene.site("node").anchor_in(&anvil).await;
    let node = scene.start("node").await;
    scene.site("node").json(&["actor", "enrol", "--name", "Node of Jork", "--this-node"]).await;
    let farm = trade::farm(&node.client, "Jork").await;
    for quantity in ["10", "20", "30"] {
        let lot = trade::lot(&node.client, &farm, quantity).await;
        until("the lot is anchored", async || {
            let history = node.client.all(&format!("/api/v1/produces/{lot}/history")).await;
            history.iter().all(|event| event["proof"]["state"] != "accepted").then_some(())
        })
        .await;
    }
    let size = usize::try_from(node.log_size().await).unwrap();

    let ended = audit(&node.client.url(""), &["--rpc", &anvil.url()]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report = ended.json();
    assert_eq!((&report["holds"], &report["entries"]), (&true.into(), &size.into()), "{report}");
    let checks = report["checks"].as_array().unwrap();
    let told = |name: &str| checks.iter().find(|check| check["check"] == name).unwrap_or_else(|| panic!("{report}"));
    assert_eq!(told("network")["rests_on"], "node", "without a definition of its own");
    assert!(told("anchors")["detail"].as_str().unwrap().starts_with(|first: char| ('2'..='9').contains(&first)));
    assert_eq!(told("chain")["rests_on"]["endpoint"], anvil.url());
    let definition = scene.folder().join("network.toml");
    let ended = audit(&node.client.url(""), &["--network", definition.to_str().unwrap()]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.json()["checks"][1]["rests_on"], "network_file");

    // Whoever stands between changes one thing at a time.
    let entries = node.client.read(&format!("/log/tile/entries/000.p/{size}")).await.body;
    let entry = |index: usize| {
        let bytes = entries[index * ENTRY + 2..(index + 1) * ENTRY].try_into().unwrap();
        EventId::from_bytes(bytes).to_string()
    };
    let tampering: [(&str, Tampering, Vec<String>); 7] = [
        (
            "a byte of a hash tile is flipped",
            Box::new(|path, mut body| {
                if path.starts_with("/log/tile/0/") {
                    body[3 * 32 + 7] ^= 1;
                }
                body
            }),
            vec!["entry 3 ".into(), entry(3)],
        ),
        (
            "two entries change places",
            Box::new(|path, mut body| {
                if path.starts_with("/log/tile/entries/") {
                    let (left, right) = body.split_at_mut(3 * ENTRY);
                    left[2 * ENTRY..].swap_with_slice(&mut right[..ENTRY]);
                }
                body
            }),
            vec!["entry 2 ".into(), entry(3)],
        ),
        (
            "an event is hidden",
            Box::new(|path, body| {
                if !path.starts_with("/api/v1/events?") {
                    return body;
                }
                let mut events = items(&body);
                events.remove(1);
                events.concat()
            }),
            vec!["entry 2 ".into(), entry(2), entry(3)],
        ),
        (
            "all events from one on are hidden",
            Box::new(|path, body| {
                let from = path.strip_prefix("/api/v1/events?from=").and_then(|rest| rest.split('&').next());
                match from {
                    Some("1") => items(&body)[..3].concat(),
                    Some(_) => Vec::new(),
                    None => body,
                }
            }),
            vec!["entry 4,".into(), entry(4), "hidden".into()],
        ),
        (
            "a byte of an event is flipped",
            Box::new(|path, mut body| {
                if path.starts_with("/api/v1/events?") {
                    *body.last_mut().unwrap() ^= 1;
                }
                body
            }),
            vec![format!("entry {} ", size - 1), entry(size - 1)],
        ),
        (
            "the checkpoint tells of another size",
            Box::new(|path, body| {
                if path != "/log/checkpoint" {
                    return body;
                }
                let note = String::from_utf8(body).unwrap();
                let mut lines: Vec<&str> = note.lines().collect();
                lines[1] = "3";
                (lines.join("\n") + "\n").into_bytes()
            }),
            vec!["signature".into()],
        ),
        (
            "an anchor is made to look as if it covered less",
            Box::new(|path, body| {
                if !path.starts_with("/api/v1/anchors?") {
                    return body;
                }
                let mut page: serde_json::Value = serde_json::from_slice(&body).unwrap();
                page["_embedded"]["item"][0]["size"] = 1.into();
                page.to_string().into_bytes()
            }),
            vec!["anchor ".into(), "covers 1 entries".into()],
        ),
    ];
    for (what, tamper, named) in tampering {
        let proxy = Proxy::before(node.client.url(""), tamper).await;
        let ended = audit(&proxy.url(), &[]).await;
        assert_eq!(ended.code, Some(UNVERIFIED), "{what}: {ended:?}");
        for named in named {
            assert!(ended.err.contains(&named), "{what}: '{named}' is not in {ended:?}");
        }
        assert_eq!(ended.json()["holds"], false, "{what}");
    }
    // An anchor that the node does not list is seen on the chain.
    let proxy = Proxy::before(node.client.url(""), |path, body| {
        if !path.starts_with("/api/v1/anchors?") {
            return body;
        }
        let mut page: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let list = page["_embedded"]["item"].as_array_mut().unwrap();
        list.remove(list.len() - 1);
        page.to_string().into_bytes()
    })
    .await;
    let ended = audit(&proxy.url(), &["--rpc", &anvil.url()]).await;
    assert_eq!(ended.code, Some(UNVERIFIED), "{ended:?}");
    assert!(ended.err.contains("hidden"), "{ended:?}");
}

/// A log that some node made up, and answers for consistently.
fn made_up(network: EventId, events: &[SignedEvent]) -> impl Fn(&str, Vec<u8>) -> Vec<u8> + Send + Sync + use<> {
    let ids: Vec<EventId> = [network].into_iter().chain(events.iter().map(SignedEvent::id)).collect();
    let key = SigningKey::from_bytes(&[77; 32]);
    let public = PublicKey::from_bytes(key.verifying_key().to_bytes());
    let mut frontier = Frontier::default();
    let mut hashes = Vec::new();
    for id in &ids {
        frontier.append(leaf_hash(id.as_bytes()), |_, _, _| ());
        hashes.extend_from_slice(&leaf_hash(id.as_bytes()));
    }
    let network = events[0].payload().network;
    let checkpoint = Checkpoint {
        origin: format!("furrow/{network}/{public}"),
        size: ids.len() as u64,
        root: frontier.root(),
        state_root: [0; 32],
    };
    let note = checkpoint.to_note(&public, |text| key.sign(text).to_bytes());
    let bundle: Vec<u8> = ids.iter().flat_map(|id| [&[0, 32], id.as_bytes().as_slice()].concat()).collect();
    let sequence: Vec<u8> = events.iter().flat_map(|event| event.bytes().iter().copied()).collect();
    move |path, body| {
        if path == "/log/checkpoint" {
            note.clone().into_bytes()
        } else if path.starts_with("/log/tile/entries/000.p/") {
            bundle.clone()
        } else if path.starts_with("/log/tile/0/000.p/") {
            hashes.clone()
        } else if path.starts_with("/api/v1/events?") {
            sequence.clone()
        } else {
            body
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_consistent_but_against_the_rules_is_refused() {
    let mut scene = Scene::new(&["node"], &[signer::public(1)]).await;
    let node = scene.start("node").await;
    let mut signer = Signer::founder(&scene, 1, 0);
    let farm = signer.farm("Tramin");
    let lot = signer.lot(&farm, "500");
    let graded = signer.grade(lot.id().subject(0), &[lot.id()], "A");
    let offered = signer.clone().offer(lot.id().subject(0), &[graded.id()], "900", scene.founder(0));
    // As many as the longest made-up log has, so that the node answers whatever is asked.
    let more = signer.lot(&farm, "1");
    node.client.submit(&[farm.clone(), lot.clone(), graded.clone(), more]).await;

    let logs: [(&str, Vec<SignedEvent>, &[&str]); 5] = [
        ("one that nobody of the network vouches for", vec![farm.clone(), lot.clone(), graded.clone()], &["log key"]),
        (
            "one out of order",
            vec![farm.clone(), graded.clone(), lot.clone()],
            &["entry 2, ", &lot.id().to_string(), "out of order"],
        ),
        ("one that hides an event", vec![farm.clone(), graded.clone()], &["entry 2, ", &lot.id().to_string()]),
        ("one with an event twice", vec![farm.clone(), lot.clone(), farm.clone()], &["entry 3, ", "twice"]),
        (
            "one with an event against the rules",
            vec![farm.clone(), lot.clone(), graded.clone(), offered],
            &["entry 4, ", "against a rule"],
        ),
    ];
    for (what, events, named) in logs {
        let proxy = Proxy::before(node.client.url(""), made_up(scene.network().as_event(), &events)).await;
        let ended = audit(&proxy.url(), &[]).await;
        assert_eq!(ended.code, Some(UNVERIFIED), "{what}: {ended:?}");
        for named in named {
            let told = format!("{}{}", ended.err, ended.out);
            assert!(told.contains(named), "{what}: '{named}' is not in {ended:?}");
        }
    }
    assert_eq!(node.stop().await.code(), Some(0));
}
