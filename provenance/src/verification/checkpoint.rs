//! Checks 6 and 7: the node signed the state of its log, and other nodes confirm it.

use super::report::{Failure, Passed};
use super::scope::Scoped;
use super::{Cosigner, Policy};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::cosignature::{CosignatureLine, cosignatures};
use crate::id::SubjectId;
use crate::network::Network;
use crate::note::Note;
use crate::origin::LogOrigin;
use std::collections::BTreeMap;

/// Sizes stay exact in every JSON parser.
const SIZE_LIMIT: u64 = 1 << 53;

/// A checkpoint that was read; nobody's signature has been checked.
pub(super) struct SignedCheckpoint {
    pub note: Note,
    pub content: Checkpoint,
    pub origin: LogOrigin,
}

impl SignedCheckpoint {
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        let malformed = |error: &dyn std::fmt::Display| Failure::new("malformed_checkpoint", error);
        let note = Note::parse(text).map_err(|error| malformed(&error))?;
        let content = Checkpoint::parse(note.text()).map_err(|error| malformed(&error))?;
        if content.size >= SIZE_LIMIT {
            return Err(malformed(&"the size is 2^53 or more"));
        }
        let origin = content.origin.parse().map_err(|error| malformed(&error))?;
        Ok(Self { note, content, origin })
    }

    /// The lines that claim to be cosignatures by nodes of the network.
    pub(super) fn cosignatures(&self, network: &Network) -> impl Iterator<Item = CosignatureLine<'_>> {
        let network = network.id();
        cosignatures(&self.note).filter(move |line| line.cosigner().network == network)
    }
}

pub(super) fn checkpoint(
    read: Result<SignedCheckpoint, Failure>,
    network: &Network,
    scoped: &Scoped,
) -> Result<Passed<SignedCheckpoint>, Failure> {
    let read = read?;
    if read.origin.network != network.id() {
        let detail = format!("the checkpoint is that of a log of network {}", read.origin.network);
        return Err(Failure::new("other_log", detail));
    }
    Checkpoint::of_note(&read.note, &read.origin.key).map_err(|error| match error {
        CheckpointError::Unsigned | CheckpointError::Signature => Failure::new("bad_signature", error),
        CheckpointError::Note(_) | CheckpointError::Malformed(_) => Failure::new("malformed_checkpoint", error),
    })?;
    let node = scoped.node;
    let proves = format!("Node {node} signed that its log has {} entries, with these roots.", read.content.size);
    Ok(Passed::new(read, proves, format!("the log key of node {node}")))
}

pub(super) fn cosigners(
    checkpoint: &SignedCheckpoint,
    network: &Network,
    scoped: &Scoped,
    policy: &Policy,
) -> Result<Passed<Vec<Cosigner>>, Failure> {
    let mut lines: BTreeMap<SubjectId, Vec<CosignatureLine<'_>>> = BTreeMap::new();
    for line in checkpoint.cosignatures(network) {
        if let Some(node) = scoped.nodes.with_log_key(&line.cosigner().key) {
            lines.entry(node).or_default().push(line);
        }
    }
    let mut cosigners: Vec<Cosigner> = Vec::new();
    for (node, lines) in lines {
        let mut earliest = None;
        for line in lines {
            let cosignature = line.verify(checkpoint.note.text());
            let time_s = cosignature.map_err(|error| Failure::new("bad_cosignature", error).of_subject(node))?.time_s;
            earliest = Some(earliest.map_or(time_s, |earliest: u64| earliest.min(time_s)));
        }
        cosigners.extend(earliest.filter(|_| node != scoped.node).map(|time_s| Cosigner { node, time_s }));
    }
    let counts = |cosigner: &&Cosigner| policy.cosigners.is_empty() || policy.cosigners.contains(&cosigner.node);
    let counted = cosigners.iter().filter(counts).count();
    if counted < policy.wanted_cosigners {
        let detail = format!("{counted} nodes cosigned of the {} that you want", policy.wanted_cosigners);
        return Err(Failure::new("too_few_cosigners", detail));
    }
    let (proves, rests_on) = if cosigners.is_empty() {
        ("No other node confirms this state, and you want none to.".to_owned(), "nobody's word".to_owned())
    } else {
        let names: Vec<_> = cosigners.iter().map(|cosigner| cosigner.node.to_string()).collect();
        let proves = format!("{} other nodes computed the same roots from the log's entries.", cosigners.len());
        (proves, format!("the word of {}", names.join(", ")))
    };
    Ok(Passed::new(cosigners, proves, rests_on))
}
