//! The records that anchoring works with: those of the book that can still change or bear on the next anchor. Each
//! change is durable before it is visible here.

use crate::book::{AnchorBook, BookError, LogHead};
use crate::problem::Problem;
use crate::record::{AnchorRecord, AnchorState, Line, TransitionError};
use crate::value::Commitment;
use provenance::evidence::Evidence;
use std::collections::BTreeMap;
use std::sync::Arc;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// How long evidence of a final anchor is still sought: time for whoever runs the node to name a better endpoint. Later
/// anchors prove it as well by then.
const EVIDENCE_SOUGHT_MS: u64 = DAY_MS;

pub(crate) struct Journal {
    book: Arc<dyn AnchorBook>,
    records: BTreeMap<u64, AnchorRecord>,
    next_sequence: u64,
}

impl Journal {
    /// Reads the book from its end back to the first record that nothing depends on any more.
    pub(crate) fn open(book: Arc<dyn AnchorBook>, line: &Line, now_ms: u64) -> Result<Self, Problem> {
        let mut journal =
            Self { next_sequence: book.last_sequence()?.map_or(0, |last| last + 1), records: BTreeMap::new(), book };
        for sequence in (0..journal.next_sequence).rev() {
            let Some(bytes) = journal.book.load(sequence)? else { continue };
            let mut record = AnchorRecord::decode(&bytes)?;
            if record.line != *line {
                if matches!(record.state, AnchorState::Cut | AnchorState::Signed | AnchorState::Sent) {
                    record.superseded("the node now anchors elsewhere".to_owned(), now_ms)?;
                    journal.book.save(sequence, &record.encode())?;
                }
                continue;
            }
            let is_old = record.cut_ms / DAY_MS < now_ms / DAY_MS;
            let is_final = matches!(record.state, AnchorState::Final(_));
            journal.records.insert(sequence, record);
            if is_old && is_final {
                break;
            }
        }
        Ok(journal)
    }

    pub(crate) fn get(&self, sequence: u64) -> &AnchorRecord {
        self.records.get(&sequence).expect("records that can change are kept")
    }

    /// The newest record.
    pub(crate) fn newest(&self) -> Option<&AnchorRecord> {
        self.records.values().next_back()
    }

    /// The numbers of the records that can still change, oldest first.
    pub(crate) fn open_sequences(&self) -> Vec<u64> {
        self.records.values().filter(|record| record.is_open()).map(|record| record.sequence).collect()
    }

    /// The anchor on its way.
    pub(crate) fn in_flight(&self) -> Option<&AnchorRecord> {
        self.records.values().find(|record| record.is_in_flight())
    }

    /// The newest anchor that counts.
    pub(crate) fn anchored(&self) -> Option<&AnchorRecord> {
        self.records.values().rev().find(|record| record.is_anchored())
    }

    /// The newest anchor that is final.
    pub(crate) fn final_anchor(&self) -> Option<&AnchorRecord> {
        self.records.values().rev().find(|record| matches!(record.state, AnchorState::Final(_)))
    }

    /// The highest block that an anchor which is not yet final is in.
    pub(crate) fn highest_open_block(&self) -> u64 {
        let open = self.records.values().filter(|record| record.is_open());
        open.filter_map(AnchorRecord::inclusion).map(|inclusion| inclusion.block_number).max().unwrap_or(0)
    }

    /// Whether an anchor that is in a block has this nonce.
    pub(crate) fn has_mined(&self, nonce: u64) -> bool {
        let anchored = self.records.values().filter(|record| record.is_anchored());
        anchored.into_iter().any(|record| record.nonce >= Some(nonce))
    }

    /// Whether an open anchor has a lower nonce, so that the one with this nonce has to wait for it.
    pub(crate) fn waits_for_another(&self, nonce: u64) -> bool {
        let waiting = |state: &AnchorState| matches!(state, AnchorState::Signed | AnchorState::Sent);
        self.records.values().any(|record| waiting(&record.state) && record.nonce.is_some_and(|other| other < nonce))
    }

