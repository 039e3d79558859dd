//! Following logs by pages: order, sharing the work, restarts, and logs that change.

use super::world::{Kind, Manner, Memory, NETWORK, World, chain, event, log_key, peer_id};
use crate::Cursor;
use crate::limits::BATCH_EVENTS;
use p2p::{Greeting, Misbehaviour, PeerId};
use provenance::id::EventId;

#[test]
fn a_log_of_several_pages_is_fetched_in_its_order() {
    let events = chain(20_000, 7, 1);
    let source = Memory::with(&events);
    let mut world = World::new(Memory::new()).peer(1, &source, Manner::Honest);
    world.write_ms = 200;
    assert!(world.run(60_000, World::is_even));
    assert_eq!(world.own.0.borrow().log, source.0.borrow().log, "one source, so one order");
    assert_eq!(world.own.0.borrow().held_ever, 0, "ancestors came first");
    assert_eq!(world.largest_batch, BATCH_EVENTS);
    assert!(!world.doubled && world.penalties.is_empty());
    let progress = world.replica.progress().remove(0);
    assert_eq!((progress.have, progress.of, progress.eta_s), (20_001, 20_001, Some(0)));
}

#[test]
fn two_sources_share_the_work_and_bring_nothing_twice() {
    let source = Memory::with(&chain(20_000, 7, 1));
    let mut world = World::new(Memory::new()).peer(1, &source, Manner::Honest).peer(2, &source, Manner::Honest);
    assert!(world.run(60_000, World::has_all));
    let (first, second) = (world.peers[0].bodies_asked(), world.peers[1].bodies_asked());
    assert_eq!(first + second, 20_000);
    assert!(first > 5_000 && second > 5_000, "{first} and {second}");
    assert_eq!(world.own.0.borrow().held_ever, 0, "ancestors came first");
    assert!(!world.doubled);
}

#[test]
fn far_logs_are_read_one_at_a_time() {
    let source = Memory::with(&chain(60_000, 7, 1));
    let mut world = World::new(Memory::new()).peer(1, &source, Manner::Honest).peer(2, &source, Manner::Honest);
    assert!(world.run(60_000, World::has_all));
    let pages: Vec<usize> = world.peers.iter().map(super::world::Peer::pages_asked).collect();
    assert!(pages.iter().min() < Some(&3), "the ids of one log were enough: {pages:?}");
    assert!(world.peers.iter().all(|peer| peer.bodies_asked() > 15_000), "but both brought events");
    assert!(world.run(60_000, World::is_even));
}

#[test]
fn different_logs_are_joined() {
    let common = chain(3_000, 7, 1);
    let logs: Vec<Memory> =
        (2..5).map(|salt| Memory::with(&[common.clone(), chain(1_000, 7, salt)].concat())).collect();
    let mut world = World::new(Memory::with(&chain(1_000, 7, 9)));
    for (number, log) in (1..).zip(&logs) {
        world = world.peer(number, log, Manner::Honest);
    }
    assert!(world.run(60_000, World::is_even));
    assert_eq!(world.own.len(), 1 + 3_000 + 3 * 1_000 + 1_000);
}

#[test]
fn a_restart_goes_on_from_the_cursor() {
    let source = Memory::with(&chain(30_000, 7, 1));
    let mut world = World::new(Memory::new()).peer(1, &source, Manner::Honest);
    assert!(world.run(60_000, |world| world.own.len() > 15_000));
    let before = world.cursor(0).next;
    assert!(before > 4_096, "{before}");
    world.peers[0].asked.clear();
    world.crash();
    assert!(world.run(60_000, World::is_even));
    let pages = world.peers[0].pages_asked();
    assert!(pages <= 8, "{pages} pages for what was not read");
    assert!(world.peers[0].bodies_asked() < 16_000);
}

#[test]
fn a_peer_that_goes_in_the_middle_is_followed_again() {
    let source = Memory::with(&chain(20_000, 7, 1));
    let mut world = World::new(Memory::new()).peer(1, &source, Manner::Honest).peer(2, &source, Manner::Honest);
    for size in [2_000, 8_000, 15_000] {
        assert!(world.run(60_000, |world| world.own.len() > size));
        world.disconnect(0);
        world.forget_under_way();
        world.run(50, |_| false);
        world.connect(0);
    }
    assert!(world.run(60_000, World::is_even));
    assert!(world.penalties.is_empty());
}

