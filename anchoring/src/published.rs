//! The anchors of a line as others get them: each proven by its own evidence, or by the anchors that follow it.

use crate::record::{AnchorRecord, AnchorState, Line};
use provenance::evidence::ProvenAnchor;
use std::collections::{BTreeMap, BTreeSet};

/// A bundle holds no more of one line: a month of anchors every ten minutes, where each of them is wanted.
pub const MAX_PUBLISHED: usize = 4096;

/// From which state on an anchor is told to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Settled {
    /// Deep enough and read back, but the chain could still drop it.
    Confirmed,
    /// The chain cannot undo it.
    #[default]
    Final,
}

/// The wanted anchors of a line that cover at most `log_size` entries, with those that it takes to prove them: oldest
/// first, and each without evidence is followed by the one whose `previous` is its commitment.
///
/// `wanted` are numbers in the book, and `record` reads it. It is asked for those and for what follows them up to the next
/// evidence, so the cost does not grow with the book. Wanted ones that cannot be proven are left out: of another line,
/// not settled, or not followed by evidence.
pub fn published<E>(
    wanted: impl IntoIterator<Item = u64>,
    mut record: impl FnMut(u64) -> Result<Option<AnchorRecord>, E>,
    line: &Line,
    log_size: u64,
    settled: Settled,
) -> Result<Vec<ProvenAnchor>, E> {
    let mut chosen: BTreeMap<u64, ProvenAnchor> = BTreeMap::new();
    // Below this nothing more is proven: a run from there was followed to its end.
    let mut barren_before = 0;
    for first in wanted.into_iter().collect::<BTreeSet<u64>>() {
        if first < barren_before || chosen.contains_key(&first) {
            continue;
        }
        let mut run: Vec<(u64, ProvenAnchor)> = Vec::new();
        let mut is_proven = false;
        for sequence in first.. {
            barren_before = sequence;
            let Some(record) = record(sequence)?.filter(|record| record.content.size <= log_size) else { break };
            let Some(anchor) = told(record, line, settled) else {
                // Between two anchors may lie some that failed or were superseded.
                if run.is_empty() {
                    break;
                }
                continue;
            };
            let follows = |(_, before): &(u64, ProvenAnchor)| before.words.commitment() == anchor.words.previous;
            if !run.last().is_none_or(follows) {
                break;
            }
            if chosen.len() + run.len() >= MAX_PUBLISHED {
                return Ok(chosen.into_values().collect());
            }
            // What follows one that was chosen before is chosen too.
            is_proven = anchor.evidence.is_some() || chosen.contains_key(&sequence);
            run.push((sequence, anchor));
            if is_proven {
                break;
            }
        }
        if is_proven {
            chosen.extend(run);
        }
    }
    Ok(chosen.into_values().collect())
}

