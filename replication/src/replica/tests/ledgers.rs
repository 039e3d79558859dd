//! The machine's view of real ledgers: what they hold, what they answer, and where their maps differ.

use super::world::peer_id;
use crate::replica::descent::Descent;
use crate::{Cursor, Holdings, Known, Skipped, StateRoot, answer};
use ed25519_dalek::SigningKey;
use ledger::{Ledger, LedgerOptions, Origin, Outcome};
use p2p::{Request, Response};
use provenance::body::{Body, PlaceRegistered};
use provenance::event::SignedEvent;
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::network::Network;
use provenance::payload::{Lane, Payload, Touch};
use provenance::state_map::{PageKey, RootRef};
use provenance::value::{LangText, Text, Timestamp};

fn founder(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number + 1; 32])
}

fn network() -> Network {
    let keys = (0..2).map(|number| PublicKey::from_bytes(founder(number).verifying_key().to_bytes()));
    Network::new(Text::new("Test").unwrap(), [0; 16], keys.collect()).unwrap()
}

/// Places that a founder registers one after the other.
fn journal(number: u8, count: u64) -> Vec<SignedEvent> {
    let network = network().id();
    let mut last = network.as_event();
    let mut events = Vec::new();
    for time in 0..count {
        let body = PlaceRegistered {
            place_type: Text::new("farm").unwrap(),
            name: LangText::single("en", &format!("Farm {time}")).unwrap(),
            gln: None,
            point: None,
            exact_point: None,
            outline: None,
            area_m2: None,
            parent: None,
            country: None,
        };
        let payload = Payload {
            network,
            time: Timestamp::new(1_800_000_000_000 + time).unwrap(),
            occurred: None,
            journal: last,
            touches: vec![Touch { subject: None, lane: Lane::Main, prev: vec![] }],
            basis: vec![network.as_event()],
            body: Body::PlaceRegistered(body),
            on_behalf_of: None,
            captured_by: None,
            refs: None,
            after: None,
            extensions: None,
        };
        let event = SignedEvent::sign(payload, &founder(number)).unwrap();
        last = event.id();
        events.push(event);
    }
    events
}

async fn ledger(folder: &tempfile::TempDir, events: &[SignedEvent]) -> Ledger {
    let ledger = Ledger::open(folder.path(), network(), LedgerOptions::default()).unwrap();
    let bytes = events.iter().map(|event| event.bytes().to_vec()).collect();
    let outcomes = ledger.submit(bytes, Origin::Client).await.unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.index().is_some()));
    ledger.cut().await.unwrap();
    ledger
}