#[test]
fn idle_nodes_converge_without_a_word() {
    let source = Memory::with(&chain(10, 3, 1));
    let mut world = World::new(Memory::new()).peer(1, &source, Manner::Honest);
    assert!(world.run(5_000, World::is_even));
    for bytes in chain(20, 3, 2) {
        source.submit(&bytes);
    }
    assert!(world.run(3_000, World::is_even), "the next greeting tells of it");
}

#[test]
fn a_peer_that_greets_is_read_at_once() {
    let source = Memory::with(&chain(10, 3, 1));
    let mut world = World::new(Memory::new()).peer(1, &source, Manner::Honest);
    assert!(world.run(5_000, World::is_even));
    world.run(100, |_| false);
    for bytes in chain(20, 3, 2) {
        source.submit(&bytes);
    }
    let greeting = Greeting { log: log_key(1), log_size: source.len(), program: String::new() };
    let (peer, now_ms) = (world.peers[0].id, world.now_ms);
    world.replica.greeted(&peer, &greeting, now_ms);
    assert!(world.run(150, World::is_even));
}

#[test]
fn a_log_that_was_replaced_is_read_from_its_start() {
    let stranger = Some(EventId::from_bytes([9; 32]));
    for cursor in [
        // The peer lost its data: its log is shorter than what was read.
        Cursor { next: 5_000, last: stranger, ..Cursor::default() },
        // It was restored and has gone on differently.
        Cursor { next: 3, last: stranger, ..Cursor::default() },
    ] {
        let own = Memory::new();
        own.0.borrow_mut().cursors.insert(peer_id(1), (log_key(1), cursor));
        let mut world = World::new(own);
        world.trusts_cursors = false;
        let source = Memory::with(&chain(5, 3, 1));
        world = world.peer(1, &source, Manner::Honest);
        assert!(world.run(10_000, World::is_even));
        assert!(world.penalties.is_empty(), "it is no crime to lose data");
    }
}

#[test]
fn void_links_that_stand_in_no_log_are_fetched_before_what_rests_on_them() {
    let first = event(Kind::Good, 0, 0, &[NETWORK]);
    let void = event(Kind::Void, 0, 1, &[EventId::of(&first)]);
    let deeper = event(Kind::Void, 0, 2, &[EventId::of(&void)]);
    let after = event(Kind::Good, 0, 3, &[EventId::of(&deeper)]);
    let source = Memory::with(&[first, void, deeper, after]);
    assert_eq!(source.len(), 3);
    let mut world = World::new(Memory::new()).peer(1, &source, Manner::Honest);
    assert!(world.run(10_000, World::is_even));
    assert_eq!(world.own.set().len(), 4);
    assert!(world.penalties.is_empty());
}

#[test]
fn what_is_too_new_becomes_a_gap_and_is_fetched_after_an_upgrade() {
    let mut events = chain(10, 3, 1);
    events.insert(5, event(Kind::TooNew, 1, 77, &[NETWORK]));
    let source = Memory::new();
    source.0.borrow_mut().is_upgraded = true;
    for bytes in &events {
        source.submit(bytes);
    }
    let mut world = World::new(Memory::new()).peer(1, &source, Manner::Honest);
    assert!(world.run(10_000, |world| world.cursor(0).next == 12));
    assert_eq!(world.cursor(0).gaps, [EventId::of(&events[5])]);
    assert_eq!(world.own.len(), 11);
    world.own.0.borrow_mut().is_upgraded = true;
    world.crash();
    assert!(world.run(10_000, |world| world.is_even() && world.cursor(0).gaps.is_empty()));
}

#[test]
fn a_full_disk_stops_everything_until_there_is_room() {
    let source = Memory::with(&chain(3_000, 7, 1));
    let mut world = World::new(Memory::new()).peer(1, &source, Manner::Honest);
    assert!(world.run(10_000, |world| world.own.len() > 100));
    world.own.0.borrow_mut().is_full = true;
    world.run(60_000, |_| false);
    let asked = world.peers[0].bodies_asked();
    assert!(asked < 20_000, "{asked} events asked for in a minute of a full disk");
    world.own.0.borrow_mut().is_full = false;
    assert!(world.run(60_000, World::is_even));
    let blamed: Vec<&(PeerId, Misbehaviour)> = world.penalties.iter().collect();
    assert!(blamed.is_empty(), "{blamed:?}");
}
