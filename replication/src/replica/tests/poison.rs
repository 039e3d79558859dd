//! Peers that greet with the key of somebody else's log, name entries twice, or claim what no number can count.

use super::world::{Kind, Manner, Memory, NETWORK, World, chain, event, log_key, peer_id};
use crate::limits::{FAR, READ_AHEAD};
use p2p::{Greeting, Misbehaviour, Request};
use provenance::id::EventId;

/// A log of exactly these ids.
fn claims(log: Vec<EventId>) -> Memory {
    let memory = Memory::new();
    memory.0.borrow_mut().log = log;
    memory
}

#[test]
fn nobody_moves_the_cursor_into_the_log_of_another_peer() {
    let (common, unread, own) = (chain(10, 3, 1), chain(50, 3, 2), chain(50, 3, 9));
    let lone = event(Kind::Good, 0, 77, &[NETWORK]);
    let source = Memory::with(&[common.clone(), unread, vec![lone.clone()]].concat());
    let known = [common, own, vec![lone]].concat();
    // As long as the log of the other peer, with the same last entry, and all of it is known here.
    let forged = claims(Memory::with(&known).0.borrow().log.clone());
    let mut world = World::new(Memory::with(&known)).peer_with_log(2, log_key(1), &forged, Manner::Honest);
    assert!(world.run(5_000, World::is_even));
    assert_eq!(world.cursor(0).next, 62);

    world = world.peer(1, &source, Manner::Honest);
    assert!(world.run(10_000, World::is_even), "what was not read of the other log is read");
}

#[test]
fn a_short_log_under_the_same_key_takes_nothing_back() {
    let source = Memory::with(&chain(50, 3, 1));
    let mut world = World::new(Memory::new()).peer(1, &source, Manner::Honest);
    assert!(world.run(5_000, World::is_even));
    let short = Memory::with(&chain(2, 1, 5));
    world = world.peer_with_log(2, log_key(1), &short, Manner::Honest);
    assert!(world.run(5_000, World::is_even));
    assert_eq!(world.cursor(0).next, 51);
}

#[test]
fn a_log_that_names_an_entry_twice_is_no_log() {
    let source = Memory::with(&chain(50, 3, 1));
    let mut twice = source.0.borrow().log.clone();
    twice.push(twice[7]);
    let mut world = World::new(Memory::new()).peer(1, &claims(twice), Manner::Honest).peer(2, &source, Manner::Honest);
    assert!(world.run(5_000, World::has_all));
    world.run(5_000, |_| false);
    assert!(!world.penalties.is_empty());
    assert!(world.penalties.iter().all(|penalty| *penalty == (peer_id(1), Misbehaviour::WrongAnswer)));
}

#[test]
fn a_log_that_contradicts_itself_is_followed_no_more() {
    let (shown, hidden, honest) = (chain(50, 3, 1), chain(50, 3, 2), chain(30, 3, 3));
    let rewriting = Memory::with(&shown);
    let mut world = World::new(Memory::new()).peer(1, &rewriting, Manner::Honest);
    assert!(world.run(5_000, World::is_even), "until it is known, it is read like any other");
    world.own.0.borrow_mut().contradicting.insert(log_key(1));
    // Its own log shows what no other does, and another log what it has too.
    for bytes in hidden.iter().chain(&honest) {
        rewriting.submit(bytes);
    }
    world.run(2_500, |_| false);
    let pages = world.peers[0].pages_asked();
    world = world.peer(2, &Memory::with(&honest), Manner::NoBodies);
    let has =
        |world: &World, events: &[Vec<u8>]| events.iter().all(|bytes| world.own.set().contains(&EventId::of(bytes)));
    assert!(world.run(30_000, |world| has(world, &honest)), "events are taken from whoever has them");
    // After a restart it is still so.
    world.crash();
    world = world.peer(3, &Memory::with(&chain(20, 3, 4)), Manner::Honest);
    assert!(world.run(10_000, |world| world.cursor(2).next == 21));
    world.run(10_000, |_| false);
    assert_eq!(world.peers[0].pages_asked(), pages, "it is not read any more");
    assert!(hidden.iter().all(|bytes| !world.own.set().contains(&EventId::of(bytes))));
    assert!(world.replica.log_of(&peer_id(1)).is_none() && world.replica.log_of(&peer_id(2)).is_some());
    // Whoever begins a new log under a new key is followed again.
    world.peers[0].log = log_key(9);
    assert!(world.run(30_000, |world| has(world, &hidden)));
    assert!(world.penalties.is_empty());
}