#[tokio::test(flavor = "multi_thread")]
async fn two_ledgers_find_where_they_differ() {
    let (common, theirs, own) = (journal(0, 500), journal(0, 540), journal(1, 30));
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let source = ledger(&folders[0], &theirs).await;
    let ours = ledger(&folders[1], &[common, own.clone()].concat()).await;

    let Some(Response::State { root: Some(root) }) = answer(&source, &Request::State).unwrap() else {
        panic!("it has a map")
    };
    assert_eq!(Some(root.size), source.map_root().unwrap().map(|(size, _)| size));
    let root = RootRef { version: root.version, hash: root.hash };
    let theirs_root = StateRoot { size: source.size(), root: Some(root) };
    let mut descent = Descent::new(theirs_root, ours.state_root().unwrap().unwrap());
    let mut questions = 0;
    while let Some(request) = descent.ask() {
        questions += 1;
        match answer(&source, &request).unwrap().unwrap() {
            Response::MapPages { pages } => descent.take_pages(&ours, pages).unwrap(),
            Response::Recent { events } => {
                let unknown = |ids: &[EventId]| {
                    let known = ours.known(ids)?;
                    let no = ids.iter().zip(known).filter(|(_, known)| *known == Known::No);
                    Ok(no.map(|(id, _)| *id).collect())
                };
                descent.take_recent(events, unknown).unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(descent.is_done() && questions <= 8, "{questions} questions");
    let found: Vec<(u64, EventId)> = descent.into_found().collect();
    let expected: Vec<(u64, EventId)> = (501..).zip(theirs[500..].iter().map(SignedEvent::id)).collect();
    assert_eq!(found, expected, "in the order of the other log");
    for ledger in [source, ours] {
        ledger.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_ledger_tells_of_itself() {
    let events = journal(0, 3);
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(&folder, &events[..2]).await;
    let network = network().id().as_event();
    let ids = [network, events[0].id(), events[2].id()];
    assert_eq!(ledger.known(&ids).unwrap(), [Known::Judged, Known::Judged, Known::No]);
    // An event that waits for an ancestor is still to be judged.
    let stranger = journal(1, 2);
    let outcomes = ledger.submit(vec![stranger[1].bytes().to_vec()], Origin::Peer("p".to_owned())).await.unwrap();
    assert!(matches!(outcomes[..], [Outcome::Held { kept: true, .. }]));
    assert_eq!(ledger.known(&[stranger[1].id()]).unwrap(), [Known::No]);

    let page = answer(&ledger, &Request::LogPage { from: 1, max: 9 }).unwrap();
    assert_eq!(page, Some(Response::LogPage { log_size: 3, ids: vec![events[0].id(), events[1].id()] }));
    let bodies = answer(&ledger, &Request::Bodies { ids: ids[1..].to_vec() }).unwrap();
    assert_eq!(bodies, Some(Response::Bodies { bodies: vec![Some(events[0].bytes().to_vec()), None] }));
    let pages = answer(&ledger, &Request::MapPages { keys: vec![vec![1, 2, 3], vec![0; 9]] }).unwrap();
    assert_eq!(pages, Some(Response::MapPages { pages: vec![None, None] }));
    let subjects = vec![events[1].subject(0).unwrap(), SubjectId::from_bytes([9; 32])];
    let recent = answer(&ledger, &Request::Recent { subjects }).unwrap();
    assert_eq!(recent, Some(Response::Recent { events: vec![vec![(2, events[1].id())], vec![]] }));
    let unknown = answer(&ledger, &Request::Unknown { kind: 77, bytes: vec![] }).unwrap();
    assert_eq!(unknown, Some(Response::Unsupported { kind: 77 }));

    let root = ledger.state_root().unwrap().unwrap();
    let key = PageKey { path: provenance::state_map::NibblePath::ROOT, version: root.root.unwrap().version };
    assert_eq!(Holdings::map_page(&ledger, &key).unwrap().unwrap().hash(), root.hash());

    let log = PublicKey::from_bytes([7; 32]);
    let [peer, other] = [8, 9].map(peer_id);
    assert_eq!(ledger.load_cursor(&peer, &log).unwrap(), Cursor::default());
    let skipped = Some(Skipped { next: 1, last: Some(network), end: 5 });
    let cursor = Cursor { next: 9, last: None, gaps: vec![events[0].id()], skipped };
    ledger.save_cursor(&peer, &log, &cursor).unwrap();
    assert_eq!(ledger.load_cursor(&peer, &log).unwrap(), cursor);
    let stranger = PublicKey::from_bytes([8; 32]);
    assert_eq!(ledger.load_cursor(&peer, &stranger).unwrap(), Cursor::default(), "it is good for one log");
    assert_eq!(ledger.load_cursor(&other, &log).unwrap(), Cursor::default(), "and of one peer");
    ledger.close().await;
}

/// Pages of another node's log, in its order and in others, tell the same of each event.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_does_not_depend_on_the_order_of_a_page() {
    let (here, strange) = (journal(0, 1_500), journal(1, 1_000));
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(&folder, &here).await;
    let ids = |events: &[SignedEvent]| events.iter().map(SignedEvent::id).collect::<Vec<_>>();
    let (here, strange) = (ids(&here), ids(&strange));
    let network = network().id().as_event();
    // Each event exactly once, far from its neighbours.
    let scattered: Vec<EventId> = (0..here.len()).map(|at| here[at * 797 % here.len()]).collect();
    let pages: [(&str, Vec<EventId>); 8] = [
        ("in order", here.clone()),
        ("backwards", here.iter().rev().copied().collect()),
        ("scattered", scattered),
        ("the network first", [&[network], &here[..100]].concat()),
        (
            "with strange ones between",
            here.chunks(100).zip(strange.chunks(70)).flat_map(|(a, b)| [a, b].concat()).collect(),
        ),
        ("strange ones first", [&strange[..], &here[1_400..]].concat()),
        ("one by one", here.iter().zip(&strange).flat_map(|(a, b)| [*a, *b]).collect()),
        ("named again and again", [&here[..80], &here[..80], &strange[..80], &strange[..80]].concat()),
    ];
    for (order, page) in pages {
        let expected: Vec<Known> =
            page.iter().map(|id| if strange.contains(id) { Known::No } else { Known::Judged }).collect();
        assert_eq!(ledger.known(&page).unwrap(), expected, "{order}");
    }
    ledger.close().await;
}
