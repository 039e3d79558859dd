//! Check 11: blocks of the chain hold what was anchored.

use super::Policy;
use super::anchors::all_anchors;
use super::report::{Failure, Passed};
use super::verdict::EvidenceBlock;
use crate::bundle::Bundle;
use crate::evidence::Line;
use data_encoding::HEXLOWER;

pub(super) fn chain(bundle: &Bundle, policy: &Policy) -> Result<Passed<Vec<EvidenceBlock>>, Failure> {
    let mut blocks = Vec::new();
    for (line, anchor) in all_anchors(bundle) {
        let Some(evidence) = &anchor.evidence else { continue };
        let sender = Line { contract: line.place.contract, sender: line.place.sender };
        let block = evidence
            .verify(&sender, &anchor.words)
            .map_err(|error| Failure::new(error.code(), error).of_subject(line.node))?;
        if !policy.blocks.is_empty() && !policy.blocks.contains(&block.hash) {
            let detail =
                format!("block {} with hash 0x{} is none of yours", block.number, HEXLOWER.encode(&block.hash));
            return Err(Failure::new("unknown_block", detail).of_subject(line.node));
        }
        blocks.push(EvidenceBlock { chain_id: line.place.chain_id, number: block.number, hash: block.hash });
    }
    if blocks.is_empty() {
        let proves = "No block is shown to hold an anchor.".to_owned();
        return Ok(Passed::new(blocks, proves, "nobody's word").open("not_anchored", "the bundle has no evidence"));
    }
    let proves = format!("{} blocks hold what the nodes anchored.", blocks.len());
    if policy.blocks.is_empty() {
        let detail = "compare the blocks of this verdict with a source that you trust, and bring their hashes";
        return Ok(
            Passed::new(blocks, proves, "the block hashes that you will bring").open("block_hash_needed", detail)
        );
    }
    Ok(Passed::new(blocks, proves, "the block hashes that you brought"))
}
