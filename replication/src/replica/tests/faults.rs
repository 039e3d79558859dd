//! Peers that are slow, lie, or fail, and chance.

use super::world::{Kind, Manner, Memory, NETWORK, World, chain, event, peer_id};
use crate::limits::{MAX_WANTED, READ_AHEAD};
use p2p::Misbehaviour;
use p2p::message::MAX_PAGE_IDS;
use proptest::prelude::*;
use provenance::id::EventId;
use std::collections::BTreeSet;

#[test]
fn whoever_is_slow_or_fails_is_passed_by() {
    let source = Memory::with(&chain(5_000, 7, 1));
    for manner in [
        Manner::SlowBodies(14_000),
        Manner::NoBodies,
        Manner::EmptyBodies,
        Manner::WrongBodies,
        Manner::Denies,
        Manner::EmptyPages,
    ] {
        let mut world = World::new(Memory::new()).peer(1, &source, manner).peer(2, &source, Manner::Honest);
        assert!(world.run(20_000, World::has_all), "{manner:?}");
        let blamed = world.penalties.iter().any(|(peer, _)| *peer == peer_id(1));
        let lies = !matches!(manner, Manner::SlowBodies(_) | Manner::NoBodies);
        assert_eq!(blamed, lies, "{manner:?}");
        assert!(world.penalties.iter().all(|(peer, _)| *peer == peer_id(1)), "the honest one is never blamed");
    }
}

#[test]
fn the_only_source_may_be_slow() {
    let source = Memory::with(&chain(300, 7, 1));
    let mut world = World::new(Memory::new()).peer(1, &source, Manner::SlowBodies(12_000));
    assert!(world.run(120_000, World::is_even));
    assert!(!world.doubled, "nobody else has it, so the answer is waited for");
}

#[test]
fn made_up_ids_fill_neither_memory_nor_time() {
    let source = Memory::with(&chain(50_000, 7, 1));
    let mut world = World::new(Memory::new()).peer(1, &source, Manner::MadeUpIds).peer(2, &source, Manner::Honest);
    let mut most = 0;
    for _ in 0..600 {
        if world.run(100, World::has_all) {
            break;
        }
        most = most.max(world.replica.wanted.len());
    }
    assert!(world.has_all());
    assert!(most <= MAX_WANTED && most <= 2 * READ_AHEAD + MAX_PAGE_IDS as usize, "{most}");
    assert!(world.penalties.iter().all(|(peer, what)| *peer == peer_id(1) && *what == Misbehaviour::WrongAnswer));
    assert!(world.cursor(0).next <= 1, "it never passes what was not judged");
}

#[test]
fn an_invalid_event_is_blamed_on_those_that_have_it() {
    let mut events = chain(100, 7, 1);
    let honest = Memory::with(&events);
    events.truncate(50);
    let liar = Memory::with(&events);
    let invalid = event(Kind::Invalid, 0, 0, &[NETWORK]);
    {
        let mut inner = liar.0.borrow_mut();
        inner.log.push(EventId::of(&invalid));
        inner.bodies.insert(EventId::of(&invalid), invalid);
    }
    let mut world = World::new(Memory::new()).peer(1, &liar, Manner::Honest).peer(2, &honest, Manner::Honest);
    assert!(world.run(10_000, |world| world.cursor(1).next == 101));
    world.run(5_000, |_| false);
    assert_eq!(world.penalties, [(peer_id(1), Misbehaviour::InvalidEvent)]);
    assert_eq!(world.cursor(0).next, 51);
}

#[test]
fn a_void_event_is_blamed_on_those_whose_logs_show_it() {
    let void = event(Kind::Void, 0, 1, &[NETWORK]);
    let after = event(Kind::Good, 0, 2, &[EventId::of(&void)]);
    // One has it where it belongs, behind what rests on it; the other says that it stands in its log.
    let honest = Memory::with(&[void.clone(), after]);
    let liar = Memory::with(std::slice::from_ref(&void));
    liar.0.borrow_mut().log.push(EventId::of(&void));
    let mut world = World::new(Memory::new()).peer(1, &liar, Manner::Honest).peer(2, &honest, Manner::Honest);
    assert!(world.run(10_000, World::is_even), "its cursor passes it, as it was judged");
    assert_eq!(world.penalties, [(peer_id(1), Misbehaviour::InvalidEvent)]);
}

