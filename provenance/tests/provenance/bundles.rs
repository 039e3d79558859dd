//! Honest bundles: their verdicts, their bytes, and that they fit the written-down format.

use crate::tales::{self, Tale};
use provenance::bundle::Bundle;
use provenance::id::{EventId, SubjectId};
use provenance::verification::{Check, FindingKind, Outcome, Overall, Policy, Reason, Verdict, verify};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The policy of an auditor who brings every block that the bundle speaks of.
pub fn with_blocks(bytes: &[u8]) -> Policy {
    let blocks = verify(bytes, &Policy::default()).blocks;
    Policy { block_hashes: blocks.iter().map(|block| block.hash).collect(), ..Policy::default() }
}

/// Which check failed, if any, why, and on which event or subject.
pub type Failed = Option<(Check, Reason, Option<EventId>, Option<SubjectId>)>;

pub fn failed(verdict: &Verdict) -> Failed {
    let failed = verdict.checks.iter().find(|check| check.result == Outcome::Failed)?;
    Some((failed.check, failed.reason.unwrap(), failed.event, failed.subject))
}

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/provenance/golden", name].iter().collect()
}

/// Compares with the file; `UPDATE=1` writes it, for a format that is new.
pub fn golden(name: &str, bytes: &[u8]) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path(name), bytes).unwrap();
    }
    let expected = std::fs::read(path(name)).unwrap_or_else(|_| panic!("{name} is missing; run with UPDATE=1"));
    assert!(bytes == expected, "{name} has changed");
}

#[test]
fn golden_bundles_and_their_verdicts() {
    for tale in tales::all() {
        let bytes = tale.bundle().to_vec();
        golden(&format!("{}.bundle", tale.name), &bytes);
        let verdict = serde_json::to_string_pretty(&verify(&bytes, &with_blocks(&bytes))).unwrap();
        golden(&format!("{}.verdict.json", tale.name), format!("{verdict}\n").as_bytes());
    }
}

#[test]
fn every_honest_bundle_is_valid_with_the_blocks_and_incomplete_without() {
    for Tale { name, world, wish } in tales::all() {
        let bytes = crate::maker::make(&world, &wish).to_vec();
        let without = verify(&bytes, &Policy::default());
        let with = verify(&bytes, &with_blocks(&bytes));
        assert_eq!((failed(&without), failed(&with)), (None, None), "{name}");
        assert_eq!(without.verdict, Overall::Incomplete, "{name}");
        let expected = if wish.lines.is_empty() { Overall::Incomplete } else { Overall::Valid };
        assert_eq!(with.verdict, expected, "{name}");
        assert_eq!(Bundle::decode(&bytes).unwrap().to_vec(), bytes, "{name}");
        let cosigned =
            Policy { cosigners: wish.cosigners.len(), network: Some(world.network.id()), ..with_blocks(&bytes) };
        assert_eq!(verify(&bytes, &cosigned).verdict, expected, "{name}");
    }
}

#[test]
fn every_finding_is_found() {
    let mut found: BTreeSet<FindingKind> = BTreeSet::new();
    for tale in tales::all() {
        found.extend(verify(&tale.bundle().to_vec(), &Policy::default()).findings.iter().map(|one| one.finding));
    }
    assert_eq!(found.len(), 9, "{found:?}");
}

#[test]
fn moments_are_those_of_the_anchors() {
    let bytes = tales::rich("rich", false).bundle().to_vec();
    let verdict = verify(&bytes, &Policy::default());
    let numbers = |at: usize| {
        let event = &verdict.events[at];
        (event.after.map(|block| block.number), event.before.map(|block| block.number))
    };
    let graded = verdict.events.iter().position(|event| event.kind == "produce.quality_updated").unwrap();
    assert_eq!(numbers(graded), (Some(90), Some(110)));
    assert_eq!(numbers(verdict.events.len() - 1), (Some(5_000), None));
    // The anchor of block 100 is proven by the next one only, whose block is 110.
    assert_eq!(numbers(0), (None, Some(110)));
}

#[test]
fn bundles_fit_the_cddl() {
    let cddl = include_str!("../../../docs/bundle.cddl");
    for tale in tales::all() {
        cddl_cat::validate_cbor_bytes("bundle", cddl, &tale.bundle().to_vec())
            .unwrap_or_else(|error| panic!("{}: {error}", tale.name));
    }
}

/// Two anchors of one second: the one on the chain with the lower id is the earlier, whatever its number.
#[test]
fn of_two_blocks_of_one_second_that_of_the_lower_chain_counts() {
    let tale = tales::ties();
    let bytes = tale.bundle().to_vec();
    let verdict = verify(&bytes, &with_blocks(&bytes));
    assert_eq!(verdict.verdict, Overall::Valid);
    let first = verdict.events[0].before.unwrap();
    assert_eq!((first.chain_id, first.number), (1, 200));
    assert_eq!(verdict.as_of.unwrap().anchored_in, Some(first));
}

/// A correction of a carrier replaces an id of 32 bytes by another: no field that anything could open.
#[test]
fn an_id_in_a_correction_is_no_sealed_field() {
    let tale = tales::carrier_corrected();
    let bundle = tale.bundle();
    let failed = failed(&verify(&bundle.to_vec(), &Policy::default()));
    let event = bundle.openings[0].event;
    assert_eq!(failed, Some((Check::Openings, Reason::UnknownField, Some(event), None)));
}
