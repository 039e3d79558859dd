//! First contact: states are compared, and the cost follows the difference.

use super::world::{Kind, Manner, Memory, NETWORK, World, chain, event};
use crate::limits::FAR;
use p2p::Misbehaviour;
use p2p::message::Request;
use provenance::id::EventId;

const MANY: u64 = 2 * FAR;

fn asked_for_pages(world: &World) -> usize {
    world.peers[0].pages_asked()
}

#[test]
fn equal_states_move_the_cursor_at_once_and_the_rest_is_read_later() {
    let events = chain(MANY, 500, 1);
    let source = Memory::with(&events);
    let mut world = World::new(Memory::with(&events)).peer(1, &source, Manner::Honest);
    assert!(world.run(200, |world| world.cursor(0).next == MANY + 1));
    assert!(asked_for_pages(&world) <= 1, "no page was needed for that");
    let skipped = world.cursor(0).skipped.expect("ids are still to be read");
    assert_eq!((skipped.next, skipped.end), (0, MANY + 1));
    assert!(world.run(60_000, World::is_even), "what was skipped is read at leisure");
    assert_eq!(world.peers[0].bodies_asked(), 0);
}

#[test]
fn what_was_skipped_is_read_on_after_a_restart() {
    let events = chain(MANY, 500, 1);
    let source = Memory::with(&events);
    let mut world = World::new(Memory::with(&events)).peer(1, &source, Manner::Honest);
    assert!(world.run(60_000, |world| world.cursor(0).skipped.is_some_and(|skipped| skipped.next > FAR)));
    world.crash();
    world.peers[0].asked.clear();
    assert!(world.run(60_000, World::is_even));
    assert!(world.peers[0].asked.iter().all(|request| *request != Request::State));
    assert!(asked_for_pages(&world) < 10);
}

#[test]
fn only_the_difference_is_fetched() {
    let events = chain(MANY, 2_000, 1);
    let (own, source) = (Memory::with(&events), Memory::with(&events));
    for bytes in [chain(300, 20, 5), chain(5, 5, 6)].concat() {
        source.submit(&bytes);
    }
    for bytes in chain(50, 2_000, 7) {
        own.submit(&bytes);
    }
    let mut world = World::new(own).peer(1, &source, Manner::Honest);
    assert!(world.run(5_000, World::has_all));
    assert_eq!(asked_for_pages(&world), 0, "nothing of the log was read before all was here");
    let exchanged = world.peers[0].asked.len();
    assert!(exchanged < 20, "{exchanged} questions");
    assert_eq!(world.peers[0].bodies_asked(), 305);
    assert!(world.run(60_000, World::is_even));
    assert!(world.penalties.is_empty());
}

#[test]
fn long_histories_are_found_by_what_rests_on_them() {
    let events = chain(MANY, 2_000, 1);
    let (own, source) = (Memory::with(&events), Memory::with(&events));
    // More events of one subject than an answer names: the rest follows from the ancestors.
    for bytes in chain(100, 1, 5) {
        source.submit(&bytes);
    }
    let mut world = World::new(own).peer(1, &source, Manner::Honest);
    assert!(world.run(60_000, World::is_even));
}

#[test]
fn events_of_which_the_state_says_nothing_still_come() {
    let events = chain(MANY, 500, 1);
    let (own, source) = (Memory::with(&events), Memory::with(&events));
    // It is in the log, and the state says nothing of it: as of events that do not count.
    let silent = event(Kind::Good, 0, 99, &[NETWORK]);
    {
        let mut inner = source.0.borrow_mut();
        inner.bodies.insert(EventId::of(&silent), silent.clone());
        inner.log.insert(1_000, EventId::of(&silent));
    }
    let mut world = World::new(own).peer(1, &source, Manner::Honest);
    assert!(world.run(60_000, |world| world.own.set().contains(&EventId::of(&silent))));
}

#[test]
fn peers_of_older_programs_are_read_by_pages() {
    for manner in [Manner::Older, Manner::MuchOlder] {
        let events = chain(MANY, 500, 1);
        let source = Memory::with(&events);
        let mut world = World::new(Memory::with(&events)).peer(1, &source, manner);
        assert!(world.run(60_000, World::is_even), "{manner:?}");
        let states = world.peers[0].asked.iter().filter(|request| **request == Request::State).count();
        assert_eq!((states, world.peers[0].bodies_asked()), (1, 0), "asked once for each connection");
        assert!(world.penalties.is_empty());
    }
}

#[test]
fn a_map_that_lies_is_blamed_and_its_log_is_read() {
    let events = chain(MANY, 500, 1);
    let (own, source) = (Memory::with(&events), Memory::with(&events));
    for bytes in chain(10, 5, 5) {
        source.submit(&bytes);
    }
    let mut world = World::new(own).peer(1, &source, Manner::WrongMap);
    assert!(world.run(60_000, World::is_even));
    assert!(world.penalties.iter().all(|(_, what)| *what == Misbehaviour::WrongAnswer));
    assert_eq!(world.penalties.len(), 1);
}

#[test]
fn what_is_near_is_read_and_not_compared() {
    let events = chain(FAR - 100, 500, 1);
    let source = Memory::with(&events);
    let mut world = World::new(Memory::with(&events)).peer(1, &source, Manner::Honest);
    assert!(world.run(60_000, World::is_even));
    assert!(world.peers[0].asked.iter().all(|request| *request != Request::State));
}

#[test]
fn a_node_that_has_little_reads_the_log() {
    let source = Memory::with(&chain(MANY, 500, 1));
    let mut world = World::new(Memory::with(&chain(100, 5, 2))).peer(1, &source, Manner::Honest);
    assert!(world.run(60_000, World::is_even));
    assert!(world.peers[0].asked.iter().all(|request| *request != Request::State));
}
