//! Restored stores: verified from their bytes, marked, and completed only by their own old entries.

#![allow(clippy::unwrap_used)] // A test stops where something is not as it should be.

mod story;

use ed25519_dalek::{Signer, SigningKey};
use ledger::view::ViewFollower;
use ledger::{
    CheckError, KeptLog, Ledger, LedgerOptions, LogSigner, Origin, Outcome, Restored, WriteError, trust_journals,
    unconfirmed_journals, verify_store,
};
use provenance::event::SignedEvent;
use provenance::id::{EventId, PublicKey};
use std::path::Path;
use std::sync::Arc;
use store::{
    Batch, Entries, EventRow, Indexes, JournalHead, Journals, LaneEvents, LaneHeads, Log, Range, RawRows, Store,
    StoreOptions, Subjects, Table, Tiles, Voids,
};
use story::Story;

struct Signs {
    origin: String,
    key: SigningKey,
}

impl LogSigner for Signs {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn key(&self) -> PublicKey {
        PublicKey::from_bytes(self.key.verifying_key().to_bytes())
    }

    fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.key.sign(text).to_bytes()
    }
}

fn log_key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[100 + number; 32])
}

fn public(number: u8) -> PublicKey {
    PublicKey::from_bytes(log_key(number).verifying_key().to_bytes())
}

fn open(story: &Story, number: u8, folder: &Path) -> Ledger {
    let key = log_key(number);
    let options = LedgerOptions {
        log_signer: Some(Arc::new(Signs { origin: format!("furrow/{}/{}", story.network.id(), public(number)), key })),
        followers: vec![Arc::new(ViewFollower::new(story.network.clone()))],
        witnessed_entries: 512,
        ..LedgerOptions::default()
    };
    Ledger::open(folder, story.network.clone(), options).unwrap()
}

async fn take(ledger: &Ledger, events: &[SignedEvent], origin: Origin) -> Vec<Outcome> {
    ledger.submit(events.iter().map(|event| event.bytes().to_vec()).collect(), origin).await.unwrap()
}

/// Two nodes, and everything that happens in a village.
fn village() -> Story {
    let mut story = Story::new();
    story.enrol_node(&log_key(0));
    story.enrol_node(&log_key(1));
    story.grow(&[7, 31, 2, 90, 14, 200, 33, 5, 61, 178, 9, 44, 120, 3, 255, 80, 17, 6, 99, 41]);
    story
}

