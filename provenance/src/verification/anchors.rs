//! Check 10: what was anchored are earlier states of this very log, one after the other.

use super::checkpoint::SignedCheckpoint;
use super::nodes::anchors_at;
use super::report::{Failure, MATHEMATICS, Passed};
use super::scope::Scoped;
use crate::bundle::{Anchor, AnchorLine, Bundle};
use crate::checkpoint::Checkpoint;
use crate::history::History;
use crate::merkle::verify_consistency;

pub(super) fn anchors(
    bundle: &Bundle,
    history: &History,
    checkpoint: &SignedCheckpoint,
    scoped: &Scoped,
) -> Result<Passed<()>, Failure> {
    for line in &bundle.anchors {
        let failure = |reason, detail: &str| Failure::new(reason, detail).of_subject(line.node);
        if !anchors_at(&line.node, &line.place, history) {
            return Err(failure("foreign_anchor", "no event of the node says that it anchors there"));
        }
        if !line.anchors.windows(2).all(|pair| follows(&pair[0], &pair[1])) {
            return Err(failure("anchor_order", "a size, block number or timestamp descends along the line"));
        }
        if !is_linked(line) {
            return Err(failure(
                "bad_link",
                "an anchor has no evidence, and the next one does not name its commitment",
            ));
        }
        if line.node != scoped.node {
            if line.anchors.iter().any(|anchor| anchor.consistency.is_some()) {
                return Err(failure("bad_consistency", "another node's log cannot be consistent with this checkpoint"));
            }
            continue;
        }
        for anchor in &line.anchors {
            consistent(anchor, &checkpoint.content).map_err(|detail| failure("bad_consistency", &detail))?;
        }
        let other_state = |anchor: &Anchor| {
            anchor.words.size == checkpoint.content.size && anchor.words.state_root != checkpoint.content.state_root
        };
        if line.anchors.iter().any(other_state) {
            return Err(failure("other_state_root", "an anchor of the checkpoint's size has another state root"));
        }
    }
    let own: usize = own_anchors(bundle, scoped).count();
    if own == 0 {
        let proves = "Nothing of this log was anchored, as far as the bundle shows.".to_owned();
        return Ok(
            Passed::new((), proves, "nobody's word").open("not_anchored", "the bundle has no anchor of this log")
        );
    }
    let proves = format!("{own} anchored states are earlier or equal states of this very log; none was rewritten.");
    Ok(Passed::new((), proves, MATHEMATICS))
}

/// The anchors on the lines of the checkpoint's node.
pub(super) fn own_anchors<'b>(
    bundle: &'b Bundle,
    scoped: &Scoped,
) -> impl Iterator<Item = (&'b AnchorLine, &'b Anchor)> {
    all_anchors(bundle).filter(|(line, _)| line.node == scoped.node)
}

/// All anchors with their lines.
pub(super) fn all_anchors(bundle: &Bundle) -> impl Iterator<Item = (&AnchorLine, &Anchor)> {
    bundle.anchors.iter().flat_map(|line| line.anchors.iter().map(move |anchor| (line, anchor)))
}

fn follows(one: &Anchor, next: &Anchor) -> bool {
    let (one, next) = (&one.words, &next.words);
    one.size <= next.size && one.number <= next.number && one.timestamp_s <= next.timestamp_s
}

/// Every anchor has evidence, or is named by the next one.
fn is_linked(line: &AnchorLine) -> bool {
    line.anchors.iter().enumerate().all(|(at, anchor)| {
        let named = |next: &Anchor| next.words.previous == anchor.words.commitment();
        anchor.evidence.is_some() || line.anchors.get(at + 1).is_some_and(named)
    })
}

fn consistent(anchor: &Anchor, log: &Checkpoint) -> Result<(), String> {
    let proof = anchor.consistency.as_ref().ok_or("an anchor of the log has no proof of consistency")?;
    verify_consistency(anchor.words.size, log.size, &anchor.words.log_root, &log.root, proof)
        .map_err(|error| error.to_string())
}
