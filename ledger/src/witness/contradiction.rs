//! Logs that were rewritten: checkpoints of another log are compared, and the proof is kept for good.

use super::Witness;
use super::kept::KeepNoteError;
use crate::view::node_of_log;
use minicbor::bytes::ByteArray;
use provenance::checkpoint::Checkpoint;
use provenance::contradiction::Contradiction;
use provenance::id::{PublicKey, SubjectId};
use provenance::merkle::Hash;
use provenance::origin::LogOrigin;
use store::{ContradictionRow, Contradictions, Range, StoreError, Witnessed, WitnessedLogs};

/// What a checkpoint says beside the newest one that is kept of the same log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// The same; or it is the first one, and kept from now on; or nobody's log.
    Agrees,
    /// Both cannot be true. The proof is kept.
    Contradicts,
    /// It is of another size: only entries of the log, or a proof of consistency, tell whether it only grew.
    OtherSize {
        /// The note that is kept.
        kept: String,
    },
}

/// A log that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradicted {
    /// The key of the log.
    pub log: PublicKey,
    /// The enrolled node that names this key for its log, if one does now.
    pub node: Option<SubjectId>,
    /// Two checkpoints that cannot both be true.
    pub proof: Contradiction,
}

impl Witness {
    /// Compares a checkpoint that an enrolled log has signed with the newest one that is kept of it, whoever has shown it.
    pub fn compare(&self, log: &PublicKey, note: &str) -> Result<Compared, KeepNoteError> {
        let checkpoint = Checkpoint::open(note, log)?;
        let _turn = self.0.lock_witnessed();
        let store = self.0.reader().store();
        if self.contradicts_itself(log)? {
            return Ok(Compared::Contradicts);
        }
        if node_of_log(self.0.reader(), log)?.is_none() {
            return Ok(Compared::Agrees);
        }
        let mut row = store.get::<WitnessedLogs>(log)?.unwrap_or_default();
        let Some(kept) = &row.note else {
            row.note = Some(note.to_owned());
            let mut batch = store.batch();
            batch.put::<WitnessedLogs>(log, &row);
            batch.commit_synced()?;
            return Ok(Compared::Agrees);
        };
        if let Some(proof) = Contradiction::of_one_size(kept, note, log)? {
            self.keep_proof(log, &proof)?;
            return Ok(Compared::Contradicts);
        }
        let is_same = Checkpoint::open(kept, log)? == checkpoint;
        Ok(if is_same { Compared::Agrees } else { Compared::OtherSize { kept: kept.clone() } })
    }

    /// Keeps the proof that an enrolled log was rewritten, after it was verified; false where it proves nothing of this log. The
    /// first proof is as good as any other, so it stays.
    pub fn keep_contradiction(&self, log: &PublicKey, proof: &Contradiction) -> Result<bool, StoreError> {
        let origin = LogOrigin { network: self.0.network().id(), key: *log };
        if !proof.verify().is_ok_and(|proven| proven.origin == origin) {
            return Ok(false);
        }
        let _turn = self.0.lock_witnessed();
        self.keep_proof(log, proof)?;
        Ok(true)
    }

    /// Whether a log is proven to contradict itself. It is neither followed nor cosigned any more.
    pub fn contradicts_itself(&self, log: &PublicKey) -> Result<bool, StoreError> {
        let store = self.0.reader().store();
        if store.contains::<Contradictions>(log)? {
            return Ok(true);
        }
        let row = store.get::<Witnessed>(log)?;
        Ok(row.is_some_and(|row| row.contradiction.is_some()))
    }

    /// All logs that are proven to contradict themselves. There are no more than were ever enrolled.
    pub fn contradictions(&self) -> Result<Vec<Contradicted>, StoreError> {
        let store = self.0.reader().store();
        let mut found = Vec::new();
        for row in store.scan::<Contradictions>(Range::all()) {
            let (log, row) = row?;
            let hashes = |hashes: Vec<ByteArray<32>>| hashes.into_iter().map(Hash::from).collect();
            let (before, between) = (hashes(row.before), hashes(row.between));
            let proof = Contradiction { first: row.first, second: row.second, before, between };
            found.push(Contradicted { log, node: node_of_log(self.0.reader(), &log)?, proof });
        }
        // What earlier programs kept, which knew contradictions of one size only.
        for row in store.scan::<Witnessed>(Range::all()) {
            let (log, row) = row?;
            let (Some(cosigned), Some(other)) = (row.cosigned, row.contradiction) else { continue };
            if let Ok(Some(proof)) = Contradiction::of_one_size(&cosigned.note, &other, &log)
                && found.iter().all(|found| found.log != log)
            {
                found.push(Contradicted { log, node: node_of_log(self.0.reader(), &log)?, proof });
            }
        }
        Ok(found)
    }

    /// Keeps a proof that was verified or made here, for those who hold the lock.
    pub(super) fn keep_proof(&self, log: &PublicKey, proof: &Contradiction) -> Result<(), StoreError> {
        let store = self.0.reader().store();
        if store.contains::<Contradictions>(log)? {
            return Ok(());
        }
        let hashes = |hashes: &[Hash]| hashes.iter().copied().map(ByteArray::from).collect();
        let Contradiction { first, second, before, between } = proof;
        let (first, second) = (first.clone(), second.clone());
        let row = ContradictionRow { first, second, before: hashes(before), between: hashes(between) };
        let mut batch = store.batch();
        batch.put::<Contradictions>(log, &row);
        // Whoever was caught once is never followed again.
        batch.commit_synced()?;
        tracing::error!(
            %log,
            "a node has REWRITTEN its log: it has signed two checkpoints that cannot both be true. It is neither followed nor \
             cosigned any more, and the proof is kept; see 'furrow log contradictions'"
        );
        Ok(())
    }
}
