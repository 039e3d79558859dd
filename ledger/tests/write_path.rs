//! The write path on a real store: what is acknowledged stays, what is refused leaves nothing, and
//! every write that can fail, or succeed unheard, is gone through.

#![allow(clippy::unwrap_used)] // A test stops where something is not as it should be.

mod story;

use ed25519_dalek::{Signer, SigningKey};
use ledger::{CheckError, Ledger, LedgerOptions, LogSigner, OpenError, Origin, Outcome, Refusal, WriteError};
use provenance::admission::{Ancestry, Rule};
use provenance::body::{Body, EventDisputed, Role};
use provenance::checkpoint::Checkpoint;
use provenance::event::SignedEvent;
use provenance::id::{EventId, PublicKey};
use provenance::merkle::{Frontier, leaf_hash, verify_consistency, verify_inclusion};
use provenance::payload::{Lane, Touch};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Batch, Entries, EventRow, Fault, Held, HeldRow, Indexes, Log, RawRows, Store, StoreOptions, Tiles};
use story::{Story, text};

fn open(path: &Path, story: &Story) -> Ledger {
    Ledger::open(path, story.network.clone(), LedgerOptions::default()).unwrap()
}

fn peer() -> Origin {
    Origin::Peer("neighbour".into())
}

async fn submit(ledger: &Ledger, events: Vec<Vec<u8>>, origin: Origin) -> Vec<Outcome> {
    ledger.submit(events, origin).await.unwrap()
}

