//! The second verifier's cases for each rule: what it admitted, refused and counted, this one does alike.

use crate::tales;
use data_encoding::HEXLOWER;
use provenance::admission::{Judged, Replay, replay};
use provenance::bundle::Entry;
use provenance::cbor;
use provenance::event::SignedEvent;
use provenance::history::History;
use provenance::id::SubjectId;
use provenance::network::Network;
use provenance::signature::Verifier;
use std::sync::Arc;

/// Written by `web/verifier/test/rules.test.ts` and `kinds.test.ts`.
const CASES: [&str; 2] = [include_str!("golden/foreign_rules.txt"), include_str!("golden/foreign_kinds.txt")];

/// For each event that was tried, its code and a bundle that ends with it.
pub fn bundles() -> Vec<(String, Vec<u8>)> {
    let mut bundle = tales::all().swap_remove(0).bundle();
    let mut bundles = Vec::new();
    for line in CASES.iter().flat_map(|cases| cases.lines()) {
        let (word, rest) = line.split_once(' ').unwrap();
        let entry = |at: usize, event: &str| Entry { index: at as u64 + 1, event: bytes(event), path: Vec::new() };
        match (word, rest.split_once(' ')) {
            ("network", _) => bundle.network = cbor::from_slice(&bytes(rest)).unwrap(),
            ("scene", _) => bundle.entries.clear(),
            ("stays", Some((_, event))) => bundle.entries.push(entry(bundle.entries.len(), event)),
            ("tried", Some((code, event))) => {
                bundle.entries.push(entry(bundle.entries.len(), event));
                bundles.push((code.to_owned(), bundle.to_vec()));
                bundle.entries.pop();
            }
            _ => {}
        }
    }
    bundles
}

fn bytes(hex: &str) -> Vec<u8> {
    HEXLOWER.decode(hex.as_bytes()).unwrap()
}

fn code(history: &mut History, network: &Network, event: &str) -> &'static str {
    let event = Verifier::new().verify(SignedEvent::decode(bytes(event)).unwrap()).unwrap();
    let Ok(replayed) = replay(network, &event, history);
    match replayed {
        Replay::Stands(judgement) => {
            history.add(Arc::new(Judged { event: event.into_signed(), judgement }));
            "admitted"
        }
        Replay::Missing(_) => "missing_ancestor",
        Replay::Unsupported(_) => "unsupported",
        Replay::Broken(rule) => rule.code(),
    }
}

/// Balance, holder, whether it is disputed, and how many events are in conflict.
fn count(history: &History, lot: &str) -> String {
    let subject = SubjectId::try_from(bytes(lot).as_slice()).unwrap();
    let counted = history.lot(&subject).unwrap();
    let holder = HEXLOWER.encode(counted.state.holder.as_bytes());
    format!("{} {holder} {} {}", counted.state.balance.value(), counted.disputed, counted.in_conflict.len())
}

#[test]
fn both_verifiers_judge_and_count_alike() {
    let judged: usize = CASES.iter().map(|cases| judge_and_count(cases)).sum();
    assert!(judged > 400, "only {judged} cases were read");
}

/// Compares all cases of a file, and tells how many there are.
fn judge_and_count(cases: &str) -> usize {
    let mut lines = cases.lines();
    let network = lines.next().unwrap().strip_prefix("network ").unwrap();
    let network: Network = cbor::from_slice(&bytes(network)).unwrap();
    let (mut history, mut scene, mut cases) = (History::default(), "", 0);
    let mut differences = Vec::new();
    for line in lines {
        let (word, rest) = line.split_once(' ').unwrap();
        if word == "scene" {
            (history, scene) = (History::default(), rest);
            continue;
        }
        let (first, second) = rest.split_once(' ').unwrap();
        let (found, expected) = match word {
            "count" => (count(&history, first), second),
            "stays" => (code(&mut history, &network, second).to_owned(), first),
            _ => (code(&mut history.clone(), &network, second).to_owned(), first),
        };
        if found != expected {
            differences.push(format!("case {cases} in the scene '{scene}': {found}, not {expected}"));
        }
        cases += 1;
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    cases
}
