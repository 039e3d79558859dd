//! The store on a real disk: ranges, batches, reopening, and what it says when it cannot be opened.

#![allow(clippy::unwrap_used)] // A test stops where something is not as it should be.

use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use std::path::Path;
use store::{
    Column, CursorRow, Cursors, Indexes, LaneEvents, LaneHeads, Log, Meta, OpenError, Openings, Range, Store,
    StoreOptions, Tiles,
};

fn open(path: &Path) -> Store {
    Store::open(path, &StoreOptions::default()).unwrap()
}

fn event(n: u8) -> EventId {
    EventId::from_bytes([n; 32])
}

fn subject(n: u8) -> SubjectId {
    SubjectId::from_bytes([n; 32])
}

#[test]
fn rows_survive_reopening_without_a_flush() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut batch = store.batch();
    batch.put::<Indexes>(&event(1), &Some(7));
    batch.put::<Log>(&0, &event(1));
    assert_eq!(batch.len(), 2);
    batch.commit_synced().unwrap();
    drop(store);

    let store = open(folder.path());
    assert_eq!(store.get::<Indexes>(&event(1)).unwrap(), Some(Some(7)));
    assert_eq!(store.multi_get::<Log>(&[1, 0]).unwrap(), vec![None, Some(event(1))]);
    assert_eq!(store.last::<Log>().unwrap(), Some((0, event(1))));
    assert!(store.contains::<Indexes>(&event(1)).unwrap() && !store.contains::<Indexes>(&event(2)).unwrap());
}

#[test]
fn a_batch_that_is_not_committed_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut batch = store.batch();
    batch.put::<Log>(&0, &event(1));
    drop(batch);
    assert_eq!(store.get::<Log>(&0).unwrap(), None);
}

#[test]
fn ranges_keep_to_their_bounds_in_both_directions() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    // Some rows are in files, each of which has one lot, others in memory, and some in both.
    for (lot, heights) in [(0, 0..3), (1, 0..1), (0xff, 0..3), (1, 1..3)] {
        store.flush().unwrap();
        let mut batch = store.batch();
        for height in heights {
            batch.put::<LaneEvents>(&(subject(lot), Lane::Main, height, event(9)), &height);
            batch.put::<LaneEvents>(&(subject(lot), Lane::Attester(subject(0xff)), height, event(9)), &height);
        }
        batch.commit().unwrap();
    }
    let heights = |range| store.scan::<LaneEvents>(range).map(|row| row.unwrap().0.2).collect::<Vec<_>>();

    for lot in [0, 1, 0xff] {
        let main = (subject(lot), Lane::Main);
        assert_eq!(heights(Range::prefix(&main)), [0, 1, 2]);
        assert_eq!(heights(Range::prefix(&main).backwards()), [2, 1, 0]);
        assert_eq!(heights(Range::prefix(&subject(lot))), [0, 1, 2, 0, 1, 2]);
        assert_eq!(heights(Range::prefix(&subject(lot)).backwards()), [2, 1, 0, 2, 1, 0]);
        let middle = (subject(lot), Lane::Main, 1, event(9));
        assert_eq!(heights(Range::prefix(&main).from(&middle)), [1, 2]);
        assert_eq!(heights(Range::prefix(&main).after(&middle)), [2]);
        assert_eq!(heights(Range::prefix(&main).before(&middle).backwards()), [0]);
        assert_eq!(heights(Range::prefix(&main).before(&(subject(0), Lane::Main, 0, event(0)))), [0_u64; 0]);
    }
    assert_eq!(heights(Range::all()).len(), 18);
    let (first, end) = ((subject(0), Lane::Main, 2, event(9)), (subject(0xff), Lane::Main, 1, event(9)));
    let across = Range::all().from(&first).before(&end);
    assert_eq!(heights(across.clone()), [2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
    assert_eq!(heights(across.backwards()), [0, 2, 1, 0, 2, 1, 0, 2, 1, 0, 2]);
    assert_eq!(heights(Range::prefix(&subject(7))).len(), 0);
}

#[test]
fn clearing_a_column_leaves_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut batch = store.batch();
    batch.put::<LaneHeads>(&(subject(0xff), Lane::Attester(subject(0xff))), &vec![event(1)]);
    batch.put::<Tiles>(&(0, 0), &vec![0; 32]);
    batch.commit().unwrap();
    let mut batch = store.batch();
    batch.clear(Column::LaneHeads);
    batch.put::<LaneHeads>(&(subject(1), Lane::Main), &vec![event(2)]);
    batch.commit().unwrap();
    assert_eq!(store.last::<LaneHeads>().unwrap(), Some(((subject(1), Lane::Main), vec![event(2)])));
    assert!(store.contains::<Tiles>(&(0, 0)).unwrap());

    let of_lot = || store.scan::<LaneEvents>(Range::prefix(&subject(1))).count();
    let mut batch = store.batch();
    batch.put::<LaneEvents>(&(subject(1), Lane::Main, 0, event(1)), &1);
    batch.commit().unwrap();
    store.flush().unwrap();
    assert_eq!(of_lot(), 1);
    let mut batch = store.batch();
    batch.clear(Column::LaneEvents);
    batch.commit().unwrap();
    assert_eq!(of_lot(), 0);
    store.flush().unwrap();
    assert_eq!(of_lot(), 0);
}

