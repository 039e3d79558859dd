//! Some hundreds of seeds hold, each goes the same way twice, and what is broken on purpose is noticed.

#![allow(clippy::unwrap_used)] // A test stops where something is not as it should be.

use simulation::{Broken, Sabotage, Settings, Violation, run, soak};
use store::{Crash, Fault};

/// Seeds of one test; there are several, so that they run beside each other.
const SEEDS: u64 = 60;

fn hold(first: u64) {
    let soaked = soak(first, SEEDS, 1, |_, _| {});
    assert!(soaked.violations.is_empty(), "{}", soaked.violations[0]);
    assert_eq!(soaked.held, SEEDS);
    assert!(
        soaked.crashes > 0 && soaked.forks > 0 && soaked.compared > 0 && soaked.uncounted > 0,
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
fn lineage_that_is_not_that_of_the_events_is_noticed() {
    let found = sabotaged(Sabotage::LostLineage);
    assert!(found.iter().all(|violation| matches!(violation.broken, Broken::Differs(_))), "{found:?}");
    assert!(found.len() > 5, "{}", found.len());
}

#[test]
fn what_counts_though_it_should_not_is_noticed() {
    let found = sabotaged(Sabotage::LostCounting);
    assert!(found.iter().all(|violation| matches!(violation.broken, Broken::Differs(_))), "{found:?}");
    assert!(found.len() > 5, "{}", found.len());
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

/// What goes wrong goes wrong again with the same seed: in the same step, after the same story.
#[test]
fn a_violation_is_found_again() {
    for sabotage in [Sabotage::LyingDisks, Sabotage::NoHealing, Sabotage::TwoFaces, Sabotage::LostRows] {
        let (first, again) = (sabotaged(sabotage), sabotaged(sabotage));
        assert!(!first.is_empty());
        assert_eq!(first, again, "{sabotage:?}");
    }
}

/// A short and calm life of two machines, in which nothing goes wrong but what a test asks for.
fn short(settings: &mut Settings) {
    (settings.machines, settings.founders, settings.signers) = (2, 2, 4);
    (settings.busy_ms, settings.deeds, settings.dishonest_percent) = (4_000, 25, 60);
    (settings.crashes, settings.disk_faults, settings.partitions) = (0, 0, 0);
    (settings.loss_percent, settings.delay_ms) = (0, 50);
}

/// A seed whose short life is a full one.
const SHORT: u64 = 7;

/// The first machine stops at each of its commits in turn. Up to there the run is the same, so these are all that it
/// makes while nothing goes wrong; `written` says on which side of the commit it stops.
fn stop_at_every_commit(written: bool) {
    let calm = run(SHORT, false, short).unwrap();
    for after_commits in 0..calm.commits[0] {
        let crash = Crash { after_commits, written, surviving: usize::try_from(after_commits % 4).unwrap() };
        let held = run(SHORT, false, |settings| {
            short(settings);
            settings.stops = Some((0, crash));
        });
        let held = held.unwrap_or_else(|violation| panic!("{crash:?}: {violation}"));
        assert_eq!(held.crashes, 1, "{crash:?}");
    }
}

#[test]
fn a_machine_may_stop_before_any_commit() {
    stop_at_every_commit(false);
}

#[test]
fn a_machine_may_stop_behind_any_commit() {
    stop_at_every_commit(true);
}

fn fail_at_every_commit(fault: Fault) {
    let calm = run(SHORT, false, short).unwrap();
    for commit in 0..usize::try_from(calm.commits[0]).unwrap() {
        let held = run(SHORT, false, |settings| {
            short(settings);
            settings.fails = Some((0, commit, fault));
        });
        held.unwrap_or_else(|violation| panic!("{fault:?} {commit}: {violation}"));
    }
}

#[test]
fn any_commit_may_find_a_full_disk() {
    fail_at_every_commit(Fault::NotWritten);
}

#[test]
fn any_commit_may_seem_to_fail() {
    fail_at_every_commit(Fault::Written);
}

#[test]
fn a_violation_says_how_to_see_it_again() {
    let found = &sabotaged(Sabotage::LostRows)[3];
    let text = found.to_string();
    assert!(text.contains("seed 3") && text.contains("cargo run --package simulation -- --seed 3 --trace"), "{text}");
    assert!(!found.newest.is_empty());
}