#[tokio::test]
async fn a_whole_store_is_verified_and_every_change_is_seen() {
    let story = village();
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&story, 0, folder.path());
    take(&ledger, &story.events, Origin::Client).await;
    let (size, root) = ledger.head().unwrap();
    let cut = ledger.cut().await.unwrap();
    ledger.close().await;
    drop(ledger);

    let store = Store::open(folder.path(), &StoreOptions::default()).unwrap();
    let mut told = 0;
    let whole = verify_store(&store, &story.network, |done| told = done).unwrap();
    assert_eq!((whole.size, whole.root, told), (size, root, size));
    assert!(whole.note.unwrap().contains(&format!("\n{}\n", cut.size)));
    let other = Story::new();
    if other.network.id() != story.network.id() {
        assert!(matches!(verify_store(&store, &other.network, |_| ()), Err(CheckError::Network { .. })));
    }

    let ids: Vec<EventId> = store.scan::<Log>(Range::all()).map(|row| row.unwrap().1).collect();
    let (middle, id) = (ids.len() as u64 / 2, ids[ids.len() / 2]);
    let changed = |bytes: Vec<u8>, at: usize| {
        let mut bytes = bytes;
        bytes[at] ^= 1;
        bytes
    };
    let row = store.get::<Entries>(&middle).unwrap().unwrap();
    broken(&store, &story, "a body is missing", |batch| batch.delete::<Entries>(&middle));
    for at in [0, row.bytes.len() / 2, row.bytes.len() - 1] {
        let other = EventRow { bytes: changed(row.bytes.clone(), at), ..row.clone() };
        broken(&store, &story, "a body is another", |batch| batch.put::<Entries>(&middle, &other));
    }
    let bytes = store.get::<RawRows<Entries>>(&middle).unwrap().unwrap();
    let rest = &bytes[1..];
    let others = [[&[0x98, 2], rest].concat(), [&[0x83], rest, &[0xf6]].concat(), [&[0x9f], rest, &[0xff]].concat()];
    for other in others {
        broken(&store, &story, "the same in other bytes", |batch| batch.put::<RawRows<Entries>>(&middle, &other));
    }
    let next = store.get::<Entries>(&(middle + 1)).unwrap().unwrap();
    broken(&store, &story, "bodies are swapped", |batch| {
        batch.put::<Entries>(&middle, &next);
        batch.put::<Entries>(&(middle + 1), &row);
    });
    broken(&store, &story, "a body is too many", |batch| batch.put::<Entries>(&size, &row));
    broken(&store, &story, "an entry is void, too", |batch| batch.put::<Voids>(&id, &row));
    for elsewhere in [Some(3), Some(size), None] {
        broken(&store, &story, "an event stands elsewhere", |batch| batch.put::<Indexes>(&id, &elsewhere));
    }
    broken(&store, &story, "an event stands nowhere", |batch| batch.delete::<Indexes>(&id));
    let unknown = EventId::from_bytes([9; 32]);
    for place in [Some(3), None] {
        broken(&store, &story, "an event is too many", |batch| batch.put::<Indexes>(&unknown, &place));
    }
    broken(&store, &story, "an entry is missing", |batch| batch.delete::<Log>(&3));
    broken(&store, &story, "an entry is another", |batch| batch.put::<Log>(&3, &ids[4]));
    broken(&store, &story, "an entry is too many", |batch| batch.put::<Log>(&size, &ids[4]));
    let tile = store.get::<Tiles>(&(0, 0)).unwrap().unwrap();
    broken(&store, &story, "a tile is another", |batch| batch.put::<Tiles>(&(0, 0), &changed(tile.clone(), 40)));
    for (key, tips) in rows::<LaneHeads>(&store) {
        broken(&store, &story, "a tip is missing", |batch| batch.delete::<LaneHeads>(&key));
        let more = [tips, vec![EventId::from_bytes([9; 32])]].concat();
        broken(&store, &story, "a tip is too many", |batch| batch.put::<LaneHeads>(&key, &more));
    }
    for (key, index) in rows::<LaneEvents>(&store) {
        broken(&store, &story, "a line is missing", |batch| batch.delete::<LaneEvents>(&key));
        broken(&store, &story, "a line leads elsewhere", |batch| batch.put::<LaneEvents>(&key, &(index + 1)));
        let (long, other) = ([&[0x1b][..], &index.to_be_bytes()].concat(), (key.0, key.1, key.2 + 1, key.3));
        broken(&store, &story, "a line in other bytes", |batch| batch.put::<RawRows<LaneEvents>>(&key, &long));
        broken(&store, &story, "a line too many", |batch| batch.put::<LaneEvents>(&other, &index));
    }
    for (key, origin) in rows::<Subjects>(&store) {
        broken(&store, &story, "a subject is missing", |batch| batch.delete::<Subjects>(&key));
        let moved = (origin.0, origin.1 + 1);
        broken(&store, &story, "a subject has another origin", |batch| batch.put::<Subjects>(&key, &moved));
    }
    for (key, _) in rows::<Journals>(&store) {
        broken(&store, &story, "a journal is missing", |batch| batch.delete::<Journals>(&key));
        let other = vec![JournalHead { event: ids[1], height: 1 }, JournalHead { event: ids[2], height: 1 }];
        broken(&store, &story, "a journal ends elsewhere", |batch| batch.put::<Journals>(&key, &other));
    }
    verify_store(&store, &story.network, |_| ()).unwrap();
}

fn rows<T: Table>(store: &Store) -> Vec<(T::Key, T::Value)> {
    store.scan::<T>(Range::all()).map(|row| row.unwrap()).take(12).collect()
}

/// Demands that a change is seen, and takes it back: the store is copied first.
fn broken(store: &Store, story: &Story, what: &str, change: impl FnOnce(&mut Batch)) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    store.backup(&copy).unwrap();
    let opened = Store::open(&copy, &StoreOptions::default()).unwrap();
    let mut batch = opened.batch();
    change(&mut batch);
    batch.commit().unwrap();
    assert!(verify_store(&opened, &story.network, |_| ()).is_err(), "{what}");
    drop(opened);
    // The same by somebody who may not write there.
    let notes = tempfile::tempdir().unwrap();
    let read = Store::open_to_read(&copy, notes.path(), &StoreOptions::default()).unwrap();
    assert!(verify_store(&read, &story.network, |_| ()).is_err(), "{what}");
}