#[test]
fn a_second_process_hears_that_the_store_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let _store = open(folder.path());
    let error = Store::open(folder.path(), &StoreOptions::default()).unwrap_err();
    assert!(matches!(error, OpenError::Locked(_)), "{error}");
}

#[test]
fn a_store_of_a_newer_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut batch = store.batch();
    batch.put::<Meta>(&"schema".to_owned(), &vec![0, 0, 0, 2]);
    batch.commit_synced().unwrap();
    drop(store);
    let error = Store::open(folder.path(), &StoreOptions::default()).unwrap_err();
    assert!(matches!(error, OpenError::Newer { .. }), "{error}");
}

#[test]
fn a_missing_store_is_made_only_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let error = Store::open(&path, &StoreOptions { create: false, ..StoreOptions::default() }).unwrap_err();
    assert!(matches!(error, OpenError::Missing(_)), "{error}");
    assert!(!path.exists());
}

#[test]
fn a_flipped_byte_in_a_file_is_found_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let copy = folder.path().join("copy");
    let store = open(&path);
    let mut batch = store.batch();
    for n in 0..200 {
        batch.put::<Tiles>(&(n, 0), &vec![n; 2000]);
    }
    batch.commit_synced().unwrap();
    // A backup flushes what is in memory, so that the rows stand in a file.
    store.backup(&copy).unwrap();
    drop(store);
    for file in std::fs::read_dir(&copy).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "sst") {
            // Hard links: a copy must not change what the original store reads.
            let mut bytes = std::fs::read(&file).unwrap();
            bytes[100] ^= 1;
            std::fs::remove_file(&file).unwrap();
            std::fs::write(&file, bytes).unwrap();
        }
    }
    let found = Store::open(&copy, &StoreOptions::default())
        .map_err(|error| error.to_string())
        .and_then(|store| (0..200).try_for_each(|n| store.get::<Tiles>(&(n, 0)).map(drop)).map_err(|e| e.to_string()));
    assert!(found.unwrap_err().contains("damaged"));
    let whole = open(&path);
    assert!((0..200).all(|n| whole.get::<Tiles>(&(n, 0)).unwrap().is_some()));
}

#[test]
fn sizes_are_known_for_every_column() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut batch = store.batch();
    batch.put::<Cursors>(&"views".to_owned(), &CursorRow { version: 1, next: 2 });
    batch.commit().unwrap();
    let statistics = store.statistics().unwrap();
    assert_eq!(statistics.columns.len(), Column::ALL.len());
    assert_eq!(statistics.columns.iter().find(|c| c.column == Column::Cursors).unwrap().rows_estimate, 1);
    assert!(statistics.free_bytes > 0);
}

/// Whether any file of the store holds these bytes.
fn on_disk(folder: &Path, wanted: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        bytes.windows(wanted.len()).any(|window| window == wanted)
    })
}

#[test]
fn what_is_erased_is_in_no_file() {
    const SECRET: &[u8] = b"an opening that nobody may read";
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let write = |path: &[u8], value: &[u8]| {
        let mut batch = store.batch();
        batch.put::<Openings>(&(event(1), path.to_vec()), &value.to_vec());
        batch.put::<Indexes>(&event(1), &None);
        batch.commit_synced().unwrap();
    };
    // Once from a table file, where an earlier erasure has left it, and once from the log of writes.
    for _ in 0..2 {
        write(&[10], SECRET);
        write(&[11], b"another");
        assert!(on_disk(folder.path(), SECRET));
        store.erase::<Openings>(&[(event(2), vec![1])]).unwrap();
        assert!(on_disk(folder.path(), SECRET), "erasing one row leaves the others");
        write(&[10], SECRET);
        store.erase::<Openings>(&[(event(1), vec![10])]).unwrap();
        assert!(!on_disk(folder.path(), SECRET));
        assert_eq!(store.get::<Openings>(&(event(1), vec![10])).unwrap(), None);
        assert_eq!(store.get::<Openings>(&(event(1), vec![11])).unwrap(), Some(b"another".to_vec()));
    }
}
