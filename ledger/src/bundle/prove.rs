//! The proofs of a bundle: places in the log, ends of histories, and anchors.

use super::collect::Collected;
use super::{BundleSources, MakeError};
use crate::check::StoredNodes;
use crate::ledger::Ledger;
use crate::log::LogError;
use crate::map::{StoredPages, Version, unreadable};
use provenance::bundle::{Anchor, AnchorLine, Entry, SubjectProof};
use provenance::merkle::{Hash, Nodes, consistency_proof, inclusion_proof};
use provenance::state_map::{MapError, prove};
use provenance::verification::Nodes as EnrolledNodes;
use std::cell::RefCell;
use std::collections::HashMap;
use store::{Column, StoreError};

/// The tree's hashes, each read once: the proofs of a bundle share most of their upper halves.
struct Remembered<'a> {
    nodes: StoredNodes<'a>,
    known: RefCell<HashMap<(u32, u64), Hash>>,
}

impl Nodes for Remembered<'_> {
    type Error = StoreError;

    fn node(&self, level: u32, index: u64) -> Result<Hash, StoreError> {
        if let Some(hash) = self.known.borrow().get(&(level, index)) {
            return Ok(*hash);
        }
        let hash = self.nodes.node(level, index)?;
        self.known.borrow_mut().insert((level, index), hash);
        Ok(hash)
    }
}

impl Ledger {
    fn remembered(&self) -> Remembered<'_> {
        Remembered { nodes: StoredNodes(self.reader()), known: RefCell::default() }
    }

    /// Each event with its place in the log.
    pub(super) fn entries(&self, collected: &Collected) -> Result<Vec<Entry>, MakeError> {
        let nodes = self.remembered();
        let mut entries = Vec::new();
        for (index, stored) in collected.indexes().into_iter().zip(collected.events()) {
            let path = inclusion_proof(index, collected.size, &nodes)?;
            let path = path.ok_or(LogError::Range { size: collected.size })?;
            entries.push(Entry { index, event: stored.judged.event.bytes().to_vec(), path });
        }
        Ok(entries)
    }

    /// What the state map says of each whole subject.
    pub(super) fn subject_proofs(&self, collected: &Collected) -> Result<Vec<SubjectProof>, MakeError> {
        let store = self.reader().store();
        let version = Version::at(store, collected.size)?.ok_or(MakeError::Pruned)?;
        let mut proofs = Vec::with_capacity(collected.scope.whole.len());
        for subject in &collected.scope.whole {
            let proof = match prove(version.root, subject, &StoredPages(store)) {
                Ok(proof) => proof,
                Err(MapError::Missing(_)) if Version::at(store, collected.size)?.is_none() => {
                    return Err(MakeError::Pruned);
                }
                Err(error) => return Err(unreadable(error).into()),
            };
            let digest = collected.history.digest(subject);
            proof.verify(&version.state_root(), subject, digest.as_ref()).map_err(|error| StoreError::Corrupt {
                column: Column::MapPages.name(),
                detail: format!("the state of {subject} at {} entries: {error}; rebuild the state map", collected.size),
            })?;
            proofs.push(SubjectProof { subject: *subject, proof });
        }
        Ok(proofs)
    }

    /// The node's anchors that cover these events, or that they name.
    pub(super) fn anchor_lines(
        &self,
        collected: &Collected,
        sources: &impl BundleSources,
    ) -> Result<Vec<AnchorLine>, MakeError> {
        let named = collected.events().filter_map(|stored| stored.judged.event.payload().after);
        let commitments: Vec<[u8; 32]> = named.map(|after| after.commitment).collect();
        let enrolled = EnrolledNodes::of(&collected.history);
        let nodes = self.remembered();
        let mut lines = Vec::new();
        for proven in sources.anchors(&collected.indexes(), &commitments, collected.size) {
            // Anchors of a contract or account that its enrolment does not name are nobody's, to others.
            let is_its = enrolled.anchoring(&collected.node).any(|details| {
                (details.chain_id, details.contract, details.sender)
                    == (proven.chain_id, proven.line.contract, proven.line.sender)
            });
            if !is_its {
                continue;
            }
            let mut anchors = Vec::with_capacity(proven.anchors.len());
            for anchor in proven.anchors {
                let consistency = consistency_proof(anchor.words.size, collected.size, &nodes)?;
                let consistency = Some(consistency.ok_or(LogError::Range { size: collected.size })?);
                anchors.push(Anchor { words: anchor.words, consistency, evidence: anchor.evidence });
            }
            lines.push(AnchorLine { node: collected.node, chain_id: proven.chain_id, line: proven.line, anchors });
        }
        Ok(lines)
    }
}
