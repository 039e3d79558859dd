//! Some hundreds of seeds hold, each goes the same way twice, and what is broken on purpose is noticed.

#![allow(clippy::unwrap_used)] // A test stops where something is not as it should be.

use simulation::{Broken, Sabotage, Settings, Violation, run, soak};

/// Seeds of one test; there are several, so that they run beside each other.
const SEEDS: u64 = 60;

fn hold(first: u64) {
    let soaked = soak(first, SEEDS, 1, |_| {});
    assert!(soaked.violations.is_empty(), "{}", soaked.violations[0]);
    assert_eq!(soaked.held, SEEDS);
    assert!(
        soaked.crashes > 0 && soaked.forks > 0 && soaked.compared > 0,
        "these seeds are too calm to prove anything"
    );
}

#[test]
fn the_first_seeds_hold() {
    hold(0);
}

#[test]
fn the_second_seeds_hold() {
    hold(SEEDS);
}

#[test]
fn the_third_seeds_hold() {
    hold(2 * SEEDS);
}

#[test]
fn the_fourth_seeds_hold() {
    hold(3 * SEEDS);
}

#[test]
fn a_seed_goes_the_same_way_each_time() {
    for seed in 1_000_000..1_000_010 {
        let (first, again) = (run(seed, false, |_| {}).unwrap(), run(seed, false, |_| {}).unwrap());
        assert_eq!(first, again);
        assert_ne!(first.trace, run(seed + 100, false, |_| {}).unwrap().trace);
    }
}

/// What some seeds of a rough world make of a part that is broken on purpose.
fn sabotaged(sabotage: Sabotage) -> Vec<Violation> {
    let rough = |settings: &mut Settings| {
        settings.sabotage = Some(sabotage);
        settings.crashes = 5;
        settings.partitions = 3;
        settings.machines = 3;
    };
    (0..20).filter_map(|seed| run(seed, false, rough).err()).map(|violation| *violation).collect()
}

#[test]
fn disks_that_lose_what_they_acknowledged_are_noticed() {
    let found = sabotaged(Sabotage::LyingDisks);
    assert!(found.iter().any(|violation| matches!(violation.broken, Broken::Lost(_))), "{found:?}");
}

#[test]
fn rows_that_are_not_those_of_the_events_are_noticed() {
    let found = sabotaged(Sabotage::LostRows);
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|violation| matches!(violation.broken, Broken::Differs(_))), "{found:?}");
}

#[test]
fn an_entry_that_nobody_signed_is_noticed() {
    let found = sabotaged(Sabotage::ForgedEntry);
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|violation| matches!(violation.broken, Broken::Invalid(_))), "{found:?}");
}

#[test]
fn nodes_that_never_come_to_the_same_are_noticed() {
    let found = sabotaged(Sabotage::NoHealing);
    assert!(found.iter().any(|violation| matches!(violation.broken, Broken::NeverSettled(_))), "{found:?}");
}

#[test]
fn two_checkpoints_of_one_size_are_noticed() {
    let found = sabotaged(Sabotage::TwoFaces);
    assert!(found.iter().any(|violation| matches!(violation.broken, Broken::TwoFaces(_))), "{found:?}");
}

#[test]
fn a_violation_says_how_to_see_it_again() {
    let found = &sabotaged(Sabotage::LostRows)[3];
    let text = found.to_string();
    assert!(text.contains("seed 3") && text.contains("cargo run --package simulation -- --seed 3 --trace"), "{text}");
    assert!(!found.newest.is_empty());
}