#[test]
fn sizes_at_the_end_of_numbers_stop_nothing() {
    let events = chain(2 * FAR, 500, 1);
    let (own, source) = (Memory::with(&events), Memory::with(&events));
    let mut world = World::new(own).peer(1, &source, Manner::Endless);
    // While it is asked for its state, it greets with a log that is as long; the network itself refuses such a size.
    let asked = |world: &World| world.peers[0].asked.contains(&Request::State);
    assert!(world.run(1_000, asked));
    let greeting = Greeting { log: log_key(1), log_size: u64::MAX, program: String::new() };
    world.replica.greeted(&peer_id(1), &greeting, world.now_ms);
    // It names this node's own root, so the cursor goes there.
    assert!(world.run(1_000, |world| world.cursor(0).next >= u64::MAX - 1));
    world.run(5_000, |_| false);
    let honest = Memory::with(&chain(50, 3, 2));
    world = world.peer(2, &honest, Manner::Honest);
    assert!(world.run(60_000, |world| world.cursor(1).next == 51));
}

#[test]
fn logs_that_change_do_not_fill_the_memory() {
    for manner in [Manner::ManyKeys, Manner::Shrinks] {
        let source = Memory::with(&chain(3_000, 7, 1));
        let mut world = World::new(Memory::new());
        for number in 1..=6 {
            world = world.peer(number, &Memory::new(), manner);
        }
        world.trusts_cursors = false;
        world = world.peer(7, &source, Manner::Honest);
        let mut most = 0;
        for _ in 0..1_200 {
            world.run(100, |_| false);
            most = most.max(world.replica.wanted.len());
        }
        assert!(world.has_all(), "{manner:?}");
        assert!(most <= 6 * READ_AHEAD, "{manner:?}: {most}");
        let liars: Vec<_> = (1..=6).map(peer_id).collect();
        assert!(world.penalties.iter().all(|(peer, _)| liars.contains(peer)), "{manner:?}");
        assert!(world.penalties.len() >= 6, "{manner:?}: {:?}", world.penalties);
    }
}

#[test]
fn a_log_without_an_end_keeps_no_honest_one_waiting() {
    let (known, new) = (chain(5_000, 7, 1), chain(60_000, 7, 2));
    let source = Memory::with(&new);
    let mut world = World::new(Memory::with(&known));
    // Who leads first goes by name, and the honest one comes last.
    let mut numbers = [1, 2, 3, 4, 5];
    numbers.sort_by_key(|number| peer_id(*number));
    for number in &numbers[..4] {
        world = world.peer(*number, &Memory::with(&known), Manner::Circles);
    }
    world.trusts_cursors = false;
    world = world.peer(numbers[4], &source, Manner::Honest);
    assert!(world.run(60_000, World::has_all));
}

#[test]
fn who_is_of_no_use_makes_room_for_who_waits() {
    let (known, new) = (chain(5, 3, 1), chain(100, 3, 2));
    let mut world = World::new(Memory::with(&known));
    for number in 1..=64 {
        world = world.peer(number, &Memory::with(&known), Manner::Honest);
    }
    world = world.peer(65, &Memory::with(&new), Manner::Honest);
    assert!(!world.run(50_000, World::has_all), "all places are taken");
    assert!(world.run(20_000, World::has_all));
    assert!(world.penalties.is_empty());
}

#[test]
fn a_crowd_that_names_events_and_brings_none_holds_nothing_up() {
    let source = Memory::with(&chain(3_000, 7, 1));
    let mut world = World::new(Memory::new());
    for number in 1..=30 {
        world = world.peer(number, &source, Manner::NoBodies);
    }
    world = world.peer(31, &source, Manner::Honest);
    world.silence_ms = 9_000;
    assert!(world.run(60_000, World::has_all));
    assert!(world.penalties.is_empty(), "a slow line is no crime");
}