    /// The anchor of which this is the commitment.
    pub(crate) fn with_commitment(&self, commitment: Commitment) -> Option<&AnchorRecord> {
        let is_it = |record: &&AnchorRecord| {
            record.inclusion().is_some_and(|inclusion| inclusion.succeeded && inclusion.commitment == commitment)
        };
        self.records.values().rev().find(is_it)
    }

    /// What the anchors signed today (UTC) cost or can cost, leaving out one of them.
    pub(crate) fn spent_today_wei(&self, now_ms: u64, except: Option<u64>) -> u128 {
        self.records
            .values()
            .filter(|record| Some(record.sequence) != except)
            .filter(|record| record.signed_ms().is_some_and(|signed_ms| signed_ms / DAY_MS == now_ms / DAY_MS))
            .map(AnchorRecord::cost_wei)
            .fold(0, u128::saturating_add)
    }

    /// Writes down a new record.
    pub(crate) async fn append(&mut self, record: impl FnOnce(u64) -> AnchorRecord) -> Result<u64, Problem> {
        let sequence = self.next_sequence;
        self.save(record(sequence)).await?;
        self.next_sequence += 1;
        Ok(sequence)
    }

    /// Changes a record. If the change cannot be written down it has not happened.
    pub(crate) async fn change(
        &mut self,
        sequence: u64,
        change: impl FnOnce(&mut AnchorRecord) -> Result<(), TransitionError>,
    ) -> Result<(), Problem> {
        let mut record = self.get(sequence).clone();
        change(&mut record)?;
        tracing::info!(sequence, state = record.state.name(), size = record.content.size, "anchor");
        self.save(record).await
    }

    /// The numbers of the anchors whose evidence is still to be fetched, newest first: whoever has that of the newest
    /// can prove those before it too.
    pub(crate) fn lacking_evidence(&self, now_ms: u64) -> Vec<u64> {
        let lacking = self.records.values().rev().filter(|record| lacks_evidence(record, now_ms));
        lacking.map(|record| record.sequence).collect()
    }

    /// Keeps evidence with its anchor.
    pub(crate) async fn prove(&mut self, sequence: u64, evidence: Evidence) -> Result<(), Problem> {
        let mut record = self.get(sequence).clone();
        let kind = evidence.kind();
        record.proven(evidence).map_err(|error| Problem::NoEvidence { sequence, reason: error.to_string() })?;
        tracing::info!(sequence, kind, "the evidence of an anchor is kept");
        self.save(record).await
    }

    /// Forgets settled records of earlier days; the book keeps them.
    pub(crate) fn prune(&mut self, now_ms: u64) {
        let needed =
            [self.newest(), self.anchored(), self.final_anchor()].map(|record| record.map(|record| record.sequence));
        self.records.retain(|sequence, record| {
            record.is_open()
                || lacks_evidence(record, now_ms)
                || needed.contains(&Some(*sequence))
                || record.signed_ms().is_some_and(|signed_ms| signed_ms / DAY_MS == now_ms / DAY_MS)
        });
    }

    pub(crate) async fn log_head(&self) -> Result<LogHead, BookError> {
        let book = Arc::clone(&self.book);
        blocking(move || book.log_head()).await
    }

    pub(crate) async fn log_root_at(&self, size: u64) -> Result<[u8; 32], BookError> {
        let book = Arc::clone(&self.book);
        blocking(move || book.log_root_at(size)).await
    }

    async fn save(&mut self, record: AnchorRecord) -> Result<(), Problem> {
        let book = Arc::clone(&self.book);
        let (sequence, bytes) = (record.sequence, record.encode());
        blocking(move || book.save(sequence, &bytes)).await?;
        self.records.insert(sequence, record);
        Ok(())
    }
}

fn lacks_evidence(record: &AnchorRecord, now_ms: u64) -> bool {
    let is_sought = record.is_open() || now_ms.saturating_sub(record.changed_ms) < EVIDENCE_SOUGHT_MS;
    is_sought && record.evidence.is_none() && record.provable().is_some()
}

/// Runs what blocks where that is allowed.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is shutting down and will not poll this again.
        Err(_) => std::future::pending().await,
    }
}
