//! Anchoring as the API shows it: the service's status, and its records from the store.

use anchoring::{AnchorRecord, AnchorState, AnchorStatus, Settled};
use api::{Anchor, AnchorBlock, AnchoringStatus};
use data_encoding::HEXLOWER;
use ledger::Ledger;
use ledger::author::FinalAnchors;
use provenance::evidence::ProvenLine;
use provenance::payload::After;
use provenance::value::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;
use store::{Anchors, Range, StoreError};
use tokio::sync::watch;

/// Reads what the anchoring service wrote down.
pub(super) struct AnchorView {
    ledger: Ledger,
    status: watch::Receiver<AnchorStatus>,
    index: Mutex<Index>,
}

/// Which anchors cover which entries, so that a history of many events is told quickly.
struct Index {
    changes: watch::Receiver<AnchorStatus>,
    /// Size of the log → the anchor that covers it, of those that are deep enough.
    by_size: BTreeMap<u64, u64>,
    /// What the contract stored with each of them.
    by_commitment: HashMap<[u8; 32], u64>,
    /// All before this one have reached their end.
    first_open: u64,
}

impl AnchorView {
    pub(super) fn new(ledger: Ledger, status: watch::Receiver<AnchorStatus>) -> Self {
        let mut changes = status.clone();
        changes.mark_changed();
        Self { ledger, status, index: Mutex::new(Index::new(changes)) }
    }

    fn record(&self, sequence: u64) -> Result<Option<AnchorRecord>, StoreError> {
        let bytes = self.ledger.reader().store().get::<Anchors>(&sequence)?;
        Ok(bytes.and_then(|bytes| decode(sequence, &bytes)))
    }

    /// How long the oldest entry waits that no anchor covers: since it was signed, but not since before
    /// the newest anchor was cut, because then it was not in the log yet.
    fn oldest_waiting_ms(&self, anchored_size: u64) -> Option<u64> {
        // Entry 0 is the network's own.
        let index = anchored_size.max(1);
        let id = self.ledger.reader().log_ids(index, 1).ok()?.pop()?;
        let signed_ms = self.ledger.reader().stored(&id).ok()??.judged.event.payload().time.ms();
        let newest = self.index.lock().unwrap_or_else(PoisonError::into_inner).by_size.values().next_back().copied();
        let cut_ms = newest.and_then(|sequence| self.record(sequence).ok()?).map_or(0, |record| record.cut_ms);
        Some(now_ms().saturating_sub(signed_ms.max(cut_ms)))
    }
}

/// The newest final anchor, for the events that this node signs.
pub(super) struct Anchored(pub(super) watch::Receiver<AnchorStatus>);

impl FinalAnchors for Anchored {
    fn newest(&self) -> Option<After> {
        let status = self.0.borrow();
        let commitment = status.final_commitment?;
        Some(After { chain_id: status.chain_id, commitment: *commitment.as_bytes() })
    }
}

impl api::AnchorView for AnchorView {
    fn status(&self) -> AnchoringStatus {
        let status = self.status.borrow().clone();
        let wei = |wei: u128| Some(wei.to_string());
        AnchoringStatus {
            enabled: status.enabled,
            chain_id: status.enabled.then_some(status.chain_id),
            contract: status.contract.map(|contract| contract.to_string()),
            sender: status.sender.map(|sender| sender.to_string()),
            balance_wei: status.balance_wei.and_then(wei),
            spent_today_wei: wei(status.spent_today_wei).filter(|_| status.enabled),
            daily_budget_wei: wei(status.daily_budget_wei).filter(|_| status.enabled),
            head_block: status.head_block,
            anchored_size: status.anchored_size,
            final_size: status.final_size,
            in_flight: status.in_flight.map(|record| record.sequence),
            oldest_not_anchored_ms: status.enabled.then(|| self.oldest_waiting_ms(status.anchored_size)).flatten(),
            problem: status.problem,
        }
    }

