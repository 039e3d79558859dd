//! What is stored rests on what is stored: void ancestors, held events after an upgrade, and
//! followers whose rows or events are damaged.

#![allow(clippy::unwrap_used)] // A test stops where something is not as it should be.

mod story;

use ledger::view::ViewFollower;
use ledger::{Follower, Ledger, LedgerOptions, LogEntry, Origin, Outcome, Reader, verify_store};
use provenance::body::Role;
use provenance::event::SignedEvent;
use provenance::id::EventId;
use provenance::network::Network;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{
    Batch, Cbor, Column, Entries, EventRow, Held, HeldRow, Indexes, Range, Store, StoreError, StoreOptions, Table,
    Voids,
};
use story::Story;

fn open(path: &Path, story: &Story) -> Ledger {
    Ledger::open(path, story.network.clone(), LedgerOptions::default()).unwrap()
}

fn peer() -> Origin {
    Origin::Peer("neighbour".into())
}

/// A farmer's lot and a buyer, who has no right to grade it.
fn farm() -> (Story, usize, usize, provenance::id::SubjectId) {
    let mut story = Story::new();
    let farmer = story.enrol(0, &[Role::Farmer], &[]);
    let place = story.place(farmer, "Hillside");
    let lot = story.lot(farmer, place, "100");
    let buyer = story.enrol(0, &[Role::Trader], &[]);
    (story, farmer, buyer, lot)
}

fn log(ledger: &Ledger) -> BTreeSet<EventId> {
    ledger.reader().log_ids(0, 10_000).unwrap().into_iter().collect()
}

/// What is kept of void events, here the links of a journal, is verified like entries of the log.
fn no_void_event_changes_unseen(store: &Store, network: &Network) {
    verify_store(store, network, |_| ()).unwrap();
    let voids: Vec<(EventId, EventRow)> = store.scan::<Voids>(Range::all()).map(Result::unwrap).collect();
    assert!(!voids.is_empty());
    for (id, row) in voids {
        let other = EventRow { judgement: vec![0x80], ..row.clone() };
        let changes: [&dyn Fn(&mut Batch); 5] = [
            &|batch| batch.delete::<Voids>(&id),
            &|batch| batch.put::<Voids>(&id, &other),
            &|batch| batch.put::<Voids>(&EventId::from_bytes([9; 32]), &row),
            &|batch| batch.delete::<Indexes>(&id),
            &|batch| batch.put::<Indexes>(&id, &Some(1)),
        ];
        for change in changes {
            let mut batch = store.batch();
            change(&mut batch);
            batch.commit().unwrap();
            assert!(verify_store(store, network, |_| ()).is_err());
            let mut batch = store.batch();
            batch.delete::<Voids>(&EventId::from_bytes([9; 32]));
            batch.put::<Voids>(&id, &row);
            batch.put::<Indexes>(&id, &None);
            batch.commit().unwrap();
        }
    }
}

/// All stored events, given to another ledger in both orders, are admitted there too.
async fn both_admit_the_same(story: &Story, good: &SignedEvent) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path(), story);
    for event in story.bytes() {
        ledger.submit(vec![event], peer()).await.unwrap();
    }
    assert!(ledger.reader().stored(&good.id()).unwrap().unwrap().index.is_some(), "the good one is admitted");
    ledger.close().await;
    let expected = log(&ledger);
    drop(ledger);

    let again = open(folder.path(), story);
    assert_eq!(log(&again), expected);
    let store = again.reader().store();
    let entries = store.scan::<Entries>(Range::all()).map(|row| row.unwrap().1);
    let voids = store.scan::<Voids>(Range::all()).map(|row| row.unwrap().1);
    let mut stored: Vec<Vec<u8>> = entries.chain(voids).map(|row| row.bytes).collect();
    stored.sort_by_key(|bytes| EventId::of(bytes));
    again.close().await;
    no_void_event_changes_unseen(store, &story.network);
    for backwards in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let other = open(folder.path(), story);
        let mut events = stored.clone();
        if backwards {
            events.reverse();
        }
        // What is held of a signer who is still unknown is not kept, and so sent again.
        for _ in 0..8 {
            other.submit(events.clone(), peer()).await.unwrap();
        }
        assert_eq!(log(&other), expected);
        assert_eq!(other.health().held, 0);
        other.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_line_of_mistakes_is_kept_where_a_good_event_follows() {
    let (mut story, _, buyer, lot) = farm();
    for _ in 0..300 {
        story.beside(|story| story.grade(buyer, lot, "C"));
    }
    story.place(buyer, "Store");
    let good = story.events.last().unwrap().clone();
    both_admit_the_same(&story, &good).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mistake_of_another_key_is_kept_where_a_link_names_it() {
    let (mut story, farmer, buyer, lot) = farm();
    let mistake = story.beside(|story| story.grade(buyer, lot, "C"));
    let touch = story.on(lot);
    story.beside(|story| story.tell(farmer, vec![touch], &[mistake.id()], Story::graded("A")));
    story.place(farmer, "Store");
    let good = story.events.last().unwrap().clone();
    both_admit_the_same(&story, &good).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waited_for_an_upgrade_is_judged_when_the_ledger_opens() {
    let (story, ..) = farm();
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path(), &story);
    let mut events = story.bytes();
    let last = events.pop().unwrap();
    ledger.submit(events, peer()).await.unwrap();
    ledger.close().await;
    drop(ledger);

    let rows = Store::open(folder.path(), &StoreOptions::default()).unwrap();
    let event = story.events.last().unwrap();
    let row = HeldRow { bytes: last, missing: Vec::new(), source: "neighbour".into(), signer: event.key() };
    let mut batch = rows.batch();
    batch.put::<Held>(&event.id(), &row);
    batch.commit_synced().unwrap();
    drop(rows);

    let ledger = open(folder.path(), &story);
    assert_eq!((ledger.size(), ledger.health().held), (story.events.len() as u64 + 1, 0));
    let outcomes = ledger.submit(story.bytes(), peer()).await.unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Known { index: Some(_), .. })), "{outcomes:?}");
    ledger.close().await;
}