fn told(record: AnchorRecord, line: &Line, settled: Settled) -> Option<ProvenAnchor> {
    let inclusion = match record.state {
        AnchorState::Final(inclusion) => inclusion,
        AnchorState::Confirmed(inclusion) if settled == Settled::Confirmed => inclusion,
        _ => return None,
    };
    (record.line == *line).then(|| ProvenAnchor {
        words: record.content.words(inclusion.block_number, inclusion.timestamp_s),
        evidence: record.evidence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commitment::Content;
    use crate::record::Inclusion;
    use crate::value::{Address, BlockHash, Commitment, TxHash};
    use proptest::prelude::*;
    use provenance::evidence::Evidence;
    use std::convert::Infallible;

    const LINE: Line =
        Line { chain_id: 1, contract: Address::from_bytes([1; 20]), sender: Address::from_bytes([2; 20]) };

    /// A line of final anchors that follow each other, with evidence where it is said.
    fn line(evidence: &[bool]) -> Vec<AnchorRecord> {
        let mut previous = Commitment::ZERO;
        let anchors = evidence.iter().zip(0_u64..).map(|(has_evidence, sequence)| {
            let size = 10 * (sequence + 1);
            let content = Content { previous, size, log_root: [0; 32], state_root: [0; 32] };
            previous = content.commitment(sequence, sequence);
            let inclusion = Inclusion {
                tx_hash: TxHash::from_bytes([3; 32]),
                block_number: sequence,
                block_hash: BlockHash::from_bytes([4; 32]),
                timestamp_s: sequence,
                succeeded: true,
                commitment: previous,
                gas_used: 1,
                gas_price_wei: 1,
            };
            let header = vec![1];
            let evidence = Evidence::Storage { header, account: vec![vec![1]], slot: vec![vec![1]] };
            AnchorRecord {
                state: AnchorState::Final(inclusion),
                evidence: Some(evidence).filter(|_| *has_evidence),
                ..AnchorRecord::cut(sequence, LINE, content, 0)
            }
        });
        anchors.collect()
    }

    fn sizes(records: &[AnchorRecord], wanted: &[u64], log_size: u64, settled: Settled) -> Vec<u64> {
        let read = |sequence: u64| Ok::<_, Infallible>(records.get(usize::try_from(sequence).unwrap()).cloned());
        let anchors = published(wanted.iter().copied(), read, &LINE, log_size, settled).unwrap();
        anchors.iter().map(|anchor| anchor.words.size).collect()
    }

    #[test]
    fn an_anchor_without_evidence_brings_those_up_to_the_next_evidence() {
        let records = line(&[true, false, false, true, true, false]);
        let wanted = |wanted: &[u64]| sizes(&records, wanted, 1000, Settled::Final);
        assert_eq!(wanted(&[0]), [10]);
        assert_eq!(wanted(&[1]), [20, 30, 40]);
        assert_eq!(wanted(&[2, 0]), [10, 30, 40]);
        assert_eq!(wanted(&[1, 2, 3, 4]), [20, 30, 40, 50]);
        assert_eq!(wanted(&[5]), [0; 0], "nothing proves the last one");
        assert_eq!(wanted(&[5, 4, 99]), [50]);
    }

    #[test]
    fn only_what_the_log_covers_is_told() {
        let records = line(&[true, false, true]);
        assert_eq!(sizes(&records, &[0, 1, 2], 29, Settled::Final), [10], "the proof of the second covers too much");
        assert_eq!(sizes(&records, &[0, 1, 2], 30, Settled::Final), [10, 20, 30]);
        assert_eq!(sizes(&records, &[0, 1, 2], 9, Settled::Final), [0; 0]);
    }

    #[test]
    fn what_the_chain_could_still_drop_is_told_on_request_only() {
        let mut records = line(&[false, true]);
        let AnchorState::Final(inclusion) = records[1].state else { unreachable!("all are final") };
        records[1].state = AnchorState::Confirmed(inclusion);
        assert_eq!(sizes(&records, &[0, 1], 1000, Settled::Final), [0; 0]);
        assert_eq!(sizes(&records, &[0, 1], 1000, Settled::Confirmed), [10, 20]);
        records[1].state = AnchorState::Mined(inclusion);
        assert_eq!(sizes(&records, &[0, 1], 1000, Settled::Confirmed), [0; 0]);
    }

    #[test]
    fn superseded_anchors_and_other_lines_are_passed_over_and_gaps_are_seen() {
        let mut records = line(&[false, false, true]);
        let superseded =
            AnchorRecord { state: AnchorState::Superseded { reason: String::new() }, ..records[1].clone() };
        records.insert(1, superseded);
        assert_eq!(sizes(&records, &[0], 1000, Settled::Final), [10, 20, 30]);
        let elsewhere = Line { chain_id: 2, ..LINE };
        records.insert(1, AnchorRecord { line: elsewhere, ..records[0].clone() });
        assert_eq!(sizes(&records, &[0, 1], 1000, Settled::Final), [10, 20, 30]);
        records.remove(3);
        assert_eq!(sizes(&records, &[0], 1000, Settled::Final), [0; 0], "an anchor is missing in between");
    }

    #[test]
    fn there_are_never_more_than_a_bundle_takes() {
        let records = line(&vec![true; MAX_PUBLISHED + 5]);
        let all: Vec<u64> = (0..records.len() as u64).collect();
        assert_eq!(sizes(&records, &all, u64::MAX, Settled::Final).len(), MAX_PUBLISHED);
        let records = line(&vec![false; MAX_PUBLISHED + 5]);
        assert_eq!(sizes(&records, &all, u64::MAX, Settled::Final).len(), 0);
    }

    proptest! {
        /// The rule of the bundle: evidence, or a next one that follows.
        #[test]
        fn each_is_proven(evidence: Vec<bool>, wanted in prop::collection::vec(0..60_u64, 0..20), log_size in 0..600_u64) {
            let records = line(&evidence);
            let read = |sequence: u64| Ok::<_, Infallible>(records.get(usize::try_from(sequence).unwrap()).cloned());
            let anchors = published(wanted.clone(), read, &LINE, log_size, Settled::Final).unwrap();
            for (at, anchor) in anchors.iter().enumerate() {
                let next = anchors.get(at + 1);
                let is_followed = next.is_some_and(|next| next.words.previous == anchor.words.commitment());
                prop_assert!(anchor.evidence.is_some() || is_followed);
                prop_assert!(anchor.words.size <= log_size);
            }
            for sequence in wanted {
                let from = usize::try_from(sequence).unwrap();
                let has = |record: &&AnchorRecord| record.evidence.is_some();
                let provable = records.iter().skip(from).find(has).is_some_and(|by| by.content.size <= log_size);
                let is_told = anchors.iter().any(|anchor| anchor.words.size == 10 * (sequence + 1));
                prop_assert_eq!(is_told, provable);
            }
        }
    }
}