#[tokio::test]
async fn a_marked_ledger_takes_only_its_own_entries() {
    let story = village();
    let (old, events) = (tempfile::tempdir().unwrap(), &story.events);
    let before = events.len() / 2;
    let ledger = open(&story, 0, old.path());
    take(&ledger, &events[..before], Origin::Client).await;
    let copy = old.path().join("copy");
    ledger.cut().await.unwrap();
    ledger.reader().store().backup(&copy).unwrap();
    take(&ledger, &events[before..], Origin::Client).await;
    ledger.cut().await.unwrap();
    let (ids, published) = (ledger.reader().log_ids(0, 10_000).unwrap(), ledger.checkpoint().unwrap());
    ledger.close().await;
    drop(ledger);

    let store = Store::open(&copy, &StoreOptions::default()).unwrap();
    let mark = Restored { log: public(0), size: before as u64 + 1, note: None, backup_ms: 5 };
    mark.mark(&store).unwrap();
    assert_eq!(Restored::of(&store).unwrap(), Some(mark.clone()));
    drop(store);
    let ledger = open(&story, 0, &copy);
    assert_eq!(ledger.restored(), Some(&mark));
    let shown = ledger.checkpoint().unwrap();
    for origin in [Origin::Client, Origin::Own, Origin::Peer("p".to_owned())] {
        let refused = ledger.submit(vec![events[before].bytes().to_vec()], origin).await;
        assert_eq!(refused.unwrap_err(), WriteError::Recovering);
    }
    // After the first that is out of place nothing more is appended.
    let size = ledger.size();
    let orphan = events[before..].iter().find(|event| {
        let known = |id: &EventId| ids[..=before].contains(id);
        !event.payload().ancestors().all(|id| known(&id))
    });
    if let Some(orphan) = orphan {
        let outcomes = take(&ledger, &[orphan.clone(), events[before].clone()], Origin::Log).await;
        assert!(outcomes.iter().all(|outcome| outcome.index().is_none()), "{outcomes:?}");
        assert_eq!(ledger.size(), size);
    }
    take(&ledger, &events[before..], Origin::Log).await;
    ledger.cut().await.unwrap();
    assert_eq!(ledger.reader().log_ids(0, 10_000).unwrap(), ids);
    assert_eq!(ledger.checkpoint().unwrap(), shown, "nothing is signed");
    let keys = [public(4), public(5)];
    ledger.settle_log(&keys, true).unwrap();
    ledger.close().await;
    drop(ledger);

    let ledger = open(&story, 0, &copy);
    assert_eq!(ledger.restored(), None);
    assert!(ledger.has_new_log_key().unwrap());
    assert_eq!(ledger.former_log_key().unwrap(), Some(public(0)));
    ledger.log_key_is_known().unwrap();
    assert!(!ledger.has_new_log_key().unwrap());
    assert_eq!(ledger.former_log_key().unwrap(), None);
    let text = |note: &str| note.split("\n\n").next().unwrap().to_owned();
    assert_eq!(text(&ledger.checkpoint().unwrap()), text(&published), "what it signs is what it had signed");
    assert_eq!(ledger.unconfirmed_journals(), keys.into());
    ledger.confirm_journals(&keys[..1]).unwrap();
    ledger.close().await;
    drop(ledger);
    let store = Store::open(&copy, &StoreOptions::default()).unwrap();
    assert_eq!(unconfirmed_journals(&store).unwrap(), [keys[1]].into());
    assert_eq!(trust_journals(&store, &keys).unwrap(), 1);
    assert!(unconfirmed_journals(&store).unwrap().is_empty());
}

#[tokio::test]
async fn the_order_of_another_log_is_kept_within_bounds() {
    let mut story = village();
    while story.events.len() < 1_100 {
        story.grow(&[7, 31, 2, 90, 14, 200, 33, 5, 61, 178, 9, 44, 120, 3, 255, 80]);
    }
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [theirs, ours] = [0, 1].map(|number| open(&story, number, folders[usize::from(number)].path()));
    for ledger in [&theirs, &ours] {
        for some in story.events.chunks(500) {
            take(ledger, some, Origin::Client).await;
        }
        assert!(ledger.followed(ledger.size() - 1).await);
    }
    theirs.cut().await.unwrap();
    let (log, witness) = (public(0), ours.witness());
    let ids = theirs.reader().log_ids(0, 10_000).unwrap();
    let note = theirs.checkpoint().unwrap();
    assert_eq!(witness.kept(&log, 0, 10).unwrap(), KeptLog::default());
    // Pieces that overlap, repeat and leave gaps; what does not go on is left out.
    witness.keep(&log, 0, &ids[..10]).unwrap();
    witness.keep(&log, 20, &ids[20..30]).unwrap();
    witness.keep(&log, 5, &ids[5..300]).unwrap();
    witness.keep(&log, 0, &ids[..300]).unwrap();
    assert_eq!(witness.kept(&log, 0, 10_000).unwrap().ids, ids[..300]);
    assert_eq!(witness.kept(&log, 250, 20).unwrap().ids, ids[250..270]);
    witness.keep(&log, 300, &ids[300..]).unwrap();
    witness.keep_note(&log, &note).unwrap();
    let kept = witness.kept(&log, ids.len() as u64 - 500, 10_000).unwrap();
    assert_eq!(kept.ids, ids[ids.len() - 500..]);
    assert_eq!((kept.next, kept.note.as_deref()), (ids.len() as u64, Some(&*note)));
    assert!(witness.kept(&log, 0, 10).unwrap().ids.is_empty(), "the oldest pages are gone");
    // Nobody's log is not kept, nor what it has not signed.
    witness.keep(&public(7), 0, &ids[..10]).unwrap();
    assert_eq!(witness.kept(&public(7), 0, 10).unwrap(), KeptLog::default());
    assert!(witness.keep_note(&public(1), &note).is_err());
    witness.observe(&log, 0, &ids[..10]).unwrap();
    witness.read_again(&log).unwrap();
    let forgotten = witness.kept(&log, 0, 10).unwrap();
    assert_eq!((forgotten.next, forgotten.note.is_some(), forgotten.ids.len()), (0, true, 0));
    witness.observe(&log, 0, &ids[..10]).unwrap();
    assert_eq!(witness.kept(&log, 0, 10).unwrap().ids, ids[..10]);
    for ledger in [theirs, ours] {
        ledger.close().await;
    }
}