    fn anchors(&self, before: Option<u64>, limit: usize) -> Vec<Anchor> {
        let range = before.map_or_else(Range::all, |before| Range::all().before(&before));
        let rows = self.ledger.reader().store().scan::<Anchors>(range.backwards()).take(limit);
        rows.filter_map(Result::ok)
            .filter_map(|(sequence, bytes)| decode(sequence, &bytes))
            .map(|record| shown(&record))
            .collect()
    }

    fn anchor(&self, sequence: u64) -> Option<Anchor> {
        self.record(sequence).ok().flatten().map(|record| shown(&record))
    }

    fn covering(&self, log_index: u64) -> Option<Anchor> {
        let sequence = {
            let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
            index.refresh(|sequence| self.record(sequence).ok().flatten());
            index.by_size.range(log_index + 1..).next().map(|(_, sequence)| *sequence)
        };
        self.anchor(sequence?)
    }

    fn published(
        &self,
        entries: &[u64],
        commitments: &[[u8; 32]],
        log_size: u64,
        also_confirmed: bool,
    ) -> Vec<ProvenLine> {
        let record = |sequence: u64| self.record(sequence).ok().flatten();
        let wanted = {
            let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
            index.refresh(record);
            index.wanted(entries, commitments, log_size)
        };
        let mut lines: Vec<(anchoring::Line, Vec<u64>)> = Vec::new();
        for sequence in wanted {
            let Some(line) = record(sequence).map(|record| record.line) else { continue };
            match lines.iter_mut().find(|(known, _)| *known == line) {
                Some((_, sequences)) => sequences.push(sequence),
                None => lines.push((line, vec![sequence])),
            }
        }
        let settled = if also_confirmed { Settled::Confirmed } else { Settled::Final };
        let read = |sequence| Ok::<_, Infallible>(record(sequence));
        let told = lines.into_iter().map(|(line, sequences)| {
            let Ok(anchors) = anchoring::published(sequences, read, &line, log_size, settled);
            ProvenLine { chain_id: line.chain_id, line: line.to_evidence(), anchors }
        });
        told.filter(|line| !line.anchors.is_empty()).collect()
    }
}

impl Index {
    fn new(changes: watch::Receiver<AnchorStatus>) -> Self {
        Self { changes, by_size: BTreeMap::new(), by_commitment: HashMap::new(), first_open: 0 }
    }

    /// The anchors that a bundle of these entries needs at first hand.
    fn wanted(&self, entries: &[u64], commitments: &[[u8; 32]], log_size: u64) -> BTreeSet<u64> {
        let covering = entries.iter().filter_map(|entry| self.by_size.range(entry + 1..).next());
        let newest = self.by_size.range(..=log_size).next_back();
        let named = commitments.iter().filter_map(|commitment| self.by_commitment.get(commitment));
        covering.chain(newest).map(|(_, sequence)| sequence).chain(named).copied().collect()
    }

    /// Reads again what can have changed since the last time.
    fn refresh(&mut self, record: impl Fn(u64) -> Option<AnchorRecord>) {
        if !self.changes.has_changed().unwrap_or(false) {
            return;
        }
        self.changes.borrow_and_update();
        let first = self.first_open;
        self.by_size.retain(|_, sequence| *sequence < first);
        self.by_commitment.retain(|_, sequence| *sequence < first);
        let mut all_ended = true;
        for record in (first..).map_while(record) {
            if record.is_anchored() {
                // Of two anchors of one size the older one stands.
                self.by_size.entry(record.content.size).or_insert(record.sequence);
                let commitment = record.inclusion().map(|inclusion| *inclusion.commitment.as_bytes());
                self.by_commitment.extend(commitment.map(|commitment| (commitment, record.sequence)));
            }
            all_ended &= !record.is_open();
            if all_ended {
                self.first_open = record.sequence + 1;
            }
        }
    }
}

fn decode(sequence: u64, bytes: &[u8]) -> Option<AnchorRecord> {
    AnchorRecord::decode(bytes).inspect_err(|error| tracing::error!(sequence, %error, "an anchor cannot be read")).ok()
}