#[test]
fn more_peers_than_places_wait_for_one() {
    let source = Memory::with(&chain(10, 3, 1));
    let mut world = World::new(Memory::new());
    for number in 1..=70 {
        world = world.peer(number, &source, Manner::Honest);
    }
    assert!(world.run(10_000, World::has_all));
    assert_eq!(world.replica.progress().len(), 64);
    let waiting: Vec<usize> = (0..70).filter(|at| world.peers[*at].asked.is_empty()).collect();
    assert_eq!(waiting.len(), 6);
    for at in 0..70 {
        if !waiting.contains(&at) {
            world.disconnect(at);
        }
    }
    world.run(1_000, |_| false);
    assert!(waiting.iter().all(|at| !world.peers[*at].asked.is_empty()));
}

#[test]
fn questions_come_at_a_bearable_pace() {
    let source = Memory::with(&chain(3_000, 7, 1));
    let mut world = World::new(Memory::new()).peer(1, &source, Manner::Honest);
    for number in 0..400 {
        let (peer, now_ms) = (world.peers[0].id, world.now_ms);
        world.replica.wake(&peer, now_ms);
        source.submit(&event(Kind::Good, 0, 1_000_000 + number, &[NETWORK]));
        world.run(50, |_| false);
    }
    let asked = world.peers[0].asked.len();
    assert!(asked < 128 + 64 * 20, "{asked} questions in 20 seconds");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is delayed, fails, crashes and comes back: at the end everything is here, and no cursor lies.
    #[test]
    fn any_course_of_things_ends_with_the_same_set(
        seed in 1_u64..,
        sizes in prop::collection::vec(1_u64..400, 1..4),
        common in 0_u64..300,
        crashes in 0_u64..4,
    ) {
        let shared = chain(common, 5, 77);
        let sources: Vec<Memory> = (1..).zip(&sizes)
            .map(|(salt, size)| Memory::with(&[shared.clone(), chain(*size, 5, salt)].concat()))
            .collect();
        let mut world = World::new(Memory::with(&chain(20, 3, 99)));
        world.chance = Some(seed);
        for (number, source) in (1..).zip(&sources) {
            world = world.peer(number, source, Manner::Honest);
        }
        for _ in 0..crashes {
            let pause = world.draw(5_000).unwrap();
            world.run(pause, |_| false);
            (0..sources.len()).for_each(|at| world.check_cursor(at));
            match world.draw(3) {
                Some(0) => world.crash(),
                Some(1) => {
                    let at = usize::try_from(world.draw(sources.len() as u64).unwrap()).unwrap();
                    world.disconnect(at);
                    let pause = world.draw(1_000).unwrap();
                    world.run(pause, |_| false);
                    world.connect(at);
                }
                _ => {
                    world.own.0.borrow_mut().is_full = true;
                    let pause = world.draw(3_000).unwrap();
                    world.run(pause, |_| false);
                    world.own.0.borrow_mut().is_full = false;
                }
            }
        }
        // A line that fails sometimes gets there; one that is in order gets there soon.
        world.run(20_000, World::is_even);
        world.chance = None;
        prop_assert!(world.run(200_000, World::is_even));
        let all: BTreeSet<EventId> = sources.iter().flat_map(Memory::set).chain(Memory::with(&chain(20, 3, 99)).set()).collect();
        prop_assert_eq!(world.own.set(), all);
        prop_assert!(world.penalties.is_empty());
        prop_assert!(world.replica.wanted.is_empty() && world.replica.wanted.bytes() == 0);
    }
}
