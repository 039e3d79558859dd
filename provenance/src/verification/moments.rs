//! Moments: after which block an event was made, and before which.

use super::Block;
use super::chain::Witnesses;
use crate::bundle::{Anchor, Bundle};
use crate::history::History;
use crate::id::SubjectId;
use std::collections::HashMap;

/// Between which two blocks an event was made, as far as anchors show it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Moments {
    pub after: Option<Block>,
    pub before: Option<Block>,
}

/// The moments of each event, in the order of the bundle.
pub(super) fn of(bundle: &Bundle, history: &History, node: SubjectId, witnesses: &Witnesses) -> Vec<Moments> {
    let mut by_commitment = HashMap::new();
    for line in &bundle.lines {
        for Anchor { words, .. } in &line.anchors {
            let block = Block { chain_id: line.chain_id, number: words.number, timestamp_s: words.timestamp_s };
            by_commitment.entry((line.chain_id, words.commitment())).or_insert(block);
        }
    }
    let mut by_size: Vec<_> = witnesses.of(bundle, node).map(|(anchor, block)| (anchor.words.size, block)).collect();
    // From the largest log to the smallest, with the earliest block of all that are at least as large.
    by_size.sort_by_key(|(size, block)| (*size, block.timestamp_s, block.chain_id, block.number));
    for at in (1..by_size.len()).rev() {
        let (later, earlier) = (by_size[at].1, by_size[at - 1].1);
        by_size[at - 1].1 = earliest(earlier, later);
    }
    let before = |index: u64| {
        let at = by_size.partition_point(|(size, _)| *size <= index);
        by_size.get(at).map(|(_, block)| *block)
    };
    bundle
        .entries
        .iter()
        .zip(history.events())
        .map(|(entry, judged)| {
            let after = judged.event.payload().after;
            let after = after.and_then(|after| by_commitment.get(&(after.chain_id, after.commitment)).copied());
            Moments { after, before: before(entry.index) }
        })
        .collect()
}

/// The earliest proving block of an anchor of exactly this size of the node's log.
pub(super) fn anchored_in(bundle: &Bundle, node: SubjectId, size: u64, witnesses: &Witnesses) -> Option<Block> {
    let of_size = witnesses.of(bundle, node).filter(|(anchor, _)| anchor.words.size == size);
    of_size.map(|(_, block)| block).reduce(earliest)
}

fn earliest(a: Block, b: Block) -> Block {
    let order = |block: &Block| (block.timestamp_s, block.chain_id, block.number);
    if order(&b) < order(&a) { b } else { a }
}