fn shown(record: &AnchorRecord) -> Anchor {
    let inclusion = record.inclusion();
    let block = inclusion.map(|inclusion| AnchorBlock {
        number: inclusion.block_number,
        hash: inclusion.block_hash.to_string(),
        time: time(inclusion.timestamp_s.saturating_mul(1000)),
        timestamp_s: inclusion.timestamp_s,
        transaction: inclusion.tx_hash.to_string(),
        commitment: inclusion.commitment.to_string(),
    });
    let problem = match &record.state {
        AnchorState::Failed { reason, .. } | AnchorState::Superseded { reason } => Some(reason.clone()),
        _ => None,
    };
    Anchor {
        sequence: record.sequence,
        state: record.state.name().to_owned(),
        chain_id: record.line.chain_id,
        contract: record.line.contract.to_string(),
        sender: record.line.sender.to_string(),
        previous: record.content.previous.to_string(),
        size: record.content.size,
        log_root: HEXLOWER.encode(&record.content.log_root),
        state_root: HEXLOWER.encode(&record.content.state_root),
        transactions: record.attempts.iter().map(|attempt| attempt.hash.to_string()).collect(),
        gas_used: inclusion.map(|inclusion| inclusion.gas_used),
        cost_wei: inclusion.map(|inclusion| inclusion.cost_wei().to_string()),
        block,
        evidence: record.evidence.as_ref().map(|evidence| evidence.kind().to_owned()),
        cut: time(record.cut_ms),
        changed: time(record.changed_ms),
        problem,
    }
}

/// RFC 3339, as everywhere in the API.
pub(super) fn time(ms: u64) -> String {
    Timestamp::new(ms).map_or_else(|_| ms.to_string(), |time| time.to_string())
}

/// The machine's clock, ms since the epoch.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchoring::{Address, BlockHash, Commitment, Content, Inclusion, Line, TxHash};

    fn record(sequence: u64, size: u64, state: fn(Inclusion) -> AnchorState) -> AnchorRecord {
        let line = Line { chain_id: 1, contract: Address::from_bytes([1; 20]), sender: Address::from_bytes([2; 20]) };
        let content = Content { previous: Commitment::ZERO, size, log_root: [0; 32], state_root: [0; 32] };
        let inclusion = Inclusion {
            tx_hash: TxHash::from_bytes([3; 32]),
            block_number: 1,
            block_hash: BlockHash::from_bytes([4; 32]),
            timestamp_s: 1,
            succeeded: true,
            commitment: Commitment::from_bytes([u8::try_from(size).unwrap(); 32]),
            gas_used: 1,
            gas_price_wei: 1,
        };
        AnchorRecord { state: state(inclusion), ..AnchorRecord::cut(sequence, line, content, 1) }
    }

    #[test]
    fn the_index_follows_anchors_forth_and_back() {
        let (sender, changes) = watch::channel(AnchorStatus::default());
        let mut index = Index::new(changes);
        let read =
            |records: Vec<AnchorRecord>| move |sequence: u64| records.get(usize::try_from(sequence).unwrap()).cloned();
        sender.send_replace(AnchorStatus::default());
        index.refresh(read(vec![record(0, 5, AnchorState::Final), record(1, 9, AnchorState::Confirmed)]));
        assert_eq!(index.by_size, BTreeMap::from([(5, 0), (9, 1)]));
        assert_eq!(index.first_open, 1);
        assert_eq!(index.by_commitment, HashMap::from([([5; 32], 0), ([9; 32], 1)]));
        assert_eq!(index.wanted(&[4], &[], 4), BTreeSet::from([0]));
        assert_eq!(index.wanted(&[5, 9], &[], 4), BTreeSet::from([1]));
        assert_eq!(index.wanted(&[], &[[5; 32], [7; 32]], 9), BTreeSet::from([0, 1]));
        sender.send_replace(AnchorStatus::default());
        index.refresh(read(vec![record(0, 5, AnchorState::Final), record(1, 9, AnchorState::Mined)]));
        assert_eq!(index.by_size, BTreeMap::from([(5, 0)]), "a dropped block anchors nothing");
        assert_eq!(index.by_commitment, HashMap::from([([5; 32], 0)]));
    }
}
