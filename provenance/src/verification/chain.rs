//! The chain's word: anchors that follow each other, and the blocks that hold them.

use super::{Block, Failure, NeededBlock, Policy, Reason};
use crate::body::AnchoringDetails;
use crate::bundle::{Anchor, AnchorLine, Bundle};
use crate::checkpoint::Checkpoint;
use crate::evidence::EvidenceError;
use crate::id::SubjectId;
use crate::merkle::verify_consistency;
use crate::verification::Nodes;
use std::fmt::Write;

/// Check 10: the anchors are those of their nodes, and lead from one to the next. What is open, if anything.
pub(super) fn anchors(
    bundle: &Bundle,
    nodes: &Nodes,
    node: SubjectId,
    checkpoint: &Checkpoint,
) -> Result<Option<Failure>, Failure> {
    for line in &bundle.lines {
        let wrong = |reason, detail: &str| Err(Failure::of_subject(reason, line.node, detail));
        let named =
            AnchoringDetails { chain_id: line.chain_id, contract: line.line.contract, sender: line.line.sender };
        if !nodes.anchoring(&line.node).any(|details| *details == named) {
            return wrong(
                Reason::ForeignAnchor,
                "the node never named this chain, contract and sender for its anchors",
            );
        }
        let ascends = |pair: &[Anchor]| {
            let (a, b) = (&pair[0].words, &pair[1].words);
            a.size <= b.size && a.number <= b.number && a.timestamp_s <= b.timestamp_s
        };
        if !line.anchors.windows(2).all(ascends) {
            return wrong(
                Reason::AnchorOrder,
                "the anchors of the line do not stand in the order in which they were made",
            );
        }
        let bound = |(index, anchor): (usize, &Anchor)| {
            let next = line.anchors.get(index + 1);
            anchor.evidence.is_some() || next.is_some_and(|next| next.words.previous == anchor.words.commitment())
        };
        if !line.anchors.iter().enumerate().all(bound) {
            return wrong(Reason::BadLink, "an anchor has no evidence, and no later anchor that builds on it");
        }
        consistent(line, node, checkpoint)?;
    }
    let anchored = bundle.lines.iter().any(|line| line.node == node);
    let open =
        || Failure::of(Reason::NotAnchored, "the bundle shows no anchor of the log; the times are its signers' own");
    Ok((!anchored).then(open))
}

/// Whether the logs of the line's anchors are beginnings of the checkpoint's.
fn consistent(line: &AnchorLine, node: SubjectId, checkpoint: &Checkpoint) -> Result<(), Failure> {
    let wrong = |reason, detail: &str| Err(Failure::of_subject(reason, line.node, detail));
    let own = line.node == node;
    for Anchor { words, consistency, .. } in &line.anchors {
        let proof = match consistency {
            None if !own => continue,
            Some(proof) if own => proof,
            _ => return wrong(Reason::BadConsistency, "a proof of consistency is missing, or out of place"),
        };
        if verify_consistency(words.size, checkpoint.size, &words.log_root, &checkpoint.root, proof).is_err() {
            return wrong(Reason::BadConsistency, "the anchored log is not the beginning of the log of the checkpoint");
        }
    }
    let other =
        |anchor: &Anchor| anchor.words.size == checkpoint.size && anchor.words.state_root != checkpoint.state_root;
    if own && line.anchors.iter().any(other) {
        return wrong(Reason::OtherStateRoot, "the anchor and the checkpoint of one size have different state roots");
    }
    Ok(())
}

/// The blocks to which the evidence of a bundle leads.
#[derive(Debug, Default)]
pub(super) struct Witnesses {
    /// All of them, in the order of the bundle.
    pub blocks: Vec<NeededBlock>,
    /// For each line, the proving block of each anchor: that of its evidence, or of the first after it. Only a
    /// header tells a time that nobody could choose: the words of an anchor are whatever its contract hashed.
    proving: Vec<Vec<Option<Block>>>,
}

impl Witnesses {
    /// The anchors of the lines of `node`, each with its proving block.
    pub fn of<'b>(&'b self, bundle: &'b Bundle, node: SubjectId) -> impl Iterator<Item = (&'b Anchor, Block)> {
        let lines = bundle.lines.iter().zip(&self.proving).filter(move |(line, _)| line.node == node);
        let anchors = lines.flat_map(|(line, proving)| line.anchors.iter().zip(proving));
        anchors.filter_map(|(anchor, block)| Some((anchor, (*block)?)))
    }
}

/// Check 11: blocks hold the anchors. The blocks, and what is open, if anything.
pub(super) fn evidence(bundle: &Bundle, policy: &Policy) -> Result<(Witnesses, Option<Failure>), Failure> {
    let mut witnesses = Witnesses::default();
    for line in &bundle.lines {
        let mut proving = vec![None; line.anchors.len()];
        for (anchor, place) in line.anchors.iter().zip(&mut proving) {
            let Some(evidence) = &anchor.evidence else { continue };
            let block = evidence
                .verify(&line.line, &anchor.words)
                .map_err(|error| Failure::of_subject(reason(error), line.node, error.to_string()))?;
            if !policy.block_hashes.is_empty() && !policy.block_hashes.contains(&block.hash) {
                let detail = format!(
                    "the hash of block {} is {}, which is not among those that you brought",
                    block.number,
                    block_hash(&block.hash)
                );
                return Err(Failure::of_subject(Reason::UnknownBlock, line.node, detail));
            }
            let (chain_id, number, timestamp_s) = (line.chain_id, block.number, block.timestamp_s);
            witnesses.blocks.push(NeededBlock { chain_id, number, hash: block.hash });
            *place = Some(Block { chain_id, number, timestamp_s });
        }
        let mut later = None;
        for place in proving.iter_mut().rev() {
            later = place.or(later);
            *place = later;
        }
        witnesses.proving.push(proving);
    }
    let blocks = &witnesses.blocks;
    let open = if blocks.is_empty() {
        Some(Failure::of(Reason::NotAnchored, "the bundle shows no anchor, so no block can bear witness to it"))
    } else if policy.block_hashes.is_empty() {
        let numbers: Vec<String> = blocks.iter().map(|block| block.number.to_string()).collect();
        let detail = format!("bring the hashes of these blocks from a source that you trust: {}", numbers.join(", "));
        Some(Failure::of(Reason::BlockHashNeeded, detail))
    } else {
        None
    };
    Ok((witnesses, open))
}

fn reason(error: EvidenceError) -> Reason {
    match error {
        EvidenceError::BadHeader => Reason::BadHeader,
        EvidenceError::BadAccountProof => Reason::BadAccountProof,
        EvidenceError::BadStorageProof => Reason::BadStorageProof,
        EvidenceError::BadReceiptProof => Reason::BadReceiptProof,
    }
}

/// A block's hash as Ethereum writes it.
pub(super) fn block_hash(hash: &[u8; 32]) -> String {
    let mut text = "0x".to_owned();
    for byte in hash {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
    }
    text
}
