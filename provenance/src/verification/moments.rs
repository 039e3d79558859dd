//! Between which blocks each event was made.

use super::anchors::{all_anchors, own_anchors};
use super::scope::Scoped;
use super::verdict::Block;
use crate::bundle::{Anchor, AnchorLine, Bundle};
use crate::payload::After;
use std::collections::BTreeMap;

/// The blocks of all anchors, ready to be asked.
pub(super) struct Moments {
    /// Commitments with their blocks.
    by_commitment: BTreeMap<(u64, [u8; 32]), Block>,
    /// Sizes of the checkpoint's log that were anchored, with the earliest block of each.
    exactly: BTreeMap<u64, Block>,
    /// Ascending sizes, with the earliest block of an anchor of that size or a larger one.
    at_least: Vec<(u64, Block)>,
}

impl Moments {
    pub(super) fn of(bundle: &Bundle, scoped: &Scoped) -> Self {
        let by_commitment = all_anchors(bundle)
            .map(|(line, anchor)| ((line.place.chain_id, anchor.words.commitment()), block(line, anchor)))
            .collect();
        let mut exactly: BTreeMap<u64, Block> = BTreeMap::new();
        for (line, anchor) in own_anchors(bundle, scoped) {
            let block = block(line, anchor);
            exactly.entry(anchor.words.size).and_modify(|earliest| *earliest = block.min(*earliest)).or_insert(block);
        }
        let mut at_least: Vec<(u64, Block)> = Vec::with_capacity(exactly.len());
        for (size, block) in exactly.iter().rev() {
            let earliest = at_least.last().map_or(*block, |(_, later)| *later.min(block));
            at_least.push((*size, earliest));
        }
        at_least.reverse();
        Self { by_commitment, exactly, at_least }
    }

    /// The block before which the entry with this index was made.
    pub(super) fn before(&self, index: u64) -> Option<Block> {
        let place = self.at_least.partition_point(|(size, _)| *size <= index);
        self.at_least.get(place).map(|(_, block)| *block)
    }

    /// The block of the anchor that an event names.
    pub(super) fn after(&self, after: &After) -> Option<Block> {
        self.by_commitment.get(&(after.chain_id, after.commitment)).copied()
    }

    /// The earliest block in which a log of exactly this size was anchored.
    pub(super) fn anchored_at(&self, size: u64) -> Option<Block> {
        self.exactly.get(&size).copied()
    }
}

fn block(line: &AnchorLine, anchor: &Anchor) -> Block {
    let words = &anchor.words;
    Block { chain_id: line.place.chain_id, number: words.number, timestamp_s: words.timestamp_s }
}
