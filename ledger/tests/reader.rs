//! Reading events: the same from memory and from the disk, and nothing in place of another.

#![allow(clippy::unwrap_used)] // A test stops where something is not as it should be.

mod story;

use ledger::{LedgerOptions, Origin, Reader, SteppedLedger};
use provenance::body::Role;
use provenance::event::SignedEvent;
use provenance::id::EventId;
use std::path::Path;
use store::{Entries, EventRow, Indexes, LaneEvents, Range, Store, StoreOptions};
use story::Story;

/// A ledger of which no follower runs by itself: what followers read is in memory afterwards.
fn open(folder: &Path, story: &Story) -> SteppedLedger {
    let store = Store::open(folder, &StoreOptions::default()).unwrap();
    SteppedLedger::open(store, story.network.clone(), LedgerOptions::default()).unwrap()
}

/// A ledger with all events of a story, followed to its end.
fn filled(folder: &Path, story: &Story) -> SteppedLedger {
    let mut ledger = open(folder, story);
    ledger.write(vec![(story.bytes(), Origin::Client)]);
    for follower in 0..ledger.followers().len() {
        while ledger.followers()[follower].next < ledger.ledger().size() {
            assert!(ledger.follow(follower));
        }
    }
    ledger
}

fn ids(story: &Story) -> Vec<EventId> {
    story.events.iter().map(SignedEvent::id).collect()
}

#[test]
fn events_are_the_same_from_memory_and_from_the_disk() {
    let (story, folder) = (Story::harvest(), tempfile::tempdir().unwrap());
    let ids = ids(&story);
    let asked = [&ids[..], &[EventId::of(b"nobody's"), story.network.id().as_event()]].concat();
    let expected: Vec<_> = story.bytes().into_iter().map(Some).chain([None, None]).collect();
    let all_are_read = |reader: &Reader| {
        let seen = reader.glance(&asked, |event| event.bytes().to_vec()).unwrap();
        assert!(seen == expected && reader.bytes(&asked).unwrap() == expected);
    };
    let ledger = filled(folder.path(), &story);
    all_are_read(ledger.ledger().reader());
    drop(ledger);

    let ledger = open(folder.path(), &story);
    let reader = ledger.ledger().reader();
    all_are_read(reader);
    for id in &ids[..ids.len() / 2] {
        assert!(reader.stored(id).unwrap().is_some());
    }
    all_are_read(reader);
}

#[test]
fn what_is_only_glanced_at_is_not_kept() {
    let (story, folder) = (Story::harvest(), tempfile::tempdir().unwrap());
    drop(filled(folder.path(), &story));
    let ledger = open(folder.path(), &story);
    let reader = ledger.ledger().reader();
    let ids = ids(&story);
    let (kept, others) = ids.split_at(ids.len() / 2);
    for id in kept {
        assert!(reader.stored(id).unwrap().is_some());
    }
    let glance = |ids: &[EventId]| reader.glance(ids, SignedEvent::id);
    assert!(glance(others).unwrap().iter().all(Option::is_some));
    // What becomes of the others on the disk is noticed.
    let mut batch = reader.store().batch();
    for index in 1..ledger.ledger().size() {
        let row = reader.store().get::<Entries>(&index).unwrap().unwrap();
        batch.put::<Entries>(&index, &EventRow { bytes: story.events[0].bytes().to_vec(), ..row });
    }
    batch.commit().unwrap();
    assert_eq!(glance(kept).unwrap(), kept.iter().copied().map(Some).collect::<Vec<_>>());
    for id in others {
        for error in [glance(&[*id]).unwrap_err(), reader.bytes(&[*id]).unwrap_err()] {
            assert!(error.to_string().contains(&id.to_string()), "{error}");
        }
    }
}

#[test]
fn an_id_that_leads_to_another_event_or_to_none_is_damage() {
    let (story, folder) = (Story::harvest(), tempfile::tempdir().unwrap());
    drop(filled(folder.path(), &story));
    let ledger = open(folder.path(), &story);
    let reader = ledger.ledger().reader();
    let last = *ids(&story).last().unwrap();
    for (place, told) in [(1, "has the bytes of"), (1_000, "is missing")] {
        let mut batch = reader.store().batch();
        batch.put::<Indexes>(&last, &Some(place));
        batch.commit().unwrap();
        let glanced = reader.glance(&[last], SignedEvent::id).unwrap_err();
        for error in [glanced, reader.bytes(&[last]).unwrap_err(), reader.stored(&last).unwrap_err()] {
            assert!(error.to_string().contains(told), "{error}");
        }
    }
}

#[test]
fn long_lanes_are_read_in_their_order_and_lead_to_their_own_events() {
    let (mut story, folder) = (Story::new(), tempfile::tempdir().unwrap());
    let farmer = story.enrol(0, &[Role::Farmer], &[]);
    let farm = story.place(farmer, "Hillside");
    let lot = story.lot(farmer, farm, "100");
    // More than are read at once.
    let grades: Vec<EventId> = (0..150).map(|number| story.grade(farmer, lot, ["A", "B"][number % 2]).id()).collect();
    drop(filled(folder.path(), &story));
    let ledger = open(folder.path(), &story);
    let reader = ledger.ledger().reader();
    let history = reader.history(&lot).unwrap();
    assert!(history.iter().skip(1).map(|(_, stored)| stored.judged.event.id()).eq(grades.iter().copied()));
    assert!(history.iter().skip(1).map(|(_, stored)| stored.index.unwrap()).is_sorted());
    drop(ledger);

    for (index, told) in [(1, "has the bytes of"), (10_000, "is missing")] {
        let ledger = open(folder.path(), &story);
        let reader = ledger.ledger().reader();
        let (key, _) = reader.store().scan::<LaneEvents>(Range::prefix(&lot)).last().unwrap().unwrap();
        let mut batch = reader.store().batch();
        batch.put::<LaneEvents>(&key, &index);
        batch.commit().unwrap();
        let error = reader.history(&lot).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}
