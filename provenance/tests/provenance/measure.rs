//! How long a bundle takes to verify. `cargo test -p provenance -- --ignored --nocapture measure`

use crate::bundles::with_blocks;
use crate::maker::{Wish, make};
use crate::story::kg;
use crate::tales::{LINE_A, Village, line, stored, village};
use provenance::bundle::Bundle;
use provenance::event::SignedEvent;
use provenance::signature::Verifier;
use provenance::verification::{Overall, verify};
use std::time::{Duration, Instant};

/// Enough for a 95th percentile that means something.
const ROUNDS: usize = 400;

/// A lot that changes hands until the bundle has fifty events.
fn fifty_events() -> Bundle {
    let Village { mut world, mut farmer, mut buyer, keeper_a, keeper_b, .. } = village();
    let lot_event = farmer.registers("1000", None);
    let lot = lot_event.subject(0).unwrap();
    world.admit(&lot_event);
    let mut last = lot_event.id();
    let (seller, other) = (&mut farmer, &mut buyer);
    let mut people = [seller, other];
    // Four enrolments, the registration, and fifteen times three events.
    for round in 0..15 {
        let [one, two] = &mut people;
        let (from, to) = if round % 2 == 0 { (one, two) } else { (two, one) };
        let graded = from.grades(lot, &[last], "B");
        let offer = from.offers(lot, &[graded.id()], "1000", false, to);
        let accepted = to.accepts_all(lot, &offer, "1000");
        world.admit_all(&[&graded, &offer, &accepted]);
        last = accepted.id();
    }
    assert_eq!(world.honest.lot(&lot).unwrap().state.balance, kg("1000"));
    let words = world.anchor(None, 100, 1_790_000_100);
    let lines = vec![line(keeper_a.actor, 1, LINE_A, vec![stored(LINE_A, words)])];
    let cosigners = vec![(keeper_b, 1_790_000_120)];
    make(&world, &Wish { cosigners, lines, ..Wish::of(lot, &keeper_a) })
}

fn percentiles(mut run: impl FnMut()) -> (Duration, Duration) {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    (times[ROUNDS / 2], times[ROUNDS * 95 / 100])
}

#[test]
#[ignore = "a measurement"]
fn measure_a_bundle_of_fifty_events() {
    let bundle = fifty_events();
    let bytes = bundle.to_vec();
    let policy = with_blocks(&bytes);
    let whole = percentiles(|| assert_eq!(verify(&bytes, &policy).verdict, Overall::Valid));
    let events: Vec<SignedEvent> =
        bundle.entries.iter().map(|entry| SignedEvent::decode(entry.event.clone()).unwrap()).collect();
    let signatures = percentiles(|| assert!(Verifier::new().verify_all(events.clone()).iter().all(Result::is_ok)));
    let count = events.len();
    println!("bundle of {count} events, {} bytes: p50 {:?}, p95 {:?}", bytes.len(), whole.0, whole.1);
    println!("its {count} signatures alone, in one batch: p50 {:?}, p95 {:?}", signatures.0, signatures.1);
    assert_eq!(count, 50);
}
