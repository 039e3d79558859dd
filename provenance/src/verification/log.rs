//! The log's word: its checkpoint, who cosigned it, that it holds the events, and that it shows all of them.

use super::{Cosigner, Failure, Nodes, Policy, Reason};
use crate::bundle::Bundle;
use crate::checkpoint::Checkpoint;
use crate::cosignature::cosignatures;
use crate::history::History;
use crate::id::{NetworkId, SubjectId};
use crate::merkle::{leaf_hash, verify_inclusion};
use crate::note::Note;
use crate::origin::{LogOrigin, LogOriginError};
use std::collections::BTreeMap;

/// Integers stay exact in every JSON parser.
const SIZE_LIMIT: u64 = 1 << 53;

/// The note, not verified yet.
pub(super) fn read(bundle: &Bundle) -> Result<Note, Failure> {
    let note =
        Note::parse(&bundle.checkpoint).map_err(|error| Failure::of(Reason::MalformedCheckpoint, error.to_string()))?;
    parse(&note)?;
    Ok(note)
}

fn parse(note: &Note) -> Result<Checkpoint, Failure> {
    let malformed = |detail: String| Failure::of(Reason::MalformedCheckpoint, detail);
    let checkpoint = Checkpoint::parse(note.text()).map_err(|error| malformed(error.to_string()))?;
    if checkpoint.size >= SIZE_LIMIT {
        return Err(malformed("no log has so many entries".to_owned()));
    }
    Ok(checkpoint)
}

/// Check 6: the checkpoint, signed by the key that its origin names.
pub(super) fn checkpoint(note: &Note, network: NetworkId) -> Result<Checkpoint, Failure> {
    let checkpoint = parse(note)?;
    let origin: LogOrigin = checkpoint
        .origin
        .parse()
        .map_err(|error: LogOriginError| Failure::of(Reason::MalformedCheckpoint, error.to_string()))?;
    if origin.network != network {
        let detail = format!("the log {} is not one of this network", checkpoint.origin);
        return Err(Failure::of(Reason::OtherLog, detail));
    }
    Checkpoint::of_note(note, &origin.key).map_err(|error| Failure::of(Reason::BadSignature, error.to_string()))
}

/// Check 7: every cosignature by a node of the bundle holds, and those that the policy wants are there.
pub(super) fn cosigners(
    note: &Note,
    network: NetworkId,
    nodes: &Nodes,
    own: SubjectId,
    policy: &Policy,
) -> Result<Vec<Cosigner>, Failure> {
    let mut cosigners = BTreeMap::new();
    for line in cosignatures(note).filter(|line| line.cosigner().network == network) {
        let Some(node) = nodes.with_log_key(&line.cosigner().key) else { continue };
        let cosignature = line
            .verify(note.text())
            .map_err(|error| Failure::of_subject(Reason::BadCosignature, node, error.to_string()))?;
        if node != own {
            let time = cosigners.entry(node).or_insert(cosignature.time_s);
            *time = (*time).min(cosignature.time_s);
        }
    }
    let counts = |node: &&SubjectId| policy.trusted_cosigners.as_ref().is_none_or(|trusted| trusted.contains(*node));
    let counted = cosigners.keys().filter(counts).count();
    if counted < policy.cosigners {
        let detail =
            format!("{counted} of the cosigners that you trust have confirmed it; you want {}", policy.cosigners);
        return Err(Failure::of(Reason::TooFewCosigners, detail));
    }
    Ok(cosigners.into_iter().map(|(node, time_s)| Cosigner { node, time_s }).collect())
}

/// Check 8: each event stands in the log at its index.
pub(super) fn inclusions(bundle: &Bundle, history: &History, checkpoint: &Checkpoint) -> Result<(), Failure> {
    for (entry, judged) in bundle.entries.iter().zip(history.events()) {
        let id = judged.event.id();
        let leaf = leaf_hash(id.as_bytes());
        verify_inclusion(&leaf, entry.index, checkpoint.size, &entry.path, &checkpoint.root)
            .map_err(|error| Failure::of_event(Reason::BadInclusion, id, error.to_string()))?;
    }
    Ok(())
}

/// Check 9: the histories end as the state map says.
pub(super) fn whole(bundle: &Bundle, history: &History, checkpoint: &Checkpoint) -> Result<(), Failure> {
    for subject in &bundle.subjects {
        let digest = history.digest(&subject.subject);
        subject
            .proof
            .verify(&checkpoint.state_root, &subject.subject, digest.as_ref())
            .map_err(|error| Failure::of_subject(Reason::NotWhole, subject.subject, error.to_string()))?;
    }
    Ok(())
}
