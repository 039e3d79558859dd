//! Checks 8 and 9: events stand in the log, and no event of a whole history is withheld.

use super::checkpoint::SignedCheckpoint;
use super::report::{Failure, MATHEMATICS, Passed};
use super::scope::Scoped;
use super::verdict::Cosigner;
use crate::bundle::Bundle;
use crate::history::History;
use crate::merkle::{leaf_hash, verify_inclusion};
use crate::state_map::digest;

pub(super) fn log(bundle: &Bundle, history: &History, checkpoint: &SignedCheckpoint) -> Result<Passed<()>, Failure> {
    let log = &checkpoint.content;
    for (entry, judged) in bundle.entries.iter().zip(history.events()) {
        let id = judged.event.id();
        verify_inclusion(&leaf_hash(id.as_bytes()), entry.index, log.size, &entry.path, &log.root)
            .map_err(|error| Failure::new("bad_inclusion", error).of_event(id))?;
    }
    let proves = format!("Each of the {} events stands in the log at its index.", bundle.entries.len());
    Ok(Passed::new((), proves, MATHEMATICS))
}

pub(super) fn whole(
    bundle: &Bundle,
    history: &History,
    checkpoint: &SignedCheckpoint,
    scoped: &Scoped,
    cosigners: &[Cosigner],
) -> Result<Passed<()>, Failure> {
    for proof in &bundle.subjects {
        let value = digest(&history.tips(&proof.subject));
        proof
            .proof
            .verify(&checkpoint.content.state_root, &proof.subject, value.as_ref())
            .map_err(|error| Failure::new("not_whole", error).of_subject(proof.subject))?;
    }
    let proves = format!(
        "No event of any of the {} histories is withheld, as of the log's {} entries.",
        bundle.subjects.len(),
        checkpoint.content.size
    );
    let mut rests_on = format!("the word of node {}", scoped.node);
    if !cosigners.is_empty() {
        let names: Vec<_> = cosigners.iter().map(|cosigner| cosigner.node.to_string()).collect();
        rests_on = format!("{rests_on}, cosigned by {}", names.join(", "));
    }
    Ok(Passed::new((), proves, rests_on))
}
