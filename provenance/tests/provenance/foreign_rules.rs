//! The second verifier's cases for each rule: what it admitted, refused and counted, this one does alike.

use data_encoding::HEXLOWER;
use provenance::admission::{Judged, Replay, replay};
use provenance::cbor;
use provenance::event::SignedEvent;
use provenance::history::History;
use provenance::id::SubjectId;
use provenance::network::Network;
use provenance::signature::Verifier;
use std::sync::Arc;

/// Written by `web/verifier/test/rules.test.ts`.
const CASES: &str = include_str!("golden/foreign_rules.txt");

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
    let mut lines = CASES.lines();
    let network = lines.next().unwrap().strip_prefix("network ").unwrap();
    let network: Network = cbor::from_slice(&bytes(network)).unwrap();
    let (mut history, mut scene, mut cases) = (History::default(), "", 0);
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
        assert_eq!(found, expected, "case {cases} in the scene '{scene}'");
        cases += 1;
    }
    assert!(cases > 150, "only {cases} cases were read");
}