/// Counts entries in one row, which it reads again each time; a row of an older form stops it.
struct Counts(u32);

struct Count;

impl Table for Count {
    const COLUMN: Column = Column::Places;
    type Key = EventId;
    type Value = (u64,);
    type Encoding = Cbor;
}

struct OldCount;

impl Table for OldCount {
    const COLUMN: Column = Column::Places;
    type Key = EventId;
    type Value = String;
    type Encoding = Cbor;
}

const ROW: EventId = EventId::from_bytes([0; 32]);

impl Follower for Counts {
    fn name(&self) -> &'static str {
        "counts"
    }

    fn version(&self) -> u32 {
        self.0
    }

    fn columns(&self) -> &'static [Column] {
        &[Column::Places]
    }

    fn follow(&self, reader: &Reader, entries: &[LogEntry], batch: &mut Batch) -> Result<(), StoreError> {
        let (count,) = reader.store().get::<Count>(&ROW)?.unwrap_or_default();
        batch.put::<Count>(&ROW, &(count + entries.len() as u64,));
        Ok(())
    }
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_in_an_unreadable_form_are_healed() {
    let (story, ..) = farm();
    let folder = tempfile::tempdir().unwrap();
    let expected = story.events.len() as u64;
    for (version, rebuild) in [(1, true), (2, false)] {
        let options = LedgerOptions { followers: vec![Arc::new(Counts(version))], ..LedgerOptions::default() };
        let ledger = Ledger::open(folder.path(), story.network.clone(), options).unwrap();
        ledger.submit(story.bytes(), peer()).await.unwrap();
        let counted = || matches!(ledger.reader().store().get::<Count>(&ROW), Ok(Some((count,))) if count == expected);
        until("it never counted", counted).await;
        let mut batch = ledger.reader().store().batch();
        batch.put::<OldCount>(&ROW, &"four".to_owned());
        batch.commit().unwrap();
        if rebuild {
            assert!(ledger.rebuild("counts"));
            until("the rebuild never ended", counted).await;
            let mut batch = ledger.reader().store().batch();
            batch.put::<OldCount>(&ROW, &"four".to_owned());
            batch.commit().unwrap();
        }
        ledger.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_without_its_event_is_not_passed_over() {
    let (mut story, farmer, ..) = farm();
    for number in 0..300 {
        story.place(farmer, &format!("Field {number}"));
    }
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path(), &story);
    ledger.submit(story.bytes(), peer()).await.unwrap();
    assert!(ledger.followed(ledger.size() - 1).await);
    ledger.close().await;
    drop(ledger);

    // Early enough that the check at the start does not look at it.
    let rows = Store::open(folder.path(), &StoreOptions::default()).unwrap();
    let lost = story.events[9].id();
    let mut batch = rows.batch();
    batch.delete::<store::Log>(&10);
    batch.put::<store::Log>(&10, &EventId::from_bytes([9; 32]));
    batch.commit_synced().unwrap();
    drop(rows);
    let followers: Vec<Arc<dyn Follower>> = vec![Arc::new(ViewFollower::new(story.network.clone()))];
    let options = LedgerOptions { followers, ..LedgerOptions::default() };
    let ledger = Ledger::open(folder.path(), story.network.clone(), options).unwrap();
    let views = || ledger.health().followers.into_iter().find(|it| it.name == ViewFollower::NAME).unwrap();
    until("nothing was said", || views().problem.is_some()).await;
    let status = views();
    assert!(status.problem.unwrap().contains("entry 10"), "instead of {lost}");
    assert_eq!(status.next, 0);
    ledger.close().await;
}