/// The files as they are on the disk at this moment, as after a kill.
fn copy_of(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap();
        if file.file_name() != "LOCK" {
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
    }
    copy
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_nothing_that_was_acknowledged() {
    let (story, folder) = (Story::harvest(), tempfile::tempdir().unwrap());
    let ledger = open(folder.path(), &story);
    for events in story.bytes().chunks(3) {
        submit(&ledger, events.to_vec(), Origin::Client).await;
    }
    let killed = copy_of(folder.path());
    let again = open(killed.path(), &story);
    assert_eq!(again.head().unwrap(), ledger.head().unwrap());
    for outcome in submit(&again, story.bytes(), Origin::Client).await {
        assert!(matches!(outcome, Outcome::Known { index: Some(_), .. }), "{outcome:?}");
    }
    again.close().await;
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_last_write_leaves_a_whole_prefix() {
    let (story, folder) = (Story::harvest(), tempfile::tempdir().unwrap());
    let ledger = open(folder.path(), &story);
    let mut roots = vec![ledger.head().unwrap()];
    for event in story.bytes() {
        submit(&ledger, vec![event], Origin::Client).await;
        roots.push(ledger.head().unwrap());
    }
    for torn_bytes in [1, 700, 5_000, 12_345] {
        let torn = copy_of(folder.path());
        let files = std::fs::read_dir(torn.path()).unwrap().map(|entry| entry.unwrap().path());
        let newest = files.filter(|file| file.extension().is_some_and(|extension| extension == "log")).max().unwrap();
        let length = std::fs::metadata(&newest).unwrap().len();
        std::fs::File::options().write(true).open(&newest).unwrap().set_len(length - torn_bytes).unwrap();

        let again = open(torn.path(), &story);
        assert!(roots.contains(&again.head().unwrap()));
        // At the very end stands what the followers wrote.
        assert!(again.size() < ledger.size() || torn_bytes < 5_000);
        submit(&again, story.bytes(), Origin::Client).await;
        assert_eq!(again.head().unwrap(), ledger.head().unwrap());
        again.close().await;
    }
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_fails_is_not_acknowledged_and_writing_goes_on_by_itself() {
    let (story, expected) = (Story::harvest(), tempfile::tempdir().unwrap());
    let reference = open(expected.path(), &story);
    submit(&reference, story.bytes(), Origin::Client).await;

    for fault in [Fault::NotWritten, Fault::Written] {
        let folder = tempfile::tempdir().unwrap();
        let ledger = open(folder.path(), &story);
        let (first, rest) = (story.bytes()[..5].to_vec(), story.bytes()[5..].to_vec());
        submit(&ledger, first, Origin::Client).await;
        let size = ledger.size();
        // What follows the log writes too, and would take the failure on itself.
        ledger.cut().await.unwrap();

        // The write fails, and so do the first attempts to write again.
        ledger.reader().store().inject([vec![fault], vec![Fault::NotWritten; 6]].concat());
        for outcome in submit(&ledger, rest.clone(), Origin::Client).await {
            assert!(matches!(outcome, Outcome::Unavailable(_)), "{outcome:?}");
        }
        assert_eq!(ledger.size(), size, "nothing is shown that was not acknowledged");
        assert!(ledger.health().writing.unwrap().contains("disk"));
        for outcome in submit(&ledger, rest[..2].to_vec(), Origin::Client).await {
            assert!(matches!(outcome, Outcome::Unavailable(_)), "{outcome:?}");
        }
        // Nobody writes, and yet the node becomes healthy.
        let deadline = Instant::now() + Duration::from_secs(20);
        while ledger.health().writing.is_some() {
            assert!(Instant::now() < deadline, "the node stayed read-only");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let written = if fault == Fault::Written { story.events.len() as u64 + 1 } else { size };
        assert_eq!(ledger.size(), written);

        // Sent again, as the message asks for.
        for outcome in submit(&ledger, rest, Origin::Client).await {
            assert!(outcome.index().is_some(), "{outcome:?} after {fault:?}");
        }
        assert_eq!(ledger.health().writing, None);
        assert_eq!(ledger.head().unwrap(), reference.head().unwrap());
        ledger.close().await;
        let copy = copy_of(folder.path());
        let again = open(copy.path(), &story);
        assert_eq!(again.head().unwrap(), reference.head().unwrap());
        again.close().await;
    }
    reference.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_an_ancestor_is_admitted_when_it_comes() {
    let (story, folder) = (Story::harvest(), tempfile::tempdir().unwrap());
    let ledger = open(folder.path(), &story);
    let mut events = story.bytes();
    // The enrolment first, so that the signer is known; then the rest youngest first.
    let enrolment = events.remove(0);
    let place = events.remove(0);
    events.reverse();
    submit(&ledger, vec![enrolment], peer()).await;
    for outcome in submit(&ledger, events.clone(), peer()).await {
        assert!(matches!(outcome, Outcome::Held { kept: true, .. }), "{outcome:?}");
    }
    assert_eq!(ledger.health().held, events.len());

    // They wait through a restart.
    ledger.close().await;
    let again = copy_of(folder.path());
    let ledger = open(again.path(), &story);
    assert_eq!(ledger.health().held, events.len());
    submit(&ledger, vec![place], peer()).await;
    assert_eq!((ledger.health().held, ledger.size()), (0, story.events.len() as u64 + 1));
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_in_thousands_is_released_bit_by_bit() {
    let mut story = Story::new();
    for number in 0..2_500 {
        story.place(0, &format!("Place {number}"));
    }
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path(), &story);
    let events: Vec<Vec<u8>> = story.events.iter().map(|event| event.bytes().to_vec()).collect();
    submit(&ledger, events[1..].to_vec(), peer()).await;
    assert_eq!((ledger.health().held, ledger.size()), (events.len() - 1, 1));
    // All of them wait, one for the other, for the first.
    submit(&ledger, events[..1].to_vec(), peer()).await;
    let mut size = ledger.watch_size();
    let all = events.len() as u64 + 1;
    tokio::time::timeout(Duration::from_mins(1), size.wait_for(|size| *size == all)).await.unwrap().unwrap();
    ledger.close().await;

    // A crash between the first batch and the rest: the next start goes on.
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path(), &story);
    submit(&ledger, events[1..].to_vec(), peer()).await;
    submit(&ledger, events[..1].to_vec(), peer()).await;
    let crashed = copy_of(folder.path());
    ledger.close().await;
    let ledger = open(crashed.path(), &story);
    let mut size = ledger.watch_size();
    tokio::time::timeout(Duration::from_mins(1), size.wait_for(|size| *size == all)).await.unwrap().unwrap();
    assert_eq!(ledger.health().held, 0);
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_one_event_costs_others_nothing() {
    const WAITING: usize = 3_000;
    let mut story = Story::new();
    let farmer = story.enrol(0, &[Role::Farmer], &[]);
    let first = story.rename(0, "Founder");
    // All on the same link of a journal.
    for number in 0..WAITING {
        story.place(0, &format!("Place {number}"));
        story.actors[0].journal = first.id();
    }
    for number in 0..500 {
        story.place(farmer, &format!("Field {number}"));
    }
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path(), &story);
    let events = story.bytes();
    submit(&ledger, vec![events[0].clone()], peer()).await;
    submit(&ledger, events[2..2 + WAITING].to_vec(), peer()).await;
    assert_eq!(ledger.health().held, WAITING);
    let before = ledger.reader().store().rows_read();
    // What they wait for, and much with which they have nothing to do, as one batch.
    submit(&ledger, [&events[1..2], &events[2 + WAITING..]].concat(), Origin::Client).await;
    let mut size = ledger.watch_size();
    let all = events.len() as u64 + 1;
    tokio::time::timeout(Duration::from_mins(1), size.wait_for(|size| *size == all)).await.unwrap().unwrap();
    assert_eq!(ledger.health().held, 0);
    let read = ledger.reader().store().rows_read() - before;
    assert!(read < 60_000, "{read} rows were read for {all} events");
    ledger.close().await;
}

/// Two keys of one actor, each of which extends only what it said itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_keys_on_one_lane_do_not_read_it_again_and_again() {
    let mut story = Story::new();
    let farmer = story.enrol(0, &[Role::Farmer], &[]);
    let farm = story.place(farmer, "Hillside");
    story.lot(farmer, farm, "100");
    let (lot, target) = (story.events[2].subject(0).unwrap(), story.events[2].id());
    let first = &story.actors[farmer];
    let mut keys = vec![(first.key.clone(), first.key_event, first.journal, None)];
    story.add_key(farmer, SigningKey::from_bytes(&[99; 32]));
    keys[0].2 = story.events[3].id();
    let second = &story.actors[farmer];
    keys.push((second.key.clone(), second.key_event, second.journal, None));
    for number in 0..1_000 {
        let (key, key_event, journal, own) = &mut keys[number % 2];
        let actor = &mut story.actors[farmer];
        (actor.key, actor.key_event, actor.journal) = (key.clone(), *key_event, *journal);
        let touch =
            Touch { subject: Some(lot), lane: Lane::Attester(story.id(farmer)), prev: own.iter().copied().collect() };
        let body = EventDisputed { target, reason: text(&format!("{number}")), evidence: None };
        let event = story.tell(farmer, vec![touch], &[target], Body::EventDisputed(body));
        (*journal, *own) = (event.id(), Some(event.id()));
    }
    // Forgetting what the key said itself is still a fork.
    let touch = Touch { subject: Some(lot), lane: Lane::Attester(story.id(farmer)), prev: Vec::new() };
    let body = EventDisputed { target, reason: text("again"), evidence: None };
    let fork = story.beside(|story| story.tell(farmer, vec![touch], &[target], Body::EventDisputed(body)));
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path(), &story);
    let mut outcomes = Vec::new();
    for some in story.bytes().chunks(100) {
        outcomes.extend(submit(&ledger, some.to_vec(), Origin::Client).await);
    }
    assert!(matches!(outcomes.pop(), Some(Outcome::Void { rule: Rule::LaneFork, .. })), "{fork:?}");
    assert!(outcomes.iter().all(|outcome| outcome.index().is_some()));
    let read = ledger.reader().store().rows_read();
    assert!(read < 60_000, "{read} rows were read for {} events", outcomes.len());
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_is_walked_once_however_often_it_is_cut() {
    let mut story = Story::new();
    let farmer = story.enrol(0, &[Role::Farmer], &[]);
    for number in 0..2_100 {
        story.place(farmer, &format!("Field {number}"));
    }
    let long: Vec<EventId> = story.events[1..].iter().map(SignedEvent::id).collect();
    for last in &long[long.len() - 3..] {
        story.revoke(0, farmer, *last);
    }
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path(), &story);
    for outcome in submit(&ledger, story.bytes(), Origin::Client).await {
        assert!(outcome.index().is_some(), "{outcome:?}");
    }
    // Opened again, nothing is in memory; the root is that of the whole journal all the same.
    ledger.close().await;
    let copy = copy_of(folder.path());
    let again = open(copy.path(), &story);
    // What followers read is not counted, nor what the state map is made of.
    assert!(again.followed(again.size() - 1).await);
    again.cut().await.unwrap();
    let before = again.reader().store().rows_read();
    let found = again.reader().journal_root(&long[2_099]).unwrap();
    let read = again.reader().store().rows_read() - before;
    let mut frontier = Frontier::default();
    for id in &long {
        frontier.append(leaf_hash(id.as_bytes()), |_, _, _| {});
    }
    assert_eq!(found, frontier.root());
    assert!(read < 1_000, "{read} rows were read for 52 events");
    again.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whether_an_event_waits_does_not_hang_on_the_batch() {
    for batches in [1, 3] {
        let mut story = Story::new();
        let farmer = story.enrol(0, &[Role::Farmer], &[]);
        story.add_key(farmer, SigningKey::from_bytes(&[99; 32]));
        let farm = story.place(farmer, "Hillside");
        story.lot(farmer, farm, "100");
        let folder = tempfile::tempdir().unwrap();
        let ledger = open(folder.path(), &story);
        let events = story.bytes();
        // The place, the first event of the further key, is missing.
        let sent = [events[0].clone(), events[1].clone(), events[3].clone()];
        let mut outcomes = Vec::new();
        for some in sent.chunks(sent.len() / batches) {
            outcomes.extend(submit(&ledger, some.to_vec(), peer()).await);
        }
        assert!(matches!(outcomes[2], Outcome::Held { kept: true, .. }), "{:?} of {batches}", outcomes[2]);
        ledger.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_an_upgrade_is_judged_by_the_program_that_brings_it() {
    let mut story = Story::new();
    for name in ["Hillside", "Store", "Market"] {
        story.place(0, name);
    }
    let folder = tempfile::tempdir().unwrap();
    let (first, rest) = story.events.split_first().unwrap();
    let ledger = open(folder.path(), &story);
    submit(&ledger, rest.iter().map(|event| event.bytes().to_vec()).collect(), peer()).await;
    assert_eq!((ledger.health().held, ledger.size()), (rest.len(), 1));
    ledger.close().await;
    drop(ledger);
    {
        // What a program wrote that had no rules for this event: it waits for nothing but an upgrade.
        let store = Store::open(folder.path(), &StoreOptions::default()).unwrap();
        let mut batch = store.batch();
        let row = HeldRow {
            bytes: first.bytes().to_vec(),
            missing: Vec::new(),
            source: "neighbour".to_owned(),
            signer: first.key(),
        };
        batch.put::<Held>(&first.id(), &row);
        batch.commit_synced().unwrap();
    }
    let ledger = open(folder.path(), &story);
    assert_eq!((ledger.health().held, ledger.size()), (0, story.events.len() as u64 + 1));
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_leave_nothing_behind_unless_it_is_admitted() {
    let (mut story, folder) = (Story::harvest(), tempfile::tempdir().unwrap());
    let mut events = story.bytes();
    let buyer = story.enrol(0, &[Role::Trader], &[]);
    events.push(story.events.last().unwrap().bytes().to_vec());
    let lot = story.events[2].subject(0).unwrap();
    let not_his = story.beside(|story| story.grade(buyer, lot, "C"));
    story.place(1, "Never sent");
    let orphan = story.beside(|story| story.grade(1, lot, "B"));
    let mut forged = events[4].clone();
    *forged.last_mut().unwrap() ^= 1;

    let ledger = open(folder.path(), &story);
    submit(&ledger, events, Origin::Client).await;
    // What follows the log writes later than what it acknowledges.
    ledger.cut().await.unwrap();
    let before = (ledger.head().unwrap(), digests(ledger.reader().store()));
    let wrong = vec![forged, vec![0xd2, 0x84], vec![0; 20_000], not_his.bytes().to_vec(), orphan.bytes().to_vec()];
    let outcomes = submit(&ledger, wrong, Origin::Client).await;
    assert!(matches!(outcomes[0], Outcome::Rejected(Refusal::Signature(_))), "{:?}", outcomes[0]);
    assert!(matches!(outcomes[1], Outcome::Rejected(Refusal::Decode(_))));
    assert!(matches!(outcomes[2], Outcome::Rejected(Refusal::Decode(_))));
    assert!(matches!(outcomes[3], Outcome::Void { rule: Rule::NotHolder, .. }), "{:?}", outcomes[3]);
    assert!(matches!(outcomes[4], Outcome::Held { kept: false, .. }), "{:?}", outcomes[4]);
    assert_eq!((ledger.head().unwrap(), digests(ledger.reader().store())), before);
    ledger.close().await;
}

fn digests(store: &Store) -> Vec<[u8; 32]> {
    store::Column::ALL.iter().map(|column| store.digest(*column).unwrap()).collect()
}

/// A signer's mistakes, and what the same key signed after them.
struct Mistakes {
    story: Story,
    /// How many events came before.
    honest: usize,
    wrong: [EventId; 2],
    right: EventId,
}

fn mistakes() -> Mistakes {
    let mut story = Story::harvest();
    let buyer = story.enrol(0, &[Role::Trader], &[]);
    let lot = story.events[2].subject(0).unwrap();
    let honest = story.events.len();
    let first = story.beside(|story| story.grade(buyer, lot, "C"));
    let second = story.beside(|story| story.grade(buyer, lot, "B"));
    story.place(buyer, "Store");
    let right = story.events.last().unwrap().id();
    Mistakes { story, honest, wrong: [first.id(), second.id()], right }
}

impl Mistakes {
    fn check(&self, ledger: &Ledger) {
        let reader = ledger.reader();
        for mistake in self.wrong {
            let kept = reader.stored(&mistake).unwrap().unwrap();
            assert_eq!((kept.index, kept.judged.judgement.is_admitted()), (None, false));
        }
        let right = reader.stored(&self.right).unwrap().unwrap();
        assert!(right.index.is_some());
        let heads = reader.journal_heads(&right.judged.event.key()).unwrap();
        assert_eq!(heads.iter().map(|head| (head.event, head.height)).collect::<Vec<_>>(), [(self.right, 3)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_void_event_is_kept_once_its_signer_goes_on_from_it() {
    let told = mistakes();
    for at_once in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let ledger = open(folder.path(), &told.story);
        let mut events = told.story.bytes();
        let after = events.split_off(told.honest);
        submit(&ledger, events, Origin::Client).await;
        let outcomes = if at_once {
            submit(&ledger, after, Origin::Client).await
        } else {
            let mut outcomes = submit(&ledger, after[..2].to_vec(), Origin::Client).await;
            let [first, second] = told.wrong.map(|mistake| ledger.reader().stored(&mistake).unwrap());
            assert!(first.is_some(), "the second builds on it");
            assert!(second.is_none(), "nothing builds on it yet");
            outcomes.extend(submit(&ledger, after[2..].to_vec(), Origin::Client).await);
            outcomes
        };
        assert!(matches!(outcomes[0], Outcome::Void { rule: Rule::NotHolder, .. }), "{:?}", outcomes[0]);
        assert!(matches!(outcomes[1], Outcome::Void { rule: Rule::NotHolder, .. }), "{:?}", outcomes[1]);
        assert!(matches!(outcomes[2], Outcome::Admitted { .. }), "{:?}", outcomes[2]);
        told.check(&ledger);
        ledger.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn void_links_of_a_journal_may_come_last() {
    let told = mistakes();
    for forget in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = open(folder.path(), &told.story);
        let mut events = told.story.bytes();
        let after = events.split_off(told.honest);
        // The one that goes on waits for the mistakes, and for nothing else.
        submit(&ledger, events, peer()).await;
        let outcomes = submit(&ledger, vec![after[2].clone(), after[1].clone()], peer()).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Held { kept: true, .. })), "{outcomes:?}");
        let copy;
        if forget {
            ledger.close().await;
            copy = copy_of(folder.path());
            ledger = open(copy.path(), &told.story);
        }
        submit(&ledger, vec![after[0].clone()], peer()).await;
        told.check(&ledger);
        assert_eq!(ledger.health().held, 0);
        ledger.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_are_answered_each_in_its_order() {
    let (story, folder) = (Story::harvest(), tempfile::tempdir().unwrap());
    let ledger = open(folder.path(), &story);
    let (head, tail) = story.events.split_at(2);
    let bytes = |event: &provenance::event::SignedEvent| event.bytes().to_vec();
    submit(&ledger, head.iter().map(bytes).collect(), peer()).await;
    let senders: Vec<_> = tail
        .iter()
        .rev()
        .map(|event| {
            let (ledger, event) = (ledger.clone(), event.clone());
            tokio::spawn(async move {
                let outcomes = submit(&ledger, vec![b"garbage".to_vec(), event.bytes().to_vec()], peer()).await;
                assert!(matches!(outcomes[0], Outcome::Rejected(_)));
                assert!(!matches!(outcomes[1], Outcome::Rejected(_)), "{:?}", outcomes[1]);
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    assert_eq!(ledger.size(), story.events.len() as u64 + 1);
    ledger.close().await;
}

/// Damages the last entry of the log, which has this index and event.
type Harm = fn(&mut Batch, &Store, u64, EventId);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_is_found_when_the_ledger_opens() {
    let (story, folder) = (Story::harvest(), tempfile::tempdir().unwrap());
    let ledger = open(folder.path(), &story);
    submit(&ledger, story.bytes(), Origin::Client).await;
    ledger.close().await;
    let last = ledger.size() - 1;
    let id = ledger.reader().log_ids(last, 1).unwrap()[0];

    let harms: [(&str, Harm); 9] = [
        ("another event in the log", |batch, _, last, _| batch.put::<Log>(&last, &EventId::from_bytes([9; 32]))),
        ("an entry is missing", |batch, _, last, _| batch.delete::<Log>(&(last - 3))),
        ("a hash is changed", |batch, store, _, _| {
            let mut tile = store.get::<Tiles>(&(0, 0)).unwrap().unwrap();
            *tile.last_mut().unwrap() ^= 1;
            batch.put::<Tiles>(&(0, 0), &tile);
        }),
        ("a body is changed", |batch, store, last, _| {
            let mut row = store.get::<Entries>(&last).unwrap().unwrap();
            *row.bytes.last_mut().unwrap() ^= 1;
            batch.put::<Entries>(&last, &row);
        }),
        ("a body is missing", |batch, _, last, _| batch.delete::<Entries>(&last)),
        ("a judgement cannot be read", |batch, store, last, _| {
            let row = store.get::<Entries>(&last).unwrap().unwrap();
            batch.put::<Entries>(&last, &EventRow { judgement: vec![0x80], ..row });
        }),
        ("a row cannot be read", |batch, _, last, _| batch.put::<RawRows<Entries>>(&last, &vec![0xff])),
        ("an event stands elsewhere", |batch, _, last, id| batch.put::<Indexes>(&id, &Some(last - 1))),
        ("an event stands nowhere", |batch, _, _, id| batch.delete::<Indexes>(&id)),
    ];
    for (name, harm) in harms {
        let damaged = copy_of(folder.path());
        let rows = Store::open(damaged.path(), &StoreOptions::default()).unwrap();
        let mut batch = rows.batch();
        harm(&mut batch, &rows, last, id);
        batch.commit_synced().unwrap();
        drop(rows);
        let opened = Ledger::open(damaged.path(), story.network.clone(), LedgerOptions::default());
        let Err(OpenError::Check(CheckError::Damaged(what))) = opened else { panic!("{name}: {opened:?}") };
        assert!(what.contains("entr"), "{name}: {what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_of_another_network_is_refused() {
    let (story, folder) = (Story::harvest(), tempfile::tempdir().unwrap());
    open(folder.path(), &story).close().await;
    let copy = copy_of(folder.path());
    let key = PublicKey::from_bytes(SigningKey::from_bytes(&[99; 32]).verifying_key().to_bytes());
    let other = provenance::network::Network::new(story::text("other"), [0; 16], vec![key]).unwrap();
    let error = Ledger::open(copy.path(), other, LedgerOptions::default()).unwrap_err();
    assert!(matches!(error, OpenError::Check(CheckError::Network { .. })), "{error}");
}

struct Signs(SigningKey);

impl LogSigner for Signs {
    #[allow(clippy::unnecessary_literal_bound)] // The trait's signature.
    fn origin(&self) -> &str {
        "furrow.example/test/one"
    }

    fn key(&self) -> PublicKey {
        PublicKey::from_bytes(self.0.verifying_key().to_bytes())
    }

    fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.0.sign(text).to_bytes()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_entry_is_proved_at_every_size() {
    let (story, folder) = (Story::harvest(), tempfile::tempdir().unwrap());
    let signer = Arc::new(Signs(SigningKey::from_bytes(&[42; 32])));
    let options = LedgerOptions { log_signer: Some(signer.clone()), ..LedgerOptions::default() };
    let ledger = Ledger::open(folder.path(), story.network.clone(), options).unwrap();
    let mut roots = vec![ledger.head().unwrap()];
    for event in story.bytes() {
        submit(&ledger, vec![event], Origin::Client).await;
        roots.push(ledger.head().unwrap());
    }
    for (size, root) in &roots {
        assert_eq!(ledger.root_at(*size).unwrap(), *root);
        for index in 0..*size {
            let proof = ledger.inclusion(index, *size).unwrap();
            verify_inclusion(&leaf_hash(proof.entry.as_bytes()), index, *size, &proof.proof, root).unwrap();
        }
        let (newest, newest_root) = roots.last().unwrap();
        let proof = ledger.consistency(*size, *newest).unwrap();
        verify_consistency(*size, *newest, root, newest_root, &proof).unwrap();
    }
    assert!(ledger.inclusion(0, ledger.size() + 1).is_err());
    assert!(ledger.inclusion(ledger.size(), ledger.size()).is_err());

    let size = ledger.size();
    let tile = ledger.tile(0, 0, size).unwrap().unwrap();
    for (hash, id) in tile.as_chunks::<32>().0.iter().zip(ledger.reader().log_ids(0, 1_000).unwrap()) {
        assert_eq!(*hash, leaf_hash(id.as_bytes()));
    }
    assert_eq!(ledger.tile(0, 0, size + 1).unwrap(), None, "what is not durable is not served");
    assert_eq!(ledger.tile(1, 0, 1).unwrap(), None);

    ledger.cut().await.unwrap();
    let note = ledger.checkpoint().unwrap();
    let checkpoint = Checkpoint::open(&note, &signer.key()).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), *roots.last().unwrap());
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_is_quick_and_final() {
    let (story, folder) = (Story::harvest(), tempfile::tempdir().unwrap());
    let ledger = open(folder.path(), &story);
    submit(&ledger, story.bytes(), Origin::Client).await;
    let started = Instant::now();
    ledger.close().await;
    assert!(started.elapsed() < Duration::from_secs(2));
    let late = ledger.submit(story.bytes(), Origin::Client).await;
    assert!(matches!(late, Err(WriteError::Closed)));
    drop(ledger);
    open(folder.path(), &story).close().await;
}
